/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_receive.c -- packets in: one handler for each type that a broker may send to this client. */
#include <string.h>

#include "common/err.h"
#include "dtu/core/mqtt_private.h"

/* Messages that this broker will not take are finished here, so that they do not block the ones behind. */
static void drop_oversized(struct mqtt *c)
{
    for (size_t i = 0; i < c->inflight.n;) {
        struct mqtt_msg *m = &c->inflight.msg[i];

        if (mqtt_publish_size(strlen(m->topic), m->qos, m->n) > c->max_packet) {
            mqtt_done(c, m, MQTT_PACKET_TOO_LARGE);
            i = 0; /* the owner may have published meanwhile */
        } else {
            i++;
        }
    }
}

static void up(struct mqtt *c)
{
    mqtt_enter(c, MQTT_UP);
    c->config->handler.up(c->config->handler.ctx, c->resumed);
}

static void on_connack(struct mqtt *c)
{
    struct mqtt_connack in;
    uint8_t err = mqtt_get_connack(&in, c->frame.buf, c->frame.want);

    if (c->state != MQTT_CONNECTING || c->due & MQTT_DUE_CONNECT)
        err = MQTT_PROTOCOL_ERROR;
    else if (!err && in.session_present && !c->had_session) /* 3.2.2-4 */
        err = MQTT_PROTOCOL_ERROR;
    else if (!err && !in.reason && !in.retain)
        err = MQTT_NO_RETAIN;
    if (err) {
        mqtt_fail(c, err);
        return;
    }
    if (in.reason) { /* the broker closes the connection itself (3.2.2.2) */
        mqtt_die(c, in.reason);
        return;
    }
    if (in.max_qos < 1) {
        mqtt_die(c, MQTT_LOCAL_NO_QOS1);
        return;
    }
    c->receive_max = in.receive_max;
    c->max_packet = in.max_packet;
    if (in.keep_alive_s && in.keep_alive_s * 1000u < c->keep_alive_ms)
        c->keep_alive_ms = in.keep_alive_s * 1000u;
    c->resumed = in.session_present;
    c->had_session = true;
    mqtt_inflight_again(&c->inflight, in.session_present);
    drop_oversized(c);
    if (c->config->filter_n == 0) {
        up(c);
        return;
    }
    c->due |= MQTT_DUE_SUBSCRIBE;
    mqtt_enter(c, MQTT_SUBSCRIBING);
}

static void on_publish(struct mqtt *c)
{
    const struct mqtt_handler *handler = &c->config->handler;
    struct mqtt_publish_in in;
    uint8_t err = mqtt_get_publish(&in, c->frame.first, c->frame.buf, c->frame.want);

    if (!err && in.qos && c->puback_n == MQTT_PUBACKS)
        err = MQTT_RECEIVE_MAX_EXCEEDED; /* 3.3.4 */
    if (err) {
        mqtt_fail(c, err);
        return;
    }
    bool accepted = handler->message(handler->ctx, in.topic, in.topic_n, in.payload, in.payload_n);

    if (in.qos == 0)
        return;
    c->puback[c->puback_n].id = in.id;
    c->puback[c->puback_n].reason = accepted ? MQTT_SUCCESS : MQTT_IMPLEMENTATION;
    c->puback_n++;
}

static void on_puback(struct mqtt *c)
{
    struct mqtt_ack in;
    uint8_t err = mqtt_get_puback(&in, c->frame.buf, c->frame.want);
    struct mqtt_msg *m = err ? NULL : mqtt_inflight_find(&c->inflight, in.id);

    if (m && m->state != MQTT_MSG_SENT) /* not even sent on this connection: the owner's bytes are still needed */
        err = MQTT_PROTOCOL_ERROR;
    if (err) {
        mqtt_fail(c, err);
        return;
    }
    if (!m) /* nothing of ours: harmless */
        return;
    c->inflight.waiting_ms = c->now_ms;
    mqtt_done(c, m, in.reason);
}

static void on_suback(struct mqtt *c)
{
    struct mqtt_ack in;
    uint8_t err = mqtt_get_suback(&in, c->frame.buf, c->frame.want);

    if (!err && (c->state != MQTT_SUBSCRIBING || c->due & MQTT_DUE_SUBSCRIBE || in.id != c->subscribe_id || in.n != c->config->filter_n))
        err = MQTT_PROTOCOL_ERROR;
    if (err) {
        mqtt_fail(c, err);
        return;
    }
    for (size_t i = 0; i < in.n; i++) {
        if (in.codes[i] != 1) { /* granted QoS 1 is what we need (3.9.3) */
            mqtt_fail(c, MQTT_SUCCESS);
            c->reason = MQTT_LOCAL_SUBSCRIPTION;
            return;
        }
    }
    up(c);
}

static void on_pingresp(struct mqtt *c)
{
    if (c->frame.want)
        mqtt_fail(c, MQTT_MALFORMED);
}

static void on_disconnect(struct mqtt *c)
{
    uint8_t reason;
    uint8_t err = mqtt_get_disconnect(&reason, c->frame.buf, c->frame.want);

    if (err)
        mqtt_fail(c, err);
    else
        mqtt_die(c, reason == MQTT_SUCCESS ? MQTT_LOCAL_CLOSED : reason);
}

static void (*const handlers[16])(struct mqtt *c) = {
    [MQTT_CONNACK] = on_connack, [MQTT_PUBLISH] = on_publish,   [MQTT_PUBACK] = on_puback,
    [MQTT_SUBACK] = on_suback,   [MQTT_PINGRESP] = on_pingresp, [MQTT_DISCONNECT] = on_disconnect,
};

void mqtt_receive(struct mqtt *c)
{
    unsigned type = c->frame.first >> 4;

    if (type != MQTT_PUBLISH && (c->frame.first & 0x0F)) /* reserved flags (2.1.3) */
        mqtt_fail(c, MQTT_MALFORMED);
    else if (!handlers[type] || (c->state == MQTT_CONNECTING && type != MQTT_CONNACK && type != MQTT_DISCONNECT))
        mqtt_fail(c, type == MQTT_PUBREL ? MQTT_NO_SUCH_QOS : MQTT_PROTOCOL_ERROR);
    else
        handlers[type](c);
}
