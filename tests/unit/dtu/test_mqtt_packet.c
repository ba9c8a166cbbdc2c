/* SPDX-License-Identifier: Apache-2.0 */
/* Packets as bytes: what is written against vectors made by hand from MQTT 5.0, what is read against the rules of each type. */
#include <string.h>

#include "common/err.h"
#include "common/mqtt_packet.h"
#include "dtu/core/mqtt.h"
#include "tests/unit/suite.h"

static uint8_t buf[MQTT_HEAD];
static struct mqtt_head head;

static void start(size_t size)
{
    memset(buf, 0xEE, sizeof buf);
    head = (struct mqtt_head) { .buf = buf, .size = size };
}

#define EXPECT(...)                                                                                                                        \
    do {                                                                                                                                   \
        static const uint8_t want[] = { __VA_ARGS__ };                                                                                     \
        CU_ASSERT_EQUAL_FATAL(head.end - head.at, sizeof want);                                                                            \
        CU_ASSERT_EQUAL(memcmp(buf + head.at, want, sizeof want), 0);                                                                      \
    } while (0)

static void test_connect(void)
{
    const struct mqtt_connect_out plain = {
        .client_id = "a.b", .clean_start = true, .keep_alive_s = 60, .session_expiry_s = 3600, .receive_max = 8, .max_packet = 2048
    };

    start(sizeof buf);
    CU_ASSERT_EQUAL(mqtt_put_connect(&head, &plain), BMS_ERR_OK);
    EXPECT(0x10, 29, 0, 4, 'M', 'Q', 'T', 'T', 5, 0x02, 0, 60, 13, 0x11, 0, 0, 0x0E, 0x10, 0x21, 0, 8, 0x27, 0, 0, 8, 0, 0, 3, 'a', '.',
           'b');
}

static void test_connect_with_will(void)
{
    const struct mqtt_connect_out will = {
        .client_id = "a", .keep_alive_s = 5, .receive_max = 8, .max_packet = 64, .will_topic = "s", .will_n = 200
    };

    start(sizeof buf);
    CU_ASSERT_EQUAL(mqtt_put_connect(&head, &will), BMS_ERR_OK);
    /* 27 + will properties 1 + topic 3 + length 2 + payload 200 = 233: two bytes of Remaining Length */
    EXPECT(0x10, 0xE9, 0x01, 0, 4, 'M', 'Q', 'T', 'T', 5, 0x2C, 0, 5, 13, 0x11, 0, 0, 0, 0, 0x21, 0, 8, 0x27, 0, 0, 0, 64, 0, 1, 'a', 0, 0,
           1, 's', 0, 200);
}

static void test_publish(void)
{
    start(sizeof buf);
    CU_ASSERT_EQUAL(mqtt_put_publish(&head, "t/u", 0x1234, 0x0B, 5), BMS_ERR_OK);
    EXPECT(0x3B, 13, 0, 3, 't', '/', 'u', 0x12, 0x34, 0);
    start(sizeof buf);
    CU_ASSERT_EQUAL(mqtt_put_publish(&head, "t", 0, 0, 0), BMS_ERR_OK);
    EXPECT(0x30, 4, 0, 1, 't', 0);
}

static void test_publish_size(void)
{
    static const size_t payload[] = { 0, 121, 122, 16377, 16378, 2097145, 2097146 }; /* around each length of the length */

    for (size_t i = 0; i < sizeof payload / sizeof payload[0]; i++) {
        start(sizeof buf);
        CU_ASSERT_EQUAL(mqtt_put_publish(&head, "t", 7, 2, payload[i]), BMS_ERR_OK);
        CU_ASSERT_EQUAL(mqtt_publish_size(1, 1, payload[i]), head.end - head.at + payload[i]);
    }
    CU_ASSERT_EQUAL(mqtt_publish_size(1, 1, 121), 129);
    CU_ASSERT_EQUAL(mqtt_publish_size(1, 1, 122), 131);
}

static void test_small_packets(void)
{
    static const char *const filters[] = { "a/+", "b" };

    start(sizeof buf);
    mqtt_put_puback(&head, 10, 0);
    EXPECT(0x40, 2, 0, 10);
    mqtt_put_puback(&head, 10, 0x83);
    EXPECT(0x40, 3, 0, 10, 0x83);
    mqtt_put_subscribe(&head, 1, filters, 2);
    EXPECT(0x82, 13, 0, 1, 0, 0, 3, 'a', '/', '+', 1, 0, 1, 'b', 1);
    mqtt_put_pingreq(&head);
    EXPECT(0xC0, 0);
    mqtt_put_disconnect(&head, 0);
    EXPECT(0xE0, 0);
    mqtt_put_disconnect(&head, 0x95);
    EXPECT(0xE0, 1, 0x95);
}

static void test_no_packet_leaves_its_buffer(void)
{
    const struct mqtt_connect_out connect = { .client_id = "a.b", .receive_max = 8, .max_packet = 64 };

    for (size_t size = 0; size < 34; size++) { /* 5 + 29 are needed */
        start(size);
        CU_ASSERT_EQUAL(mqtt_put_connect(&head, &connect), BMS_ERR_NOSPACE);
        CU_ASSERT_EQUAL(buf[size], 0xEE);
    }
    start(34);
    CU_ASSERT_EQUAL(mqtt_put_connect(&head, &connect), BMS_ERR_OK);
}

#define BODY(...)                                                                                                                          \
    body_of((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ })), sizeof((const uint8_t[]) { __VA_ARGS__ })

/* A copy that outlives the call: what is read points into the body. It ends where its memory ends. */
static const uint8_t *body_of(const uint8_t *bytes, size_t n)
{
    static uint8_t copy[64];

    memcpy(copy + sizeof copy - n, bytes, n);
    return copy + sizeof copy - n;
}

static void test_connack(void)
{
    struct mqtt_connack in;

    CU_ASSERT_EQUAL(mqtt_get_connack(&in, BODY(1, 0, 0)), 0);
    CU_ASSERT(in.session_present && in.receive_max == 65535 && in.max_qos == 2 && in.retain && in.keep_alive_s == 0);
    CU_ASSERT_EQUAL(mqtt_get_connack(&in, BODY(0, 0, 17, 0x21, 0, 20, 0x27, 0, 0, 1, 0, 0x13, 0, 30, 0x24, 1, 0x25, 0, 0x22, 0, 0)),
                    MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_connack(&in, BODY(0, 0, 18, 0x21, 0, 20, 0x27, 0, 0, 1, 0, 0x13, 0, 30, 0x24, 1, 0x25, 0, 0x22, 0, 0)), 0);
    CU_ASSERT(in.receive_max == 20 && in.max_packet == 256 && in.keep_alive_s == 30 && in.max_qos == 1 && !in.retain);
    CU_ASSERT_EQUAL(mqtt_get_connack(&in, BODY(0, 0x87, 0)), 0);
    CU_ASSERT_EQUAL(in.reason, 0x87);
}

static void test_connack_that_breaks_a_rule(void)
{
    static const struct {
        uint8_t n, body[16], want;
        const char *why;
    } rows[] = {
        { 0, { 0 }, MQTT_MALFORMED, "empty" },
        { 2, { 0, 0 }, MQTT_MALFORMED, "no property length" },
        { 3, { 2, 0, 0 }, MQTT_MALFORMED, "reserved flag" },
        { 3, { 1, 0x87, 0 }, MQTT_MALFORMED, "a session although refused" },
        { 4, { 0, 0, 0, 0 }, MQTT_MALFORMED, "a byte too many" },
        { 4, { 0, 0, 1, 0x7E }, MQTT_MALFORMED, "property that does not exist" },
        { 5, { 0, 0, 2, 0x01, 1 }, MQTT_PROTOCOL_ERROR, "property of another packet" },
        { 9, { 0, 0, 6, 0x21, 0, 9, 0x21, 0, 9 }, MQTT_PROTOCOL_ERROR, "property twice" },
        { 6, { 0, 0, 3, 0x21, 0, 0 }, MQTT_PROTOCOL_ERROR, "receive maximum 0" },
        { 8, { 0, 0, 5, 0x27, 0, 0, 0, 0 }, MQTT_PROTOCOL_ERROR, "maximum packet size 0" },
        { 5, { 0, 0, 2, 0x25, 2 }, MQTT_PROTOCOL_ERROR, "retain is neither yes nor no" },
        { 7, { 0, 0, 0x80, 0x80, 0x80, 0x80, 0x00 }, MQTT_MALFORMED, "length of five bytes" },
        { 6, { 0, 0, 3, 0x1F, 0, 5 }, MQTT_MALFORMED, "string longer than the list" },
    };
    struct mqtt_connack in;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t got = mqtt_get_connack(&in, rows[i].body, rows[i].n);

        if (got != rows[i].want)
            fprintf(stderr, "  %s: got 0x%02X\n", rows[i].why, got);
        CU_ASSERT_EQUAL(got, rows[i].want);
    }
}

static void test_publish_in(void)
{
    struct mqtt_publish_in in;

    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x32, BODY(0, 1, 't', 0, 9, 0, 'x', 'y')), 0);
    CU_ASSERT(in.topic_n == 1 && in.topic[0] == 't' && in.id == 9 && in.qos == 1 && in.payload_n == 2 && in.payload[0] == 'x');
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x30, BODY(0, 1, 't', 0)), 0);
    CU_ASSERT(in.id == 0 && in.payload_n == 0);
    /* user property and subscription identifier may come twice */
    CU_ASSERT_EQUAL(
        mqtt_get_publish(&in, 0x30, BODY(0, 1, 't', 18, 0x26, 0, 1, 'a', 0, 1, 'b', 0x26, 0, 1, 'a', 0, 1, 'b', 0x0B, 1, 0x0B, 2)), 0);
    CU_ASSERT_EQUAL(in.payload_n, 0);
}

static void test_publish_in_that_breaks_a_rule(void)
{
    struct mqtt_publish_in in;

    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x34, BODY(0, 1, 't', 0, 9, 0)), MQTT_NO_SUCH_QOS);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x36, BODY(0, 1, 't', 0, 9, 0)), MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x32, BODY(0, 1, 't', 0, 0, 0)), MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x30, BODY(0, 0, 0)), MQTT_PROTOCOL_ERROR);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x30, BODY(0, 1, '#', 0)), MQTT_PROTOCOL_ERROR);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x30, BODY(0, 2, 'a', 0, 0)), MQTT_PROTOCOL_ERROR);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x30, BODY(0, 9, 't', 0)), MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_publish(&in, 0x30, BODY(0, 1, 't', 3, 0x23, 0, 1)), MQTT_TOPIC_ALIAS_INVALID);
}

static void test_acks(void)
{
    struct mqtt_ack in;
    uint8_t reason;

    CU_ASSERT_EQUAL(mqtt_get_puback(&in, BODY(1, 2)), 0);
    CU_ASSERT(in.id == 0x102 && in.reason == 0);
    CU_ASSERT_EQUAL(mqtt_get_puback(&in, BODY(1, 2, 0x87)), 0);
    CU_ASSERT_EQUAL(in.reason, 0x87);
    CU_ASSERT_EQUAL(mqtt_get_puback(&in, BODY(1, 2, 0x10, 0)), 0);
    CU_ASSERT_EQUAL(mqtt_get_puback(&in, BODY(1)), MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_puback(&in, BODY(0, 0)), MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_suback(&in, BODY(0, 3, 0, 1, 0x87)), 0);
    CU_ASSERT(in.n == 2 && in.codes[1] == 0x87);
    CU_ASSERT_EQUAL(mqtt_get_suback(&in, BODY(0, 3)), MQTT_MALFORMED);
    CU_ASSERT_EQUAL(mqtt_get_disconnect(&reason, NULL, 0), 0);
    CU_ASSERT_EQUAL(reason, 0);
    CU_ASSERT_EQUAL(mqtt_get_disconnect(&reason, BODY(0x8E, 0)), 0);
    CU_ASSERT_EQUAL(reason, 0x8E);
    CU_ASSERT_EQUAL(mqtt_get_disconnect(&reason, BODY(0x8E, 0, 1)), MQTT_MALFORMED);
}

static void test_every_reason_has_a_text(void)
{
    CU_ASSERT_STRING_EQUAL(mqtt_reason_text(0x87), "not authorized");
    CU_ASSERT_STRING_EQUAL(mqtt_reason_text(0xFF), "unknown reason");
    for (unsigned r = MQTT_LOCAL_NO_CONNACK; r <= MQTT_LOCAL_SUBSCRIPTION; r++)
        CU_ASSERT_STRING_NOT_EQUAL(mqtt_reason_text(r), "unknown reason");
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "CONNECT is written as 3.1 has it [FL-2]", test_connect },
        { "a will adds flags, topic and the length of its payload", test_connect_with_will },
        { "PUBLISH has an identifier with QoS 1 only", test_publish },
        { "the size of a PUBLISH is known before it is written", test_publish_size },
        { "PUBACK, SUBSCRIBE, PINGREQ and DISCONNECT are minimal", test_small_packets },
        { "no packet leaves its buffer", test_no_packet_leaves_its_buffer },
        { "CONNACK gives the broker's limits or the defaults of 3.2", test_connack },
        { "a CONNACK that breaks a rule is refused", test_connack_that_breaks_a_rule },
        { "PUBLISH is read in place", test_publish_in },
        { "a PUBLISH that breaks a rule is refused with the right reason", test_publish_in_that_breaks_a_rule },
        { "acknowledgements are read in short and long form", test_acks },
        { "every reason has a text", test_every_reason_has_a_text },
        CU_TEST_INFO_NULL,
    };

    return suite_run("mqtt_packet", tests);
}
