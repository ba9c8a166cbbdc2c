/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_send.c -- packets out. There is no queue of bytes: what goes out next is decided when the stream has room. */
#include <string.h>

#include "common/err.h"
#include "dtu/core/mqtt_private.h"

enum { FLAG_DUP = 0x08, FLAG_QOS1 = 0x02, FLAG_RETAIN = 0x01 }; /* 3.3.1 */

static bool drained(const struct mqtt *c)
{
    return c->head_at == c->head_end && c->body_n == 0;
}

static int load_connect(struct mqtt *c, struct mqtt_head *h)
{
    const struct mqtt_config *config = c->config;
    struct mqtt_connect_out connect = { .client_id = config->client_id,
                                        .clean_start = !c->had_session,
                                        .keep_alive_s = config->keep_alive_s,
                                        .session_expiry_s = config->session_expiry_s,
                                        .receive_max = MQTT_PUBACKS,
                                        .max_packet = (uint32_t)config->rx_n,
                                        .will_topic = config->will.topic,
                                        .will_n = config->will.n };

    c->due &= (uint8_t)~MQTT_DUE_CONNECT;
    if (config->will.topic) {
        c->body = config->will.payload;
        c->body_n = config->will.n;
    }
    return mqtt_put_connect(h, &connect);
}

static int load_puback(struct mqtt *c, struct mqtt_head *h)
{
    int err = mqtt_put_puback(h, c->puback[0].id, c->puback[0].reason);

    c->puback_n--;
    memmove(c->puback, c->puback + 1, c->puback_n * sizeof c->puback[0]);
    return err;
}

static int load_disconnect(struct mqtt *c, struct mqtt_head *h)
{
    c->last = true;
    return mqtt_put_disconnect(h, c->close_code);
}

static int load_subscribe(struct mqtt *c, struct mqtt_head *h)
{
    c->due &= (uint8_t)~MQTT_DUE_SUBSCRIBE;
    c->subscribe_id = mqtt_fresh_id(c);
    return mqtt_put_subscribe(h, c->subscribe_id, c->config->filters, c->config->filter_n);
}

static int load_pingreq(struct mqtt *c, struct mqtt_head *h)
{
    c->due &= (uint8_t)~MQTT_DUE_PINGREQ;
    return mqtt_put_pingreq(h);
}

static int load_message(struct mqtt *c, struct mqtt_head *h, struct mqtt_msg *m)
{
    uint8_t flags = (uint8_t)((m->dup ? FLAG_DUP : 0) | (m->qos ? FLAG_QOS1 : 0) | (m->retain ? FLAG_RETAIN : 0));

    if (m->qos && !m->id)
        m->id = mqtt_fresh_id(c);
    m->state = MQTT_MSG_WRITING;
    c->body = m->payload;
    c->body_n = m->n;
    return mqtt_put_publish(h, m->topic, m->id, flags, m->n);
}

/* Most urgent first. Returns BMS_ERR_UNKNOWN when there is nothing to send. */
static int load(struct mqtt *c, struct mqtt_head *h)
{
    struct mqtt_msg *m;

    if (c->due & MQTT_DUE_CONNECT)
        return load_connect(c, h);
    if (c->puback_n)
        return load_puback(c, h);
    if (c->state == MQTT_CLOSING)
        return load_disconnect(c, h);
    if (c->due & MQTT_DUE_SUBSCRIBE)
        return load_subscribe(c, h);
    if (c->due & MQTT_DUE_PINGREQ)
        return load_pingreq(c, h);
    if (c->state == MQTT_UP && (m = mqtt_inflight_next(&c->inflight, c->receive_max)) != NULL)
        return load_message(c, h, m);
    return BMS_ERR_UNKNOWN;
}

void mqtt_output(struct mqtt *c, const uint8_t **bytes, size_t *n)
{
    struct mqtt_head h = { .buf = c->head, .size = sizeof c->head };

    *bytes = NULL;
    *n = 0;
    if (c->state == MQTT_IDLE || c->state == MQTT_DEAD)
        return;
    if (drained(c)) {
        int err = load(c, &h);

        if (err == BMS_ERR_NOSPACE) /* a will that was exchanged for a longer one */
            c->body_n = 0;
        if (err)
            return;
        c->head_at = h.at;
        c->head_end = h.end;
    }
    if (!c->waiting) {
        c->waiting = true;
        c->output_ms = c->now_ms;
    }
    bool in_head = c->head_at < c->head_end;

    *bytes = in_head ? c->head + c->head_at : c->body;
    *n = in_head ? c->head_end - c->head_at : c->body_n;
}

/* The stream has taken the last byte of a packet. */
static void packet_sent(struct mqtt *c)
{
    struct mqtt_msg *m = mqtt_inflight_writing(&c->inflight);

    if (c->last) {
        mqtt_die(c, c->reason);
        return;
    }
    if (!m)
        return;
    if (m->qos == 0) {
        mqtt_done(c, m, MQTT_SUCCESS);
        return;
    }
    if (mqtt_inflight_on_wire(&c->inflight) == 0)
        c->inflight.waiting_ms = c->now_ms;
    m->state = MQTT_MSG_SENT;
}

void mqtt_sent(struct mqtt *c, size_t n)
{
    size_t in_head = c->head_end - c->head_at;

    if (n == 0 || drained(c))
        return;
    c->waiting = false;
    c->spoke_ms = c->now_ms;
    if (in_head) {
        c->head_at += n < in_head ? n : in_head;
    } else {
        n = n < c->body_n ? n : c->body_n;
        c->body += n;
        c->body_n -= n;
    }
    if (drained(c))
        packet_sent(c);
}
