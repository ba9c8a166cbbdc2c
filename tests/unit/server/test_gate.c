/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "server/ingest/gate.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <time.h>

enum { RATE = 40, BURST = RATE * SHARE_BURST_S };

static struct ring *ring;
static struct gate *gate;
static struct events events;
static int told;
static struct event_share last;

static void on_event(void *ctx, const struct event *e)
{
    (void)ctx;
    if (e->kind != EVENT_SHARE)
        return;
    told++;
    last = *e->share;
}

static void begin(size_t ring_records)
{
    struct gate_parts parts = { .events = &events, .of_device = { RATE, 0 } };

    told = 0;
    events.count = 0;
    events_listen(&events, on_event, NULL);
    parts.ring = ring = ring_create(ring_records, 1 << 20);
    gate = gate_start(&parts);
    CU_ASSERT_PTR_NOT_NULL_FATAL(gate);
}

static void end(void)
{
    gate_stop(gate);
    ring_destroy(ring);
}

static int send(const char *device, uint8_t value)
{
    return gate_take(gate, &(struct gate_message) { device, "t/x", &value, 3, 1, 7 }, 0);
}

/* How many came within a time; their bytes must go up from `value`. */
static size_t take_for(int ms, uint8_t value)
{
    struct timespec slice = { .tv_nsec = 5000000 };
    struct ring_message *m;
    size_t n = 0;

    for (int left = ms; left > 0; left -= 5) {
        while (ring_pop(ring, &m, 1, 1, 0) == 1) {
            CU_ASSERT_EQUAL(m->bytes[0], (uint8_t)(value + n));
            CU_ASSERT_STRING_EQUAL(m->topic, "t/x");
            CU_ASSERT_EQUAL(m->received_ms, 7);
            n++;
            free(m);
        }
        nanosleep(&slice, NULL);
    }
    return n;
}

static void test_what_is_over_the_share_comes_later_and_in_order(void)
{
    begin(1000);
    for (unsigned i = 0; i < BURST + 20; i++)
        CU_ASSERT_EQUAL(send("a.1", (uint8_t)i), 0);
    CU_ASSERT(gate_waiting(gate) > 0);
    CU_ASSERT_EQUAL(take_for(1500, 0), BURST + 20);
    CU_ASSERT_EQUAL(gate_waiting(gate), 0);
    end();
}

static void test_the_others_do_not_wait(void)
{
    begin(1000);
    for (unsigned i = 0; i < BURST + 200; i++)
        send("a.1", 0);
    size_t before = ring_count(ring);

    for (unsigned i = 0; i < BURST; i++)
        CU_ASSERT_EQUAL(send("a.2", 1), 0);
    CU_ASSERT(ring_count(ring) >= before + BURST);
    end();
}

static void test_a_full_line_leaves_out(void)
{
    int out = 0;

    begin(1000);
    for (unsigned i = 0; i < BURST + GATE_LINE_RECORDS + 300; i++)
        out += send("a.1", 0) == BMS_ERR_NOSPACE;
    CU_ASSERT(out > 200 && out <= 300);
    CU_ASSERT(gate_waiting(gate) <= GATE_LINE_RECORDS);
    end();
}

static void test_more_lines_than_there_are_leave_out(void)
{
    char device[GATE_LINES + 1][16];

    begin(100000);
    for (int d = 0; d <= GATE_LINES; d++) {
        snprintf(device[d], sizeof device[d], "a.%d", d);
        for (unsigned i = 0; i < BURST; i++)
            CU_ASSERT_EQUAL(send(device[d], 0), 0);
        for (int k = 0; k < 5; k++)
            gate_refused(gate, device[d]); /* in debt for two seconds */
    }
    for (int d = 0; d < GATE_LINES; d++)
        CU_ASSERT_EQUAL(send(device[d], 0), 0);
    CU_ASSERT_EQUAL(send(device[GATE_LINES], 0), BMS_ERR_NOSPACE);
    end();
}

static void test_it_is_told_once_and_not_for_each_record(void)
{
    begin(1000);
    for (unsigned i = 0; i < BURST + 50; i++)
        send("a.1", 0);
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_EQUAL(last.delayed, 1);
    for (unsigned i = 0; i < BURST + 50; i++)
        send("a.2", 0);
    CU_ASSERT_EQUAL(told, 2);
    end();
}

static void test_a_full_ring_holds_the_line(void)
{
    begin(BURST);
    for (unsigned i = 0; i < BURST + 5; i++)
        CU_ASSERT_EQUAL(send("a.1", (uint8_t)i), 0);
    CU_ASSERT_EQUAL(send("a.2", 0), BMS_ERR_TIMEOUT);
    CU_ASSERT_EQUAL(take_for(1000, 0), BURST + 5);
    end();
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "what is over the share comes later, and in order", test_what_is_over_the_share_comes_later_and_in_order },
        { "the others do not wait", test_the_others_do_not_wait },
        { "a full line leaves out", test_a_full_line_leaves_out },
        { "more lines than there are leave out", test_more_lines_than_there_are_leave_out },
        { "it is told once, and not for each record", test_it_is_told_once_and_not_for_each_record },
        { "a full ring holds the line", test_a_full_ring_holds_the_line },
        CU_TEST_INFO_NULL,
    };
    return suite_run("gate", tests);
}
