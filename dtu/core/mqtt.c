/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt.c -- see mqtt.h: the interface, the states and everything that happens by time. */
#include "dtu/core/mqtt.h"

#include <string.h>

#include "common/err.h"
#include "dtu/core/mqtt_private.h"

_Static_assert(sizeof(struct mqtt) <= 1400, "mqtt.h states the size");

static bool text_fits(const char *s)
{
    return s && s[0] && strlen(s) <= MQTT_TOPIC_MAX;
}

static bool in_range(uint32_t v, uint32_t low, uint32_t high)
{
    return v >= low && v <= high;
}

/* The longest packets without their payload must fit in the scratch. */
static bool heads_fit(const struct mqtt_config *config)
{
    uint8_t buf[MQTT_HEAD];
    struct mqtt_head h = { .buf = buf, .size = sizeof buf };
    struct mqtt_connect_out connect = { .client_id = config->client_id, .will_topic = config->will.topic };

    return mqtt_put_connect(&h, &connect) == BMS_ERR_OK && mqtt_put_subscribe(&h, 1, config->filters, config->filter_n) == BMS_ERR_OK;
}

int mqtt_init(struct mqtt *c, const struct mqtt_config *config)
{
    const struct mqtt_handler *h = &config->handler;

    if (!text_fits(config->client_id) || config->filter_n > MQTT_FILTERS_MAX || (config->will.topic && !text_fits(config->will.topic)))
        return BMS_ERR_RANGE;
    for (size_t i = 0; i < config->filter_n; i++)
        if (!text_fits(config->filters[i]))
            return BMS_ERR_RANGE;
    if (!in_range(config->keep_alive_s, 5, 3600) || !in_range(config->answer_ms, 1000, 120000) || !config->rx ||
        !in_range((uint32_t)config->rx_n, 64, 65535) || !h->up || !h->acked || !h->message || !heads_fit(config))
        return BMS_ERR_RANGE;
    *c = (struct mqtt) { .config = config, .state = MQTT_IDLE, .max_packet = UINT32_MAX, .receive_max = UINT16_MAX };
    return BMS_ERR_OK;
}

void mqtt_enter(struct mqtt *c, enum mqtt_state state)
{
    c->state = state;
    c->entered_ms = c->now_ms;
}

void mqtt_die(struct mqtt *c, unsigned reason)
{
    if (c->state == MQTT_IDLE || c->state == MQTT_DEAD)
        return;
    c->reason = (uint16_t)reason;
    mqtt_enter(c, MQTT_DEAD);
}

void mqtt_fail(struct mqtt *c, uint8_t reason)
{
    if (!mqtt_is_connected(c))
        return;
    c->reason = reason;
    c->close_code = reason;
    mqtt_enter(c, MQTT_CLOSING);
}

/* What belongs to one stream and not to the session. */
static void forget_stream(struct mqtt *c)
{
    struct mqtt_msg *half = mqtt_inflight_writing(&c->inflight);

    if (half)
        half->state = MQTT_MSG_AGAIN;
    mqtt_frame_init(&c->frame, c->config->rx, c->config->rx_n);
    c->head_at = c->head_end = c->body_n = 0;
    c->puback_n = 0;
    c->due = 0;
    c->asked = c->waiting = c->last = false;
}

void mqtt_connect(struct mqtt *c, uint32_t now_ms)
{
    forget_stream(c);
    c->now_ms = c->spoke_ms = c->heard_ms = now_ms;
    c->keep_alive_ms = c->config->keep_alive_s * 1000u;
    c->max_packet = UINT32_MAX;
    c->receive_max = UINT16_MAX;
    c->reason = 0;
    c->due = MQTT_DUE_CONNECT;
    mqtt_enter(c, MQTT_CONNECTING);
}

void mqtt_lost(struct mqtt *c)
{
    forget_stream(c);
    mqtt_enter(c, MQTT_IDLE);
}

void mqtt_stop(struct mqtt *c, bool with_will)
{
    mqtt_fail(c, with_will ? MQTT_WITH_WILL : MQTT_SUCCESS);
}

/* PINGREQ early enough that the broker hears us within the keep-alive, and that we notice a silent broker (3.1.2.10). */
static void keep_alive(struct mqtt *c)
{
    uint32_t after_ms = c->keep_alive_ms / 4 * 3;

    if (!c->asked && (c->now_ms - c->heard_ms >= after_ms || c->now_ms - c->spoke_ms >= after_ms)) {
        c->asked = true;
        c->asked_ms = c->now_ms;
        c->due |= MQTT_DUE_PINGREQ;
    }
    if (c->asked && c->now_ms - c->asked_ms > c->config->answer_ms)
        mqtt_die(c, MQTT_LOCAL_NO_PINGRESP);
}

enum mqtt_state mqtt_step(struct mqtt *c, uint32_t now_ms)
{
    c->now_ms = now_ms;
    bool late = now_ms - c->entered_ms > c->config->answer_ms;

    switch (c->state) {
    case MQTT_CONNECTING:
        if (late)
            mqtt_die(c, MQTT_LOCAL_NO_CONNACK);
        break;
    case MQTT_SUBSCRIBING:
        if (late)
            mqtt_die(c, MQTT_LOCAL_NO_SUBACK);
        break;
    case MQTT_UP:
        if (mqtt_inflight_on_wire(&c->inflight) && now_ms - c->inflight.waiting_ms > c->config->answer_ms)
            mqtt_die(c, MQTT_LOCAL_NO_PUBACK);
        keep_alive(c);
        break;
    case MQTT_CLOSING:
        if (late)
            mqtt_die(c, c->reason);
        break;
    case MQTT_IDLE:
    case MQTT_DEAD:
        return c->state;
    }
    if (c->waiting && now_ms - c->output_ms > c->config->answer_ms)
        mqtt_die(c, MQTT_LOCAL_STUCK);
    return c->state;
}

void mqtt_feed(struct mqtt *c, const uint8_t *bytes, size_t n)
{
    while (n && mqtt_is_connected(c)) {
        int whole;
        int used = mqtt_frame_feed(&c->frame, bytes, n, &whole);

        if (used < 0) {
            mqtt_fail(c, used == BMS_ERR_NOSPACE ? MQTT_PACKET_TOO_LARGE : MQTT_MALFORMED);
            return;
        }
        bytes += used;
        n -= (size_t)used;
        if (whole) {
            c->heard_ms = c->now_ms;
            c->asked = false;
            mqtt_receive(c);
        }
    }
}

int mqtt_publish(struct mqtt *c, const char *topic, const uint8_t *payload, size_t n, uint8_t qos, bool retain, uint32_t token)
{
    struct mqtt_msg msg = { .topic = topic, .payload = payload, .n = n, .token = token, .qos = qos, .retain = retain };

    if (!text_fits(topic) || strpbrk(topic, "#+") || qos > 1 || mqtt_publish_size(strlen(topic), qos, n) > c->max_packet ||
        n > (1u << 28) - 512)
        return BMS_ERR_RANGE;
    return mqtt_inflight_add(&c->inflight, &msg);
}

void mqtt_done(struct mqtt *c, struct mqtt_msg *msg, uint8_t reason)
{
    uint32_t token = msg->token;

    mqtt_inflight_remove(&c->inflight, msg);
    c->config->handler.acked(c->config->handler.ctx, token, reason);
}

uint16_t mqtt_fresh_id(struct mqtt *c)
{
    do
        c->last_id++;
    while (c->last_id == 0 || mqtt_inflight_find(&c->inflight, c->last_id));
    return c->last_id;
}

size_t mqtt_pending(const struct mqtt *c)
{
    return c->inflight.n;
}

int mqtt_forget(struct mqtt *c)
{
    if (c->state != MQTT_IDLE)
        return BMS_ERR_STATE;
    c->inflight.n = 0;
    return BMS_ERR_OK;
}

const char *mqtt_why(const struct mqtt *c)
{
    bool ended = c->state == MQTT_DEAD || (c->state == MQTT_IDLE && c->reason);

    return ended ? mqtt_reason_text(c->reason) : "";
}
