/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_packet.c -- see mqtt_packet.h. Properties are in mqtt_props.c. */
#include "common/mqtt_packet.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/mqtt_props.h"

enum { FLAG_CLEAN_START = 0x02, FLAG_WILL = 0x04, FLAG_WILL_QOS1 = 0x08, FLAG_WILL_RETAIN = 0x20 }; /* 3.1.2.3 */
enum { MQTT_LENGTH_MAX = 268435455 };                                                               /* 1.5.5 */

static void write_be16(struct writer *w, uint16_t v)
{
    uint8_t b[2];

    put_be16(b, v);
    write_bytes(w, b, sizeof b);
}

static void write_be32(struct writer *w, uint32_t v)
{
    uint8_t b[4];

    put_be32(b, v);
    write_bytes(w, b, sizeof b);
}

static void write_string(struct writer *w, const char *s)
{
    size_t n = strlen(s);

    write_be16(w, (uint16_t)n);
    write_bytes(w, s, n);
}

/* The variable part is written behind room for the longest fixed header; finish() puts the header right in front of it. */
static struct writer begin(struct mqtt_head *h)
{
    struct writer w = writer_of(h->buf, h->size);

    write_room(&w, MQTT_FIXED);
    return w;
}

static int finish(struct mqtt_head *h, const struct writer *w, uint8_t first, size_t payload_n)
{
    uint8_t fixed[MQTT_FIXED];
    struct writer f = writer_of(fixed, sizeof fixed);
    size_t length = writer_used(w) - MQTT_FIXED;

    if (w->bad || payload_n > MQTT_LENGTH_MAX - length)
        return BMS_ERR_NOSPACE;
    write_u8(&f, first);
    write_varint(&f, length + payload_n);
    h->at = MQTT_FIXED - writer_used(&f);
    h->end = writer_used(w);
    memcpy(h->buf + h->at, fixed, writer_used(&f));
    return BMS_ERR_OK;
}

/* 3.1: CONNECT */
int mqtt_put_connect(struct mqtt_head *h, const struct mqtt_connect_out *connect)
{
    struct writer w = begin(h);
    uint8_t flags = connect->clean_start ? FLAG_CLEAN_START : 0;

    if (connect->will_topic)
        flags |= FLAG_WILL | FLAG_WILL_QOS1 | FLAG_WILL_RETAIN;
    write_string(&w, "MQTT");
    write_u8(&w, 5);
    write_u8(&w, flags);
    write_be16(&w, connect->keep_alive_s);
    write_varint(&w, 5 + 3 + 5); /* three properties */
    write_u8(&w, MQTT_PROP_SESSION_EXPIRY);
    write_be32(&w, connect->session_expiry_s);
    write_u8(&w, MQTT_PROP_RECEIVE_MAX);
    write_be16(&w, connect->receive_max);
    write_u8(&w, MQTT_PROP_MAX_PACKET);
    write_be32(&w, connect->max_packet);
    write_string(&w, connect->client_id);
    if (connect->will_topic) {
        write_varint(&w, 0); /* no will properties: it is published when the broker misses us */
        write_string(&w, connect->will_topic);
        write_be16(&w, connect->will_n);
    }
    return finish(h, &w, MQTT_CONNECT << 4, connect->will_topic ? connect->will_n : 0);
}

/* 3.3: PUBLISH */
int mqtt_put_publish(struct mqtt_head *h, const char *topic, uint16_t id, uint8_t flags, size_t payload_n)
{
    struct writer w = begin(h);

    write_string(&w, topic);
    if (id)
        write_be16(&w, id);
    write_varint(&w, 0);
    return finish(h, &w, (uint8_t)(MQTT_PUBLISH << 4 | flags), payload_n);
}

size_t mqtt_publish_size(size_t topic_n, uint8_t qos, size_t payload_n)
{
    size_t rest = 2 + topic_n + (qos ? 2u : 0u) + 1 + payload_n;

    return rest + (rest < 128 ? 2u : rest < 16384 ? 3u : rest < 2097152 ? 4u : 5u);
}

/* 3.4: PUBACK; the reason may be left out when it is success (3.4.2.1) */
int mqtt_put_puback(struct mqtt_head *h, uint16_t id, uint8_t reason)
{
    struct writer w = begin(h);

    write_be16(&w, id);
    if (reason != MQTT_SUCCESS)
        write_u8(&w, reason);
    return finish(h, &w, MQTT_PUBACK << 4, 0);
}

/* 3.8: SUBSCRIBE */
int mqtt_put_subscribe(struct mqtt_head *h, uint16_t id, const char *const *filters, size_t filter_n)
{
    struct writer w = begin(h);

    write_be16(&w, id);
    write_varint(&w, 0);
    for (size_t i = 0; i < filter_n; i++) {
        write_string(&w, filters[i]);
        write_u8(&w, 0x01); /* QoS 1 (3.8.3.1) */
    }
    return finish(h, &w, MQTT_SUBSCRIBE << 4 | 0x02, 0);
}

int mqtt_put_pingreq(struct mqtt_head *h)
{
    struct writer w = begin(h);

    return finish(h, &w, MQTT_PINGREQ << 4, 0);
}

/* 3.14: DISCONNECT */
int mqtt_put_disconnect(struct mqtt_head *h, uint8_t reason)
{
    struct writer w = begin(h);

    if (reason != MQTT_SUCCESS)
        write_u8(&w, reason);
    return finish(h, &w, MQTT_DISCONNECT << 4, 0);
}

static uint16_t read_be16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);

    return p ? get_be16(p) : 0;
}

/* 3.2: CONNACK */
uint8_t mqtt_get_connack(struct mqtt_connack *out, const uint8_t *body, size_t n)
{
    struct reader r = reader_of(body, n);
    struct mqtt_props props = { .receive_max = 65535, .max_packet = MQTT_LENGTH_MAX + 5, .max_qos = 2, .retain = 1 };
    uint8_t flags = read_u8(&r);
    uint8_t reason = read_u8(&r);
    uint8_t err = mqtt_get_props(&props, &r, MQTT_CONNACK);

    if (err)
        return err;
    if (r.bad || reader_left(&r) || (flags & 0xFE) || (reason && flags)) /* 3.2.2.1 */
        return MQTT_MALFORMED;
    if (!props.receive_max || !props.max_packet || props.max_qos > 2 || props.retain > 1) /* 3.2.2.3 */
        return MQTT_PROTOCOL_ERROR;
    *out = (struct mqtt_connack) { .session_present = flags & 1,
                                   .reason = reason,
                                   .receive_max = props.receive_max,
                                   .max_packet = props.max_packet,
                                   .max_qos = props.max_qos,
                                   .retain = props.retain,
                                   .keep_alive_s = props.keep_alive_s };
    return 0;
}

static bool topic_is_name(const uint8_t *topic, size_t n) /* 4.7: no wildcards, no U+0000, not empty (no alias here) */
{
    return n && !memchr(topic, '#', n) && !memchr(topic, '+', n) && !memchr(topic, '\0', n);
}

/* 3.3: PUBLISH */
uint8_t mqtt_get_publish(struct mqtt_publish_in *out, uint8_t first, const uint8_t *body, size_t n)
{
    struct reader r = reader_of(body, n);
    struct mqtt_props props = { 0 };
    uint8_t qos = first >> 1 & 3;
    uint16_t topic_n = read_be16(&r);
    const uint8_t *topic = read_bytes(&r, topic_n);
    uint16_t id = qos ? read_be16(&r) : 0;

    if (qos > 1)
        return qos == 3 ? MQTT_MALFORMED : MQTT_NO_SUCH_QOS;
    uint8_t err = mqtt_get_props(&props, &r, MQTT_PUBLISH);

    if (err)
        return err;
    if (r.bad || (qos && !id))
        return MQTT_MALFORMED;
    if (props.has_topic_alias) /* we announced Topic Alias Maximum 0 */
        return MQTT_TOPIC_ALIAS_INVALID;
    if (!topic_is_name(topic, topic_n))
        return MQTT_PROTOCOL_ERROR;
    *out = (struct mqtt_publish_in) {
        .topic = (const char *)topic, .topic_n = topic_n, .payload = r.p, .payload_n = reader_left(&r), .id = id, .qos = qos
    };
    return 0;
}

/* 3.4: PUBACK. Two bytes: success. Three: no properties. */
uint8_t mqtt_get_puback(struct mqtt_ack *out, const uint8_t *body, size_t n)
{
    struct reader r = reader_of(body, n);
    struct mqtt_props props = { 0 };

    *out = (struct mqtt_ack) { .id = read_be16(&r) };
    if (n > 2)
        out->reason = read_u8(&r);
    uint8_t err = n > 3 ? mqtt_get_props(&props, &r, MQTT_PUBACK) : 0;

    return err ? err : r.bad || reader_left(&r) || !out->id ? MQTT_MALFORMED : 0;
}

/* 3.9: SUBACK */
uint8_t mqtt_get_suback(struct mqtt_ack *out, const uint8_t *body, size_t n)
{
    struct reader r = reader_of(body, n);
    struct mqtt_props props = { 0 };

    *out = (struct mqtt_ack) { .id = read_be16(&r) };
    uint8_t err = mqtt_get_props(&props, &r, MQTT_SUBACK);

    if (err)
        return err;
    if (r.bad || !out->id)
        return MQTT_MALFORMED;
    out->codes = r.p;
    out->n = reader_left(&r);
    return 0;
}

/* 3.14: DISCONNECT. Empty: normal. One byte: no properties. */
uint8_t mqtt_get_disconnect(uint8_t *reason, const uint8_t *body, size_t n)
{
    struct reader r = reader_of(body, n);
    struct mqtt_props props = { 0 };

    *reason = n ? read_u8(&r) : MQTT_SUCCESS;
    uint8_t err = n > 1 ? mqtt_get_props(&props, &r, MQTT_DISCONNECT) : 0;

    return err ? err : r.bad || reader_left(&r) ? MQTT_MALFORMED : 0;
}
