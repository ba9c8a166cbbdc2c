/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_bulk.c -- see mqtt_bulk.h. Packets are in common/mqtt_packet.h; section numbers are those of MQTT 5.0. */
#include "server/ingest/mqtt_bulk.h"

#include "common/err.h"
#include "common/mqtt_packet.h"

#include <string.h>

enum { HEAD_MAX = 512, TOPIC_LONGEST = 400, LENGTH_BYTES_MAX = 4, IDS = 65535 };
enum { FLAG_QOS1 = 0x02 }; /* 3.3.1 */

int bulk_init(struct bulk *b, const struct bulk_config *config)
{
    bool fits = config->client_id && *config->client_id && config->filter_n >= 1 && config->filter_n <= BULK_FILTERS_MAX &&
                config->keep_alive_s >= 5 && config->keep_alive_s <= 3600 && config->receive_max >= 1 && config->answer_ms >= 1 &&
                config->message && config->in && config->in_size >= BULK_BUFFER_MIN && config->in_size <= UINT32_MAX && config->out &&
                config->out_size >= BULK_BUFFER_MIN;

    memset(b, 0, sizeof *b);
    b->config = *config;
    return fits ? 0 : BMS_ERR_RANGE;
}

static void go(struct bulk *b, enum bulk_state state)
{
    b->state = state;
    b->entered_ms = b->now_ms;
}

static void die(struct bulk *b, unsigned reason)
{
    if (b->state == BULK_DEAD)
        return;
    b->reason = reason;
    go(b, BULK_DEAD);
}

static size_t out_room(const struct bulk *b)
{
    return b->config.out_size - b->out_n + b->out_at;
}

/* n bytes at the end of the output, which has them: see out_room(). */
static uint8_t *out_more(struct bulk *b, size_t n)
{
    if (b->out_at == b->out_n)
        b->spoke_ms = b->now_ms; /* from now on the stream is waited for */
    if (b->config.out_size - b->out_n < n) {
        memmove(b->config.out, b->config.out + b->out_at, b->out_n - b->out_at);
        b->out_n -= b->out_at;
        b->out_at = 0;
    }
    uint8_t *p = b->config.out + b->out_n;

    b->out_n += n;
    return p;
}

static bool put_head(struct bulk *b, const struct mqtt_head *h)
{
    size_t n = h->end - h->at;

    if (out_room(b) < n)
        return false;
    memcpy(out_more(b, n), h->buf + h->at, n);
    return true;
}

void bulk_connect(struct bulk *b, uint32_t now_ms)
{
    const struct mqtt_connect_out connect = { .client_id = b->config.client_id,
                                              .clean_start = true,
                                              .keep_alive_s = b->config.keep_alive_s,
                                              .receive_max = b->config.receive_max,
                                              .max_packet = (uint32_t)b->config.in_size };
    uint8_t buf[HEAD_MAX];
    struct mqtt_head h = { .buf = buf, .size = sizeof buf };

    b->now_ms = b->heard_ms = b->spoke_ms = now_ms;
    b->in_at = b->in_n = b->out_at = b->out_n = 0;
    b->in_flight = 0;
    b->last_id = 0;
    b->asked = false;
    b->reason = 0;
    b->keep_alive_ms = b->config.keep_alive_s * 1000u;
    memset(b->used, 0, sizeof b->used);
    go(b, BULK_CONNECTING);
    if (mqtt_put_connect(&h, &connect) != 0 || !put_head(b, &h))
        die(b, MQTT_PACKET_TOO_LARGE);
}

static void take_connack(struct bulk *b, const uint8_t *body, size_t n)
{
    struct mqtt_connack ack = { .reason = 0 };
    uint8_t err = mqtt_get_connack(&ack, body, n), buf[HEAD_MAX];
    struct mqtt_head h = { .buf = buf, .size = sizeof buf };

    if (err || b->state != BULK_CONNECTING) {
        die(b, err ? err : MQTT_PROTOCOL_ERROR);
        return;
    }
    if (ack.reason || ack.max_qos < 1) {
        die(b, ack.reason ? ack.reason : MQTT_NO_SUCH_QOS);
        return;
    }
    b->receive_max = ack.receive_max;
    b->max_packet = ack.max_packet;
    if (ack.keep_alive_s)
        b->keep_alive_ms = ack.keep_alive_s * 1000u;
    go(b, BULK_SUBSCRIBING);
    if (mqtt_put_subscribe(&h, 1, b->config.filters, b->config.filter_n) != 0 || !put_head(b, &h))
        die(b, MQTT_PACKET_TOO_LARGE);
}

static void take_suback(struct bulk *b, const uint8_t *body, size_t n)
{
    struct mqtt_ack ack = { .id = 0 };
    uint8_t err = mqtt_get_suback(&ack, body, n);

    if (err || b->state != BULK_SUBSCRIBING || ack.id != 1 || ack.n != b->config.filter_n) {
        die(b, err ? err : MQTT_PROTOCOL_ERROR);
        return;
    }
    for (size_t i = 0; i < ack.n; i++) {
        if (ack.codes[i] != 1) { /* 0 is QoS 0 only, 0x80 and above a refusal (3.9.3) */
            die(b, BULK_REFUSED_FILTER);
            return;
        }
    }
    go(b, BULK_UP);
}

static void take_publish(struct bulk *b, uint8_t first, const uint8_t *body, size_t n)
{
    struct mqtt_publish_in in = { .id = 0 };
    uint8_t err = mqtt_get_publish(&in, first, body, n);

    if (err || (b->state != BULK_UP && b->state != BULK_SUBSCRIBING)) {
        die(b, err ? err : MQTT_PROTOCOL_ERROR);
        return;
    }
    b->config.message(b->config.ctx, in.topic, in.topic_n, in.payload, in.payload_n);
    if (in.qos == 0)
        return;
    uint8_t *p = out_more(b, 4); /* there is room: see whole_packet() */

    p[0] = MQTT_PUBACK << 4;
    p[1] = 2; /* success is left out (3.4.2.1) */
    p[2] = (uint8_t)(in.id >> 8);
    p[3] = (uint8_t)in.id;
}

static void take_puback(struct bulk *b, const uint8_t *body, size_t n)
{
    struct mqtt_ack ack = { .id = 0 };
    uint8_t err = mqtt_get_puback(&ack, body, n);
    uint32_t bit = (uint32_t)1 << (ack.id % 32);

    if (err) {
        die(b, err);
        return;
    }
    if (!(b->used[ack.id / 32] & bit))
        return; /* not ours; harmless */
    b->used[ack.id / 32] &= ~bit;
    b->in_flight--;
}

static void take_packet(struct bulk *b, uint8_t first, const uint8_t *body, size_t n)
{
    uint8_t reason = 0;

    b->heard_ms = b->now_ms;
    b->asked = false; /* any packet shows that the broker is alive */
    switch (first >> 4) {
    case MQTT_PUBLISH:
        take_publish(b, first, body, n);
        break;
    case MQTT_PUBACK:
        take_puback(b, body, n);
        break;
    case MQTT_CONNACK:
        take_connack(b, body, n);
        break;
    case MQTT_SUBACK:
        take_suback(b, body, n);
        break;
    case MQTT_PINGRESP:
        break;
    case MQTT_DISCONNECT:
        mqtt_get_disconnect(&reason, body, n);
        die(b, reason ? reason : (unsigned)BULK_ENDED);
        break;
    default:
        die(b, MQTT_PROTOCOL_ERROR);
    }
}

/* The fixed header at p[n] (2.1). Returns its length and *body's, 0 when more bytes are needed, -1 when it is none. */
static int fixed_header(const uint8_t *p, size_t n, size_t *body)
{
    *body = 0;
    for (unsigned i = 0; i < LENGTH_BYTES_MAX; i++) {
        if (n < i + 2)
            return 0;
        *body |= (size_t)(p[1 + i] & 0x7F) << (7 * i);
        if (!(p[1 + i] & 0x80))
            return (int)i + 2;
    }
    return -1;
}

/* Take one packet if it is whole and its answer has room. */
static bool whole_packet(struct bulk *b)
{
    const uint8_t *p = b->config.in + b->in_at;
    size_t left = b->in_n - b->in_at, body = 0;
    int head = fixed_header(p, left, &body);

    if (head < 0)
        die(b, MQTT_MALFORMED);
    else if (head > 0 && (size_t)head + body > b->config.in_size)
        die(b, MQTT_PACKET_TOO_LARGE);
    if (b->state == BULK_DEAD || head == 0 || left < (size_t)head + body || out_room(b) < HEAD_MAX)
        return false;
    b->in_at += (size_t)head + body;
    take_packet(b, p[0], p + head, body);
    return b->state != BULK_DEAD;
}

uint8_t *bulk_room(struct bulk *b, size_t *n)
{
    if (b->in_at == b->in_n)
        b->in_at = b->in_n = 0;
    if (b->in_at > 0 && b->in_n == b->config.in_size) {
        memmove(b->config.in, b->config.in + b->in_at, b->in_n - b->in_at);
        b->in_n -= b->in_at;
        b->in_at = 0;
    }
    *n = out_room(b) < HEAD_MAX ? 0 : b->config.in_size - b->in_n;
    return b->config.in + b->in_n;
}

void bulk_got(struct bulk *b, size_t n, uint32_t now_ms)
{
    b->now_ms = now_ms;
    b->in_n += n;
    while (whole_packet(b))
        ;
}

const uint8_t *bulk_output(const struct bulk *b, size_t *n)
{
    *n = b->out_n - b->out_at;
    return b->config.out + b->out_at;
}

void bulk_sent(struct bulk *b, size_t n)
{
    if (n == 0)
        return;
    b->out_at += n;
    b->spoke_ms = b->now_ms;
    if (b->out_at == b->out_n)
        b->out_at = b->out_n = 0;
}

/* The next identifier that is not in flight; there is one, because fewer than IDS are. */
static uint16_t next_id(struct bulk *b)
{
    do
        b->last_id = b->last_id == UINT16_MAX ? 1 : (uint16_t)(b->last_id + 1);
    while (b->used[b->last_id / 32] >> (b->last_id % 32) & 1u);
    b->used[b->last_id / 32] |= (uint32_t)1 << (b->last_id % 32);
    b->in_flight++;
    return b->last_id;
}

int bulk_publish(struct bulk *b, const char *topic, const uint8_t *payload, size_t n)
{
    uint8_t buf[HEAD_MAX];
    struct mqtt_head h = { .buf = buf, .size = sizeof buf };
    size_t topic_n = strlen(topic), whole = mqtt_publish_size(topic_n, 1, n);

    if (b->state != BULK_UP)
        return BMS_ERR_STATE;
    if (topic_n > TOPIC_LONGEST || whole > b->max_packet || whole > b->config.out_size - HEAD_MAX)
        return BMS_ERR_RANGE;
    if (b->in_flight >= b->receive_max || b->in_flight >= IDS || out_room(b) < whole + HEAD_MAX)
        return BMS_ERR_NOSPACE;
    if (mqtt_put_publish(&h, topic, next_id(b), FLAG_QOS1, n) != 0 || !put_head(b, &h))
        return BMS_ERR_RANGE; /* cannot be: a topic of this length fits */
    if (n)
        memcpy(out_more(b, n), payload, n);
    return 0;
}

void bulk_stop(struct bulk *b)
{
    uint8_t buf[HEAD_MAX];
    struct mqtt_head h = { .buf = buf, .size = sizeof buf };

    if (b->state == BULK_DEAD || b->state == BULK_DOWN)
        return;
    if (mqtt_put_disconnect(&h, MQTT_SUCCESS) == 0)
        put_head(b, &h);
    die(b, BULK_ENDED);
}

static void ping(struct bulk *b)
{
    uint8_t buf[HEAD_MAX];
    struct mqtt_head h = { .buf = buf, .size = sizeof buf };

    if (b->out_at < b->out_n || mqtt_put_pingreq(&h) != 0 || !put_head(b, &h))
        return; /* what waits will be heard as well */
    b->asked = true;
    b->heard_ms = b->now_ms;
}

enum bulk_state bulk_step(struct bulk *b, uint32_t now_ms)
{
    b->now_ms = now_ms;
    if (b->state == BULK_DEAD || b->state == BULK_DOWN)
        return b->state;
    if (b->out_at < b->out_n && now_ms - b->spoke_ms > b->config.answer_ms)
        die(b, BULK_STUCK);
    else if (b->state != BULK_UP && now_ms - b->entered_ms > b->config.answer_ms)
        die(b, BULK_NO_ANSWER);
    else if (b->state == BULK_UP && b->asked && now_ms - b->heard_ms > b->config.answer_ms)
        die(b, BULK_NO_ANSWER);
    else if (b->state == BULK_UP && !b->asked && (now_ms - b->spoke_ms >= b->keep_alive_ms / 2 || now_ms - b->heard_ms >= b->keep_alive_ms))
        ping(b);
    return b->state;
}
