/* SPDX-License-Identifier: Apache-2.0 */
/* test_mqtt_bulk.c -- bytes in, bytes out: the fast lane's client against packets written by hand from the standard. */
#include "common/err.h"
#include "server/ingest/mqtt_bulk.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

enum { IN = 1024, OUT = 4096, ANSWER = 1000 };

static struct {
    struct bulk b;
    uint8_t in[IN], out[OUT];
    unsigned messages;
    char topic[64];
    uint8_t payload[IN];
    size_t payload_n;
} r;

static void on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    (void)ctx;
    r.messages++;
    snprintf(r.topic, sizeof r.topic, "%.*s", (int)topic_n, topic);
    memcpy(r.payload, payload, n);
    r.payload_n = n;
}

static struct bulk_config config(void)
{
    static const char *const filters[] = { "f" };

    return (struct bulk_config) { .client_id = "c",
                                  .filters = filters,
                                  .filter_n = 1,
                                  .keep_alive_s = 20,
                                  .receive_max = 10,
                                  .answer_ms = ANSWER,
                                  .message = on_message,
                                  .in = r.in,
                                  .in_size = IN,
                                  .out = r.out,
                                  .out_size = OUT };
}

/* Bytes of the broker; all that fits at once. */
static void say(const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        size_t room = 0;
        uint8_t *p = bulk_room(&r.b, &room);
        size_t part = n < room ? n : room;

        if (part == 0)
            return;
        memcpy(p, bytes, part);
        bulk_got(&r.b, part, r.b.now_ms);
        bytes += part;
        n -= part;
    }
}

#define SAY(...)                                                                                                                           \
    do {                                                                                                                                   \
        static const uint8_t bytes_[] = { __VA_ARGS__ };                                                                                   \
        say(bytes_, sizeof bytes_);                                                                                                        \
    } while (0)

/* What waits to be sent is exactly this; it is taken. */
static bool said(const uint8_t *bytes, size_t n)
{
    size_t has = 0;
    const uint8_t *p = bulk_output(&r.b, &has);
    bool same = has == n && (n == 0 || memcmp(p, bytes, n) == 0);

    bulk_sent(&r.b, has);
    return same;
}

#define SAID(...) said((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static void drop_output(void)
{
    size_t n = 0;

    bulk_output(&r.b, &n);
    bulk_sent(&r.b, n);
}

/* receive_max of the broker: 3. */
static void come_up(void)
{
    struct bulk_config c = config();

    memset(&r, 0, sizeof r);
    CU_ASSERT_EQUAL_FATAL(bulk_init(&r.b, &c), 0);
    bulk_connect(&r.b, 100);
    drop_output();
    SAY(0x20, 6, 0, 0, 3, 0x21, 0, 3);
    drop_output();
    SAY(0x90, 4, 0, 1, 0, 1);
    CU_ASSERT_EQUAL_FATAL(bulk_step(&r.b, 100), BULK_UP);
}

static void test_connects_clean_and_subscribes(void)
{
    struct bulk_config c = config();

    memset(&r, 0, sizeof r);
    CU_ASSERT_EQUAL(bulk_init(&r.b, &c), 0);
    CU_ASSERT_EQUAL(bulk_step(&r.b, 5), BULK_DOWN);
    bulk_connect(&r.b, 10);
    CU_ASSERT(SAID(0x10, 27, 0, 4, 'M', 'Q', 'T', 'T', 5, 0x02, 0, 20, 13, 0x11, 0, 0, 0, 0, 0x21, 0, 10, 0x27, 0, 0, 4, 0, 0, 1, 'c'));
    SAY(0x20, 3, 0, 0, 0);
    CU_ASSERT(SAID(0x82, 7, 0, 1, 0, 0, 1, 'f', 1));
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", NULL, 0), BMS_ERR_STATE);
    SAY(0x90, 4, 0, 1, 0, 1);
    CU_ASSERT_EQUAL(bulk_step(&r.b, 10), BULK_UP);
}

static void test_one_read_with_many_messages_is_one_answer(void)
{
    come_up();
    SAY(0x32, 7, 0, 1, 'a', 0, 5, 0, 'x', 0x30, 4, 0, 1, 'b', 0, 0x32, 8, 0, 1, 'c', 1, 0, 0, 'y', 'z');
    CU_ASSERT_EQUAL(r.messages, 3);
    CU_ASSERT(strcmp(r.topic, "c") == 0 && r.payload_n == 2 && r.payload[1] == 'z');
    CU_ASSERT(SAID(0x40, 2, 0, 5, 0x40, 2, 1, 0)); /* none for QoS 0 */
}

static void test_packets_cut_anywhere_come_whole(void)
{
    static const uint8_t bytes[] = { 0x32, 7, 0, 1, 'a', 0, 5, 0, 'x', 0x32, 7, 0, 1, 'a', 0, 6, 0, 'w' };

    for (size_t cut = 1; cut < sizeof bytes; cut++) {
        come_up();
        say(bytes, cut);
        say(bytes + cut, sizeof bytes - cut);
        CU_ASSERT(r.messages == 2 && r.payload[0] == 'w');
        CU_ASSERT(SAID(0x40, 2, 0, 5, 0x40, 2, 0, 6));
    }
}

static void test_the_largest_packet_fits_and_one_byte_more_ends_it(void)
{
    static uint8_t bytes[IN + 1];

    for (size_t whole = IN; whole <= IN + 1; whole++) {
        size_t body = whole - 3;

        come_up();
        memset(bytes, 'p', sizeof bytes);
        memcpy(bytes, (const uint8_t[]) { 0x32, (uint8_t)(0x80 | (body & 0x7F)), (uint8_t)(body >> 7), 0, 1, 'a', 0, 9, 0 }, 9);
        say((const uint8_t[]) { 0x30, 4, 0, 1, 'b', 0 }, 6); /* so that it does not begin at the start of the buffer */
        say(bytes, whole);
        CU_ASSERT_EQUAL(r.messages, whole == IN ? 2 : 1);
        CU_ASSERT_EQUAL(bulk_step(&r.b, 100), whole == IN ? BULK_UP : BULK_DEAD);
    }
}

static void test_publishes_as_many_as_the_broker_takes(void)
{
    come_up();
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", (const uint8_t *)"p", 1), 0);
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", (const uint8_t *)"p", 1), BMS_ERR_NOSPACE);
    CU_ASSERT(SAID(0x32, 7, 0, 1, 't', 0, 1, 0, 'p', 0x32, 7, 0, 1, 't', 0, 2, 0, 'p', 0x32, 7, 0, 1, 't', 0, 3, 0, 'p'));
    SAY(0x40, 2, 0, 2);
    SAY(0x40, 2, 0, 2); /* twice is once */
    CU_ASSERT_EQUAL(bulk_in_flight(&r.b), 2);
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", (const uint8_t *)"q", 1), 0);
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", (const uint8_t *)"q", 1), BMS_ERR_NOSPACE);
    CU_ASSERT(SAID(0x32, 7, 0, 1, 't', 0, 4, 0, 'q'));
}

/* Identifiers in flight are stepped over when the numbers begin anew. */
static void test_an_identifier_in_flight_is_not_given_again(void)
{
    size_t n = 0;

    come_up();
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", NULL, 0), 0); /* 1, for ever */
    drop_output();
    for (uint32_t id = 2; id <= 65535; id++) {
        CU_ASSERT_EQUAL_FATAL(bulk_publish(&r.b, "t", NULL, 0), 0);
        drop_output();
        say((const uint8_t[]) { 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id }, 4);
    }
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", NULL, 0), 0);
    const uint8_t *p = bulk_output(&r.b, &n);

    CU_ASSERT(n == 8 && p[5] == 0 && p[6] == 2);
}

static void test_a_full_output_stops_the_reading(void)
{
    static const uint8_t one[] = { 0x32, 7, 0, 1, 'a', 0, 5, 0, 'x' };
    static uint8_t hundred[100 * sizeof one];
    size_t room = 1, waiting = 0;

    come_up();
    for (size_t i = 0; i < 100; i++)
        memcpy(hundred + i * sizeof one, one, sizeof one);
    for (int i = 0; i < 20; i++)
        say(hundred, sizeof hundred);
    bulk_room(&r.b, &room);
    bulk_output(&r.b, &waiting);
    CU_ASSERT_EQUAL(room, 0);
    CU_ASSERT(waiting <= OUT && r.messages == waiting / 4);
    unsigned before = r.messages;

    drop_output();
    bulk_got(&r.b, 0, 100); /* what was left lying */
    CU_ASSERT(r.messages > before);
}

/* Alive exactly at the limit, dead one past it. */
static void test_every_wait_ends(void)
{
    struct bulk_config c = config();

    memset(&r, 0, sizeof r);
    bulk_init(&r.b, &c);
    bulk_connect(&r.b, UINT32_MAX - 500); /* across the wrap of the clock */
    drop_output();
    CU_ASSERT_EQUAL(bulk_step(&r.b, UINT32_MAX - 500 + ANSWER), BULK_CONNECTING);
    CU_ASSERT_EQUAL(bulk_step(&r.b, UINT32_MAX - 500 + ANSWER + 1), BULK_DEAD);

    come_up(); /* PINGREQ after half the keep-alive, PINGRESP in time */
    CU_ASSERT_EQUAL(bulk_step(&r.b, 100 + 9999), BULK_UP);
    CU_ASSERT(said(NULL, 0));
    CU_ASSERT_EQUAL(bulk_step(&r.b, 100 + 10000), BULK_UP);
    CU_ASSERT(SAID(0xC0, 0));
    CU_ASSERT_EQUAL(bulk_step(&r.b, 100 + 10000 + ANSWER), BULK_UP);
    CU_ASSERT_EQUAL(bulk_step(&r.b, 100 + 10000 + ANSWER + 1), BULK_DEAD);

    come_up(); /* a stream that takes nothing */
    bulk_publish(&r.b, "t", NULL, 0);
    CU_ASSERT_EQUAL(bulk_step(&r.b, 100 + ANSWER), BULK_UP);
    CU_ASSERT_EQUAL(bulk_step(&r.b, 100 + ANSWER + 1), BULK_DEAD);
}

static void test_what_is_wrong_ends_it(void)
{
    static const struct {
        uint8_t bytes[8];
        size_t n;
    } wrong[] = {
        { { 0x32, 0xFF, 0xFF, 0xFF, 0xFF }, 5 }, /* a length of five bytes */
        { { 0x34, 7, 0, 1, 'a', 0, 5, 0 }, 8 },  /* QoS 2, not asked for (and cut: see below) */
        { { 0x32, 5, 0, 1, '#', 0, 5 }, 7 },     /* a wildcard as a topic, no properties */
        { { 0x20, 3, 0, 0, 0 }, 5 },             /* a second CONNACK */
        { { 0x90, 4, 0, 1, 0, 1 }, 6 },          /* a second SUBACK */
        { { 0x10, 0 }, 2 },                      /* CONNECT from a broker */
        { { 0xE0, 1, 0x8E }, 3 },                /* DISCONNECT: session taken over */
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        come_up();
        say(wrong[i].bytes, wrong[i].n);
        if (i == 1)
            SAY('x');
        CU_ASSERT_EQUAL(bulk_step(&r.b, 100), BULK_DEAD);
        CU_ASSERT(r.messages == 0 && r.b.reason != 0);
    }
}

static void test_a_refused_filter_ends_it(void)
{
    struct bulk_config c = config();

    memset(&r, 0, sizeof r);
    bulk_init(&r.b, &c);
    bulk_connect(&r.b, 0);
    SAY(0x20, 3, 0, 0, 0);
    SAY(0x90, 4, 0, 1, 0, 0x87);
    CU_ASSERT(bulk_step(&r.b, 0) == BULK_DEAD && r.b.reason == BULK_REFUSED_FILTER);
}

static void test_configurations_outside_the_limits(void)
{
    struct bulk_config c = config();

    c.keep_alive_s = 4;
    CU_ASSERT_EQUAL(bulk_init(&r.b, &c), BMS_ERR_RANGE);
    c = config();
    c.filter_n = BULK_FILTERS_MAX + 1;
    CU_ASSERT_EQUAL(bulk_init(&r.b, &c), BMS_ERR_RANGE);
    c = config();
    c.in_size = BULK_BUFFER_MIN - 1;
    CU_ASSERT_EQUAL(bulk_init(&r.b, &c), BMS_ERR_RANGE);
}

static void test_messages_that_can_never_go(void)
{
    static char topic[402];
    static uint8_t payload[OUT];

    come_up();
    memset(topic, 't', 401);
    CU_ASSERT_EQUAL(bulk_publish(&r.b, topic, NULL, 0), BMS_ERR_RANGE);
    topic[400] = '\0';
    CU_ASSERT_EQUAL(bulk_publish(&r.b, topic, NULL, 0), 0);
    CU_ASSERT_EQUAL(bulk_publish(&r.b, "t", payload, sizeof payload), BMS_ERR_RANGE);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "connects clean and subscribes with QoS 1", test_connects_clean_and_subscribes },
        { "one read with many messages is one answer", test_one_read_with_many_messages_is_one_answer },
        { "packets cut anywhere come whole", test_packets_cut_anywhere_come_whole },
        { "the largest packet fits, and one byte more ends the connection", test_the_largest_packet_fits_and_one_byte_more_ends_it },
        { "publishes as many as the broker takes", test_publishes_as_many_as_the_broker_takes },
        { "an identifier in flight is not given again", test_an_identifier_in_flight_is_not_given_again },
        { "a full output stops the reading", test_a_full_output_stops_the_reading },
        { "every wait ends", test_every_wait_ends },
        { "what is wrong ends the connection", test_what_is_wrong_ends_it },
        { "a refused filter ends the connection", test_a_refused_filter_ends_it },
        { "configurations outside the limits are refused", test_configurations_outside_the_limits },
        { "messages that can never go are refused", test_messages_that_can_never_go },
        CU_TEST_INFO_NULL,
    };
    return suite_run("mqtt_bulk", tests);
}
