/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of QoS 1 both ways: nothing is acknowledged twice or never, whatever happens to the connection. */
#include <string.h>

#include "common/err.h"
#include "mqtt_rig.h"
#include "tests/unit/suite.h"

static struct rig r;

static int publish(uint32_t token)
{
    return mqtt_publish(&r.c, "t", rig_payload, 8, 1, false, token);
}

/* The identifiers of the PUBLISH packets in the output, all of the form that publish() makes. */
static int ids(uint16_t *out, uint8_t first)
{
    int n = 0;

    for (size_t at = 0; at < r.out_n; at += 16) {
        CU_ASSERT_FATAL(r.out[at] == first && r.out[at + 1] == 14);
        CU_ASSERT_EQUAL(memcmp(r.out + at + 8, rig_payload, 8), 0);
        out[n++] = (uint16_t)(r.out[at + 5] << 8 | r.out[at + 6]);
    }
    return n;
}

static void puback(uint16_t id)
{
    SAY(&r, 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id);
}

static void test_publish_and_ack(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    CU_ASSERT_EQUAL(mqtt_publish(&r.c, "t", rig_payload, 8, 1, true, 77), BMS_ERR_OK);
    rig_pass(&r, 0);
    CU_ASSERT(SAID(&r, 0x33, 14, 0, 1, 't', 0, 2, 0, 'p', 'a', 'y', 'l', 'o', 'a', 'd', '!'));
    CU_ASSERT(r.acked_n == 0 && mqtt_pending(&r.c) == 1);
    puback(2);
    CU_ASSERT(r.acked_n == 1 && r.acked[0].token == 77 && r.acked[0].reason == 0 && mqtt_pending(&r.c) == 0);
    puback(2); /* again: nobody minds */
    CU_ASSERT(r.acked_n == 1 && r.c.state == MQTT_UP);
}

static void test_refused_message(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    publish(5);
    rig_pass(&r, 0);
    SAY(&r, 0x40, 3, 0, 2, 0x87);
    CU_ASSERT(r.acked_n == 1 && r.acked[0].reason == 0x87 && r.c.state == MQTT_UP);
}

static void test_qos0(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    mqtt_publish(&r.c, "t", rig_payload, 8, 0, false, 9);
    rig_pass(&r, 0);
    CU_ASSERT(SAID(&r, 0x30, 12, 0, 1, 't', 0, 'p', 'a', 'y', 'l', 'o', 'a', 'd', '!'));
    CU_ASSERT(r.acked_n == 1 && r.acked[0].token == 9 && mqtt_pending(&r.c) == 0);
}

static void test_window(void)
{
    static const uint8_t connack[] = { 0, 0, 3, 0x21, 0, 3 }; /* Receive Maximum 3 */
    uint16_t id[MQTT_INFLIGHT];

    rig_setup(&r, 0);
    rig_up(&r, connack, sizeof connack);
    for (uint32_t i = 0; i < MQTT_INFLIGHT; i++)
        CU_ASSERT_EQUAL(publish(i), BMS_ERR_OK);
    CU_ASSERT_EQUAL(publish(99), BMS_ERR_NOSPACE);
    rig_pass(&r, 0);
    CU_ASSERT_EQUAL(ids(id, 0x32), 3);
    puback(id[1]); /* out of order */
    CU_ASSERT(r.acked_n == 1 && r.acked[0].token == 1);
    CU_ASSERT_EQUAL(ids(id, 0x32), 1);
    CU_ASSERT_EQUAL(mqtt_pending(&r.c), MQTT_INFLIGHT - 1);
}

static void test_every_message_is_acked_once_and_in_order(void)
{
    uint16_t id[MQTT_INFLIGHT];
    uint32_t next = 0;

    rig_setup(&r, 0);
    rig_up_plain(&r);
    while (r.acked_n < 60) {
        while (next < 60 && publish(next) == BMS_ERR_OK)
            next++;
        rig_pass(&r, 1);
        int n = ids(id, 0x32);

        for (int i = 0; i < n; i++)
            puback(id[i]);
    }
    for (int i = 0; i < 60; i++)
        CU_ASSERT_EQUAL(r.acked[i].token, (uint32_t)i);
}

static void test_each_ack_starts_the_wait_anew(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    publish(1);
    publish(2);
    rig_pass(&r, 0);
    rig_pass(&r, 9000);
    puback(2);
    CU_ASSERT_EQUAL(rig_pass(&r, 10000), MQTT_UP);
    CU_ASSERT_EQUAL(rig_pass(&r, 1), MQTT_DEAD);
}

static void test_session_kept_sends_again_with_dup(void)
{
    static const uint8_t session[] = { 1, 0, 0 };
    uint16_t before[MQTT_INFLIGHT], after[MQTT_INFLIGHT];

    rig_setup(&r, 0);
    rig_up_plain(&r);
    for (uint32_t i = 0; i < 3; i++)
        publish(i);
    rig_pass(&r, 0);
    CU_ASSERT_EQUAL(ids(before, 0x32), 3);
    puback(before[0]);
    mqtt_lost(&r.c);
    publish(3); /* while down */
    rig_up(&r, session, sizeof session);
    CU_ASSERT_EQUAL_FATAL(r.out_n, 48);
    r.out_n = 32; /* two again, one new */
    CU_ASSERT_EQUAL(ids(after, 0x3A), 2);
    CU_ASSERT(after[0] == before[1] && after[1] == before[2]);
    CU_ASSERT_EQUAL(r.out[32], 0x32);
    puback(before[1]);
    puback(before[2]);
    CU_ASSERT(r.acked_n == 3 && r.acked[1].token == 1 && r.acked[2].token == 2 && mqtt_pending(&r.c) == 1);
}

static void test_session_gone_sends_as_new(void)
{
    uint16_t id[MQTT_INFLIGHT];

    rig_setup(&r, 0);
    rig_up_plain(&r);
    publish(1);
    publish(2);
    rig_pass(&r, 0);
    mqtt_lost(&r.c);
    rig_up_plain(&r);
    CU_ASSERT_EQUAL(ids(id, 0x32), 2);
    puback(id[0]);
    puback(id[1]);
    CU_ASSERT(r.acked_n == 2 && r.acked[0].token == 1 && r.acked[1].token == 2);
}

static void test_lost_at_every_byte(void)
{
    static const uint8_t session[] = { 1, 0, 0 };

    for (size_t cut = 0; cut <= 16; cut++) { /* the stream takes `cut` bytes of one PUBLISH and goes */
        const uint8_t *bytes;
        size_t n, taken = 0;

        rig_setup(&r, 0);
        rig_up_plain(&r);
        publish(1);
        while (taken < cut) {
            mqtt_output(&r.c, &bytes, &n);
            mqtt_sent(&r.c, 1);
            taken++;
        }
        mqtt_lost(&r.c);
        rig_up(&r, session, sizeof session);
        CU_ASSERT_EQUAL(r.out_n, 16);
        CU_ASSERT_EQUAL(r.out[0], cut == 16 ? 0x3A : 0x32);
        puback((uint16_t)(r.out[5] << 8 | r.out[6]));
        CU_ASSERT(r.acked_n == 1 && mqtt_pending(&r.c) == 0);
    }
}

static void test_ack_of_a_message_still_being_written(void)
{
    const uint8_t *bytes;
    size_t n;

    rig_setup(&r, 0);
    rig_up_plain(&r);
    publish(1);
    mqtt_output(&r.c, &bytes, &n);
    mqtt_sent(&r.c, n); /* the head, not the payload */
    puback(2);
    CU_ASSERT(r.acked_n == 0 && mqtt_pending(&r.c) == 1);
    CU_ASSERT_EQUAL(r.out[r.out_n - 1], 0x82);
    CU_ASSERT_EQUAL(r.c.state, MQTT_DEAD);
}

static void test_brokers_maximum_packet_size(void)
{
    static const uint8_t connack[] = { 0, 0, 5, 0x27, 0, 0, 0, 16 };

    rig_setup(&r, 0);
    mqtt_publish(&r.c, "tt", rig_payload, 8, 1, false, 1); /* 17 bytes, before the limit is known */
    CU_ASSERT_EQUAL(publish(2), BMS_ERR_OK);               /* 16 bytes */
    rig_up(&r, connack, sizeof connack);
    CU_ASSERT(r.acked_n == 1 && r.acked[0].token == 1 && r.acked[0].reason == 0x95);
    CU_ASSERT_EQUAL(r.out_n, 16);
    CU_ASSERT_EQUAL(mqtt_publish(&r.c, "tt", rig_payload, 8, 1, false, 3), BMS_ERR_RANGE);
}

static void test_forget(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    publish(1);
    rig_pass(&r, 0);
    CU_ASSERT_EQUAL(mqtt_forget(&r.c), BMS_ERR_STATE);
    mqtt_lost(&r.c);
    CU_ASSERT_EQUAL(mqtt_forget(&r.c), BMS_ERR_OK);
    CU_ASSERT(mqtt_pending(&r.c) == 0 && r.acked_n == 0);
    rig_up_plain(&r);
    CU_ASSERT_EQUAL(r.out_n, 0);
}

static void test_bad_publish(void)
{
    rig_setup(&r, 0);
    CU_ASSERT_EQUAL(mqtt_publish(&r.c, "", rig_payload, 8, 1, false, 1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(mqtt_publish(&r.c, "a/#", rig_payload, 8, 1, false, 1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(mqtt_publish(&r.c, "a", rig_payload, 8, 2, false, 1), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(mqtt_pending(&r.c), 0);
}

static void test_broker_without_qos1_or_retain(void)
{
    rig_setup(&r, 0);
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    SAY(&r, 0x20, 5, 0, 0, 2, 0x24, 0);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "the broker does not offer QoS 1");
    rig_setup(&r, 0);
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    SAY(&r, 0x20, 5, 0, 0, 2, 0x25, 0);
    CU_ASSERT(SAID(&r, 0xE0, 1, 0x9A));
}

static void test_message_in(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    SAY(&r, 0x32, 9, 0, 1, 'd', 0x12, 0x34, 0, 'x', 'y', 'z');
    CU_ASSERT(r.messages == 1 && r.message_n == 3 && memcmp(r.message, "xyz", 3) == 0);
    CU_ASSERT(SAID(&r, 0x40, 2, 0x12, 0x34));
    r.accept = false;
    SAY(&r, 0x3A, 6, 0, 1, 'd', 0, 7, 0);
    CU_ASSERT(SAID(&r, 0x40, 3, 0, 7, 0x83));
    SAY(&r, 0x30, 4, 0, 1, 'd', 0);
    CU_ASSERT(r.messages == 3 && r.out_n == 0);
}

static void test_message_in_split_at_every_byte(void)
{
    uint8_t packet[3 + RIG_RX] = { 0x32, 0x80, 0x02, 0, 1, 'd', 0, 1, 0 }; /* the largest that fits: 256 bytes */

    for (size_t i = 9; i < sizeof packet; i++)
        packet[i] = (uint8_t)i;
    for (size_t cut = 1; cut < sizeof packet; cut++) {
        rig_setup(&r, 0);
        rig_up_plain(&r);
        rig_say(&r, packet, cut);
        CU_ASSERT_EQUAL(r.messages, 0);
        rig_say(&r, packet + cut, sizeof packet - cut);
        CU_ASSERT(r.messages == 1 && r.message_n == RIG_RX - 6 && memcmp(r.message, packet + 9, r.message_n) == 0);
        CU_ASSERT(SAID(&r, 0x40, 2, 0, 1));
    }
}

static void test_our_receive_maximum(void)
{
    static const uint8_t one[] = { 0x32, 6, 0, 1, 'd', 0, 1, 0 };
    uint8_t many[sizeof one * (MQTT_PUBACKS + 1)];

    for (size_t i = 0; i < MQTT_PUBACKS + 1; i++) {
        memcpy(many + i * sizeof one, one, sizeof one);
        many[i * sizeof one + 6] = (uint8_t)(i + 1);
    }
    rig_setup(&r, 0);
    rig_up_plain(&r);
    rig_say(&r, many, sizeof many - sizeof one); /* as many as allowed, before any answer */
    CU_ASSERT(r.messages == MQTT_PUBACKS && r.out_n == MQTT_PUBACKS * 4 && r.c.state == MQTT_UP);
    rig_setup(&r, 0);
    rig_up_plain(&r);
    rig_say(&r, many, sizeof many);
    CU_ASSERT(r.messages == MQTT_PUBACKS && r.c.state == MQTT_DEAD && r.out[r.out_n - 1] == 0x93);
}

static void test_identifiers_wrap(void)
{
    uint16_t id[2];

    rig_setup(&r, 0);
    rig_up_plain(&r);
    publish(1);
    rig_pass(&r, 0);
    CU_ASSERT_EQUAL(ids(id, 0x32), 1); /* 2, kept in flight */
    r.c.last_id = UINT16_MAX - 1;
    for (int i = 0; i < 3; i++) {
        static const uint16_t want[] = { 65535, 1, 3 }; /* never 0, never 2 */

        publish(5);
        rig_pass(&r, 0);
        CU_ASSERT_EQUAL(ids(id, 0x32), 1);
        CU_ASSERT_EQUAL(id[0], want[i]);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a message is done when the broker has it [FL-2]", test_publish_and_ack },
        { "a message that the broker refuses is told with its reason", test_refused_message },
        { "QoS 0 is done when the stream has it", test_qos0 },
        { "no more are on the wire than the broker's Receive Maximum", test_window },
        { "every message is acknowledged once and in order", test_every_message_is_acked_once_and_in_order },
        { "each acknowledgement starts the wait for the next anew", test_each_ack_starts_the_wait_anew },
        { "a kept session gets the messages again, with DUP and the same identifiers", test_session_kept_sends_again_with_dup },
        { "a lost session gets them as new", test_session_gone_sends_as_new },
        { "the stream may go at every byte of a message", test_lost_at_every_byte },
        { "an acknowledgement of a message still being written is an error", test_ack_of_a_message_still_being_written },
        { "a message above the broker's limit is refused, not stuck", test_brokers_maximum_packet_size },
        { "messages are forgotten only while not connected", test_forget },
        { "a bad topic or QoS is refused", test_bad_publish },
        { "a broker without QoS 1 or retain is refused", test_broker_without_qos1_or_retain },
        { "a message in is acknowledged once the application has it", test_message_in },
        { "a message in may be split at every byte", test_message_in_split_at_every_byte },
        { "a broker above our Receive Maximum is refused", test_our_receive_maximum },
        { "identifiers wrap, are never 0 and never in use", test_identifiers_wrap },
        CU_TEST_INFO_NULL,
    };

    return suite_run("mqtt_messages", tests);
}
