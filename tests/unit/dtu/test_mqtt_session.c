/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT client's session: it comes up, it is judged by answers, and every wait has an end. */
#include <string.h>

#include "common/err.h"
#include "mqtt_rig.h"
#include "tests/unit/suite.h"

static struct rig r;

static void test_comes_up(void)
{
    rig_setup(&r, 0);
    CU_ASSERT_EQUAL(mqtt_step(&r.c, 5), MQTT_IDLE);
    rig_take(&r);
    CU_ASSERT_EQUAL(r.out_n, 0);
    mqtt_connect(&r.c, 10);
    rig_take(&r);
    CU_ASSERT(r.out[0] == 0x10 && r.out[9] == 0x02); /* first time: clean start */
    SAY(&r, 0x20, 3, 0, 0, 0);
    CU_ASSERT(SAID(&r, 0x82, 9, 0, 1, 0, 0, 3, 'd', '/', '+', 1));
    CU_ASSERT_EQUAL(r.ups, 0);
    SAY(&r, 0x90, 4, 0, 1, 0, 1);
    CU_ASSERT(r.ups == 1 && !r.session && r.c.state == MQTT_UP);
    mqtt_lost(&r.c);
    mqtt_connect(&r.c, 20);
    r.out_n = 0;
    rig_take(&r);
    CU_ASSERT_EQUAL(r.out[9], 0x00); /* later: keep the session */
}

static void test_comes_up_byte_by_byte(void)
{
    static const uint8_t connack[] = { 0x20, 3, 0, 0, 0 }, suback[] = { 0x90, 4, 0, 1, 0, 1 };

    rig_setup(&r, 0);
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    for (size_t i = 0; i < sizeof connack; i++)
        rig_say(&r, connack + i, 1);
    for (size_t i = 0; i < sizeof suback; i++)
        rig_say(&r, suback + i, 1);
    CU_ASSERT_EQUAL(r.c.state, MQTT_UP);
}

static void test_without_filters_no_subscribe(void)
{
    rig_setup(&r, 0);
    r.config.filter_n = 0;
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    SAY(&r, 0x20, 3, 0, 0, 0);
    CU_ASSERT(r.c.state == MQTT_UP && r.out_n == 0 && r.ups == 1);
}

static void test_will_follows_connect(void)
{
    rig_setup(&r, 0);
    r.config.will = (struct mqtt_will) { .topic = "s", .payload = rig_payload, .n = 8 };
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    CU_ASSERT_EQUAL(r.out_n, (size_t)2 + r.out[1]);
    CU_ASSERT_EQUAL(r.out[9], 0x02 | 0x2C);
    CU_ASSERT_EQUAL(memcmp(r.out + r.out_n - 8, rig_payload, 8), 0);
}

static void test_refusal_is_told(void)
{
    rig_setup(&r, 0);
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    SAY(&r, 0x20, 3, 0, 0x87, 0);
    CU_ASSERT(r.c.state == MQTT_DEAD && r.out_n == 0);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "not authorized");
    mqtt_lost(&r.c);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "not authorized");
    mqtt_connect(&r.c, 1);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "");
}

static void test_subscription_refused(void)
{
    static const uint8_t granted[] = { 0, 2, 0x80, 0x87 }; /* QoS 0 is too little, 2 was not asked for */

    for (size_t i = 0; i < sizeof granted; i++) {
        rig_setup(&r, 0);
        mqtt_connect(&r.c, 0);
        rig_take(&r);
        SAY(&r, 0x20, 3, 0, 0, 0);
        SAY(&r, 0x90, 4, 0, 1, 0, granted[i]);
        CU_ASSERT(SAID(&r, 0xE0, 0));
        CU_ASSERT_EQUAL(r.c.state, MQTT_DEAD);
        CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "a subscription was refused");
    }
}

/* Each wait: still alive exactly at the limit, dead one past it. */
static void test_waits_end(void)
{
    rig_setup(&r, UINT32_MAX - 5000); /* across the wrap of the clock */
    mqtt_connect(&r.c, r.now_ms);
    rig_take(&r);
    CU_ASSERT_EQUAL(rig_pass(&r, 10000), MQTT_CONNECTING);
    CU_ASSERT_EQUAL(rig_pass(&r, 1), MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "no CONNACK in time");

    rig_setup(&r, UINT32_MAX - 5000);
    mqtt_connect(&r.c, r.now_ms);
    rig_take(&r);
    SAY(&r, 0x20, 3, 0, 0, 0);
    CU_ASSERT_EQUAL(rig_pass(&r, 10000), MQTT_SUBSCRIBING);
    CU_ASSERT_EQUAL(rig_pass(&r, 1), MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "no SUBACK in time");

    rig_setup(&r, UINT32_MAX - 5000);
    rig_up_plain(&r);
    mqtt_publish(&r.c, "t", rig_payload, 8, 1, false, 1);
    rig_pass(&r, 0);
    CU_ASSERT_EQUAL(rig_pass(&r, 10000), MQTT_UP);
    CU_ASSERT_EQUAL(rig_pass(&r, 1), MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "no PUBACK in time");
}

static void test_silence_is_asked_and_ends(void)
{
    rig_setup(&r, UINT32_MAX - 35000);
    rig_up_plain(&r);
    rig_pass(&r, 29999);
    CU_ASSERT_EQUAL(r.out_n, 0);
    rig_pass(&r, 1); /* three quarters of 40 s */
    CU_ASSERT(SAID(&r, 0xC0, 0));
    CU_ASSERT_EQUAL(rig_pass(&r, 10000), MQTT_UP);
    CU_ASSERT_EQUAL(r.out_n, 0);
    CU_ASSERT_EQUAL(rig_pass(&r, 1), MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "no answer to PINGREQ in time");
}

static void test_answers_keep_it_up(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    for (int i = 0; i < 5; i++) {
        rig_pass(&r, 30000);
        CU_ASSERT(SAID(&r, 0xC0, 0));
        SAY(&r, 0xD0, 0);
    }
    CU_ASSERT_EQUAL(r.c.state, MQTT_UP);
}

static void test_writing_alone_does_not_keep_it_up(void)
{
    int pings = 0;

    rig_setup(&r, 0);
    rig_up_plain(&r);
    for (int s = 1; s <= 40; s++) { /* QoS 0: the stream takes all, the broker never answers */
        mqtt_publish(&r.c, "t", rig_payload, 8, 0, false, 1);
        rig_pass(&r, 1000);
        pings += r.out_n >= 2 && r.out[0] == 0xC0;
    }
    CU_ASSERT_EQUAL(pings, 1);
    CU_ASSERT_EQUAL(rig_pass(&r, 1), MQTT_DEAD);
}

static void test_hearing_alone_does_not_keep_it_up(void)
{
    int pings = 0;

    rig_setup(&r, 0);
    rig_up_plain(&r);
    for (int s = 0; s < 60; s++) { /* QoS 0 from the broker: it must hear from us within the keep-alive */
        rig_pass(&r, 1000);
        pings += r.out_n == 2 && r.out[0] == 0xC0;
        SAY(&r, 0x30, 4, 0, 1, 'd', 0);
    }
    CU_ASSERT_EQUAL(pings, 2);
}

static void test_server_keep_alive(void)
{
    static const uint8_t connack[] = { 0, 0, 3, 0x13, 0, 8 };

    rig_setup(&r, 0);
    rig_up(&r, connack, sizeof connack);
    rig_pass(&r, 6000);
    CU_ASSERT(SAID(&r, 0xC0, 0));
}

static void test_stuck_stream(void)
{
    const uint8_t *bytes;
    size_t n;

    rig_setup(&r, 0);
    rig_up_plain(&r);
    mqtt_publish(&r.c, "t", rig_payload, 8, 1, false, 1);
    mqtt_output(&r.c, &bytes, &n);
    CU_ASSERT(n > 0);
    CU_ASSERT_EQUAL(mqtt_step(&r.c, 10000), MQTT_UP);
    CU_ASSERT_EQUAL(mqtt_step(&r.c, 10001), MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "the stream takes no bytes");
}

/* The broker says something wrong: one DISCONNECT with the reason, then nothing. */
static void test_protocol_errors(void)
{
    static const struct {
        uint8_t n, bytes[12], want;
        const char *why;
    } rows[] = {
        { 5, { 0x20, 3, 0, 0, 0 }, 0x82, "a second CONNACK" },
        { 6, { 0x90, 4, 0, 1, 0, 1 }, 0x82, "a SUBACK nobody waits for" },
        { 2, { 0xD1, 0 }, 0x81, "reserved flags" },
        { 3, { 0xD0, 1, 0 }, 0x81, "PINGRESP with a body" },
        { 4, { 0x62, 2, 0, 1 }, 0x81, "PUBREL, reserved flags" },
        { 4, { 0x50, 2, 0, 1 }, 0x82, "PUBREC: QoS 2" },
        { 2, { 0x10, 0 }, 0x82, "CONNECT to a client" },
        { 2, { 0x00, 0 }, 0x82, "type 0" },
        { 2, { 0xF0, 0 }, 0x82, "AUTH" },
        { 8, { 0x34, 6, 0, 1, 'd', 0, 1, 0 }, 0x9B, "PUBLISH with QoS 2" },
        { 9, { 0x30, 7, 0, 1, 'd', 3, 0x23, 0, 1 }, 0x94, "topic alias" },
        { 3, { 0x30, 0x81, 0x02 }, 0x95, "257 bytes into 256" },
        { 5, { 0x30, 0xFF, 0xFF, 0xFF, 0xFF }, 0x81, "length without an end" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_setup(&r, 0);
        rig_up_plain(&r);
        rig_say(&r, rows[i].bytes, rows[i].n);
        bool right = SAID(&r, 0xE0, 1, rows[i].want) && r.c.state == MQTT_DEAD;

        if (!right)
            fprintf(stderr, "  %s: said %zu bytes, reason 0x%02X\n", rows[i].why, r.out_n, r.c.reason);
        CU_ASSERT(right);
        SAY(&r, 0xD0, 0);
        CU_ASSERT(r.out_n == 0 && r.messages == 0);
    }
}

static void test_server_disconnect(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    SAY(&r, 0xE0, 2, 0x8E, 0);
    CU_ASSERT(r.out_n == 0 && r.c.state == MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "session taken over by another client of this name");
}

static void test_suback_of_another_subscribe(void)
{
    rig_setup(&r, 0);
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    SAY(&r, 0x20, 3, 0, 0, 0);
    SAY(&r, 0x90, 4, 0, 2, 0, 1);
    CU_ASSERT(SAID(&r, 0xE0, 1, 0x82));
}

static void test_session_nobody_had(void)
{
    rig_setup(&r, 0);
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    SAY(&r, 0x20, 3, 1, 0, 0);
    CU_ASSERT(SAID(&r, 0xE0, 1, 0x82));
}

static void test_stop(void)
{
    rig_setup(&r, 0);
    rig_up_plain(&r);
    mqtt_stop(&r.c, false);
    rig_pass(&r, 1);
    CU_ASSERT(SAID(&r, 0xE0, 0));
    CU_ASSERT_EQUAL(r.c.state, MQTT_DEAD);
    rig_setup(&r, 0);
    rig_up_plain(&r);
    mqtt_stop(&r.c, true);
    rig_pass(&r, 1);
    CU_ASSERT(SAID(&r, 0xE0, 1, 0x04));
}

static void test_stop_that_the_stream_does_not_take(void)
{
    const uint8_t *bytes;
    size_t n;

    rig_setup(&r, 0);
    rig_up_plain(&r);
    mqtt_stop(&r.c, false);
    mqtt_output(&r.c, &bytes, &n);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_EQUAL(mqtt_step(&r.c, 10000), MQTT_CLOSING);
    CU_ASSERT_EQUAL(mqtt_step(&r.c, 10001), MQTT_DEAD);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "closed normally");
}

static void test_will_exchanged_for_one_too_long(void)
{
    char topic[MQTT_HEAD + 1];

    memset(topic, 't', sizeof topic);
    topic[MQTT_HEAD] = '\0';
    rig_setup(&r, 0);
    r.config.will = (struct mqtt_will) { .topic = topic, .payload = rig_payload, .n = 8 };
    mqtt_connect(&r.c, 0);
    rig_take(&r);
    CU_ASSERT_EQUAL(r.out_n, 0); /* not half a CONNECT, not the payload alone */
    CU_ASSERT_EQUAL(rig_pass(&r, 10001), MQTT_DEAD);
}

static void test_configuration_limits(void)
{
    char name[MQTT_TOPIC_MAX + 2];

    memset(name, 'n', sizeof name);
    name[MQTT_TOPIC_MAX] = '\0';
    rig_setup(&r, 0);
    r.config.client_id = name;
    CU_ASSERT_EQUAL(mqtt_init(&r.c, &r.config), BMS_ERR_OK);
    name[MQTT_TOPIC_MAX] = 'n';
    name[MQTT_TOPIC_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(mqtt_init(&r.c, &r.config), BMS_ERR_RANGE);
    rig_setup(&r, 0);
    r.config.keep_alive_s = 4;
    CU_ASSERT_EQUAL(mqtt_init(&r.c, &r.config), BMS_ERR_RANGE);
    rig_setup(&r, 0);
    r.config.rx_n = 63;
    CU_ASSERT_EQUAL(mqtt_init(&r.c, &r.config), BMS_ERR_RANGE);
    rig_setup(&r, 0);
    r.config.handler.acked = NULL;
    CU_ASSERT_EQUAL(mqtt_init(&r.c, &r.config), BMS_ERR_RANGE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "CONNECT, CONNACK, SUBSCRIBE, SUBACK bring it up [FL-2]", test_comes_up },
        { "answers may come byte by byte", test_comes_up_byte_by_byte },
        { "without filters there is no SUBSCRIBE", test_without_filters_no_subscribe },
        { "the will's payload follows CONNECT", test_will_follows_connect },
        { "a refusal is told in words", test_refusal_is_told },
        { "a refused subscription ends the session", test_subscription_refused },
        { "the waits for CONNACK, SUBACK and PUBACK end, also across the wrap of the clock", test_waits_end },
        { "a silent broker is asked, and given up without an answer", test_silence_is_asked_and_ends },
        { "answers keep the session up", test_answers_keep_it_up },
        { "bytes that the stream takes do not keep it up", test_writing_alone_does_not_keep_it_up },
        { "bytes that the broker sends do not replace our own", test_hearing_alone_does_not_keep_it_up },
        { "the broker's keep-alive wins", test_server_keep_alive },
        { "a stream that takes nothing ends the session", test_stuck_stream },
        { "a protocol error is answered with one DISCONNECT and its reason", test_protocol_errors },
        { "the broker's DISCONNECT is told in words", test_server_disconnect },
        { "an answer to another SUBSCRIBE is refused", test_suback_of_another_subscribe },
        { "a session that nobody had is refused", test_session_nobody_had },
        { "stopping says so, with or without the will", test_stop },
        { "a goodbye that the stream does not take ends too", test_stop_that_the_stream_does_not_take },
        { "a will exchanged for one too long sends nothing", test_will_exchanged_for_one_too_long },
        { "a configuration outside its limits is refused", test_configuration_limits },
        CU_TEST_INFO_NULL,
    };

    return suite_run("mqtt_session", tests);
}
