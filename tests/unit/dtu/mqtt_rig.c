/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_rig.c -- see mqtt_rig.h. */
#include "mqtt_rig.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/err.h"

const uint8_t rig_payload[8] = { 'p', 'a', 'y', 'l', 'o', 'a', 'd', '!' };

static void on_up(void *ctx, bool session_present)
{
    struct rig *r = ctx;

    r->ups++;
    r->session = session_present;
}

static void on_acked(void *ctx, uint32_t token, uint8_t reason)
{
    struct rig *r = ctx;

    CU_ASSERT_FATAL(r->acked_n < RIG_EVENTS);
    r->acked[r->acked_n].token = token;
    r->acked[r->acked_n++].reason = reason;
}

static bool on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    struct rig *r = ctx;

    (void)topic;
    (void)topic_n;
    r->messages++;
    memcpy(r->message, payload, n);
    r->message_n = n;
    return r->accept;
}

void rig_setup(struct rig *r, uint32_t now_ms)
{
    static const char *const filters[] = { "d/+" };

    memset(r, 0, sizeof *r);
    r->now_ms = now_ms;
    r->accept = true;
    r->config = (struct mqtt_config) { .client_id = "a.b",
                                       .filters = filters,
                                       .filter_n = 1,
                                       .keep_alive_s = 40,
                                       .answer_ms = 10000,
                                       .session_expiry_s = 60,
                                       .handler = { r, on_up, on_acked, on_message },
                                       .rx = r->rx,
                                       .rx_n = sizeof r->rx };
    CU_ASSERT_EQUAL_FATAL(mqtt_init(&r->c, &r->config), BMS_ERR_OK);
}

void rig_up(struct rig *r, const uint8_t *connack, size_t n)
{
    uint8_t packet[64] = { 0x20, (uint8_t)n };

    memcpy(packet + 2, connack, n);
    mqtt_connect(&r->c, r->now_ms);
    rig_take(r);
    r->out_n = 0;
    rig_say(r, packet, n + 2);
    CU_ASSERT_EQUAL_FATAL(r->c.state, MQTT_SUBSCRIBING);
    CU_ASSERT_EQUAL_FATAL(r->out_n, 11); /* SUBSCRIBE d/+ */
    SAY(r, 0x90, 4, r->out[2], r->out[3], 0, 1);
    CU_ASSERT_EQUAL_FATAL(r->c.state, MQTT_UP);
}

void rig_up_plain(struct rig *r)
{
    static const uint8_t connack[] = { 0, 0, 0 };

    rig_up(r, connack, sizeof connack);
}

void rig_take(struct rig *r)
{
    const uint8_t *bytes;
    size_t n;

    for (mqtt_output(&r->c, &bytes, &n); n; mqtt_output(&r->c, &bytes, &n)) {
        CU_ASSERT_FATAL(r->out_n + n <= RIG_OUT);
        memcpy(r->out + r->out_n, bytes, n);
        r->out_n += n;
        mqtt_sent(&r->c, n);
    }
}

enum mqtt_state rig_pass(struct rig *r, uint32_t ms)
{
    r->now_ms += ms;
    mqtt_step(&r->c, r->now_ms);
    r->out_n = 0;
    rig_take(r);
    return r->c.state;
}

void rig_say(struct rig *r, const uint8_t *bytes, size_t n)
{
    mqtt_feed(&r->c, bytes, n);
    r->out_n = 0;
    rig_take(r);
}

bool rig_said(const struct rig *r, const uint8_t *bytes, size_t n)
{
    return r->out_n == n && memcmp(r->out, bytes, n) == 0;
}
