/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "dtu/port/posix/can_client.h"
#include "sim/can_hub.h"
#include "tests/unit/suite.h"

enum { MANY = 100000 };

static struct can_bus bus;
static struct can_hub hub;
static struct can_client a, b;
static char folder[] = "/tmp/test_can_hub.XXXXXX";
static char path[64];
static int node;
static struct can_frame heard; /* last, on the bus */
static int heard_n;

static void hear(void *ctx, const struct can_frame *f)
{
    (void)ctx;
    heard = *f;
    heard_n++;
}

static void setup(void)
{
    bus = (struct can_bus) { 0 };
    heard_n = 0;
    CU_ASSERT_EQUAL_FATAL(can_hub_open(&hub, path, &bus), BMS_ERR_OK);
    node = can_bus_attach(&bus, hear, NULL);
    CU_ASSERT_EQUAL_FATAL(can_client_init(&a, path), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(can_client_init(&b, path), BMS_ERR_OK);
    CU_ASSERT_TRUE_FATAL(can_client_step(&a, 0));
    CU_ASSERT_TRUE_FATAL(can_client_step(&b, 0));
    can_hub_poll(&hub);
    CU_ASSERT_EQUAL_FATAL(hub.clients, 2);
}

static void teardown(void)
{
    can_client_deinit(&a);
    can_client_deinit(&b);
    can_hub_close(&hub);
}

static struct can_frame numbered(uint32_t n)
{
    struct can_frame f = { .id = n & 0x1FFFFFFF, .ext = true, .len = 8 };

    put_le32(f.data, n);
    return f;
}

static void test_all_frames_arrive_in_order(void)
{
    struct can_frame f;
    uint32_t got = 0;

    setup();
    for (uint32_t n = 0; n < MANY; n++) {
        f = numbered(n);
        can_bus_send(&bus, node, &f);
        if (n % 50 != 49)
            continue;
        can_hub_poll(&hub);
        while (can_client_receive(&b, &f) == 1)
            continue;
        while (can_client_receive(&a, &f) == 1) {
            CU_ASSERT_EQUAL_FATAL(get_le32(f.data), got);
            got++;
        }
    }
    CU_ASSERT_EQUAL(got, MANY);
    CU_ASSERT_EQUAL(hub.dropped, 0);
    CU_ASSERT_EQUAL(heard_n, 0); /* never one's own */
    teardown();
}

static void test_a_slow_client_loses_its_own_frames_only(void)
{
    struct can_frame f;
    uint32_t got = 0, late = 0;

    setup();
    for (uint32_t n = 0; n < MANY; n++) {
        f = numbered(n);
        can_bus_send(&bus, node, &f);
        if (n % 50 != 49)
            continue;
        can_hub_poll(&hub);
        while (can_client_receive(&a, &f) == 1)
            got++;
    }
    CU_ASSERT_EQUAL(got, MANY);
    while (can_client_receive(&b, &f) == 1) { /* at last; what it gets is in order, from the oldest on */
        CU_ASSERT_EQUAL(get_le32(f.data), late);
        late++;
        can_hub_poll(&hub);
    }
    CU_ASSERT_TRUE(late >= CAN_QUEUE_SIZE);
    CU_ASSERT_EQUAL(late + hub.dropped, MANY);
    teardown();
}

static void test_clients_hear_each_other_and_the_bus_but_not_themselves(void)
{
    struct can_frame f = numbered(7), g;

    setup();
    CU_ASSERT_EQUAL(can_client_send(&a, &f), BMS_ERR_OK);
    can_hub_poll(&hub);
    CU_ASSERT_EQUAL(heard_n, 1);
    CU_ASSERT_EQUAL(get_le32(heard.data), 7);
    CU_ASSERT_EQUAL(can_client_receive(&b, &g), 1);
    CU_ASSERT_EQUAL(g.id, f.id);
    CU_ASSERT_EQUAL(can_client_receive(&a, &g), 0);
    teardown();
}

static void test_a_client_that_goes_is_forgotten_and_can_come_back(void)
{
    struct can_frame f;

    setup();
    can_client_deinit(&a);
    can_hub_poll(&hub);
    CU_ASSERT_EQUAL(hub.clients, 1);
    CU_ASSERT_FALSE(can_client_step(&a, CAN_CLIENT_RETRY_MS - 1));
    CU_ASSERT_TRUE(can_client_step(&a, CAN_CLIENT_RETRY_MS));
    can_hub_poll(&hub);
    CU_ASSERT_EQUAL(hub.clients, 2);
    can_hub_close(&hub);
    CU_ASSERT_EQUAL(can_client_receive(&a, &f), BMS_ERR_IO);
    CU_ASSERT_EQUAL(can_client_send(&b, &(struct can_frame) { 0 }), BMS_ERR_IO);
    CU_ASSERT_EQUAL(can_client_fd(&a), -1);
    teardown();
}

static void test_packets_that_are_no_frames_are_dropped(void)
{
    uint8_t wire[2 * CAN_HUB_FRAME] = { 0 };
    struct can_frame good = numbered(5);

    setup();
    CU_ASSERT_EQUAL(send(a.fd, wire, 15, 0), 15);
    CU_ASSERT_EQUAL(send(a.fd, wire, 17, 0), 17);
    wire[5] = 9; /* too long */
    CU_ASSERT_EQUAL(send(a.fd, wire, 16, 0), 16);
    wire[5] = 0;
    wire[4] = 1; /* unknown flag */
    CU_ASSERT_EQUAL(send(a.fd, wire, 16, 0), 16);
    wire[4] = 0;
    put_le32(wire, 0x800); /* over 11 bits */
    can_hub_encode(&good, wire + CAN_HUB_FRAME);
    CU_ASSERT_EQUAL(send(a.fd, wire, 32, 0), 32);
    can_hub_poll(&hub);
    CU_ASSERT_EQUAL(hub.malformed, 5);
    CU_ASSERT_EQUAL(heard_n, 1);
    CU_ASSERT_EQUAL(heard.id, 5);
    CU_ASSERT_EQUAL(hub.clients, 2);
    teardown();
}

static void test_a_socket_that_nobody_listens_on_is_replaced(void)
{
    static struct can_hub other;
    static struct can_bus other_bus;

    setup();
    CU_ASSERT_EQUAL(can_hub_open(&other, path, &other_bus), BMS_ERR_STATE); /* somebody does */
    CU_ASSERT_TRUE(can_client_step(&a, 0));
    close(hub.fd); /* as a process that died would leave it */
    CU_ASSERT_EQUAL(can_hub_open(&other, path, &other_bus), BMS_ERR_OK);
    can_hub_close(&other);
    hub.fd = -1;
    teardown();

    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
    CU_ASSERT_EQUAL(can_hub_open(&other, path, &other_bus), BMS_ERR_IO); /* not ours to remove */
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    unlink(path);
}

static void test_paths_that_are_too_long_are_refused(void)
{
    static struct can_hub other;
    char longest[200];

    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = 0;
    CU_ASSERT_EQUAL(can_hub_open(&other, longest, &bus), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(can_hub_open(&other, "", &bus), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(can_client_init(&a, longest), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(can_client_init(&a, ""), BMS_ERR_RANGE);
}

static void test_more_clients_than_places_are_turned_away(void)
{
    static struct can_client more[CAN_HUB_CLIENTS_MAX];
    struct can_frame f;

    setup();
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++) {
        CU_ASSERT_EQUAL(can_client_init(&more[i], path), BMS_ERR_OK);
        CU_ASSERT_TRUE(can_client_step(&more[i], 0));
        can_hub_poll(&hub);
    }
    CU_ASSERT_EQUAL(hub.clients, CAN_HUB_CLIENTS_MAX);
    CU_ASSERT_EQUAL(hub.refused, 2);
    CU_ASSERT_EQUAL(can_client_receive(&more[CAN_HUB_CLIENTS_MAX - 1], &f), BMS_ERR_IO);
    CU_ASSERT_EQUAL(can_client_receive(&a, &f), 0);
    for (int i = 0; i < CAN_HUB_CLIENTS_MAX; i++)
        can_client_deinit(&more[i]);
    teardown();
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "100,000 frames arrive in order [TA-1]", test_all_frames_arrive_in_order },
        { "a slow client loses its own frames only", test_a_slow_client_loses_its_own_frames_only },
        { "clients hear each other and the bus, but not themselves", test_clients_hear_each_other_and_the_bus_but_not_themselves },
        { "a client that goes is forgotten and can come back", test_a_client_that_goes_is_forgotten_and_can_come_back },
        { "packets that are no frames are dropped", test_packets_that_are_no_frames_are_dropped },
        { "a socket that nobody listens on is replaced", test_a_socket_that_nobody_listens_on_is_replaced },
        { "paths that are too long are refused", test_paths_that_are_too_long_are_refused },
        { "more clients than places are turned away", test_more_clients_than_places_are_turned_away },
        CU_TEST_INFO_NULL,
    };

    if (!mkdtemp(folder))
        return 2;
    snprintf(path, sizeof(path), "%s/hub", folder);
    int failed = suite_run("can_hub", tests);

    rmdir(folder);
    return failed;
}
