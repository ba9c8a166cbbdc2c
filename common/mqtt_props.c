/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_props.c -- see mqtt_props.h. The table is MQTT 5.0 table 2-4, for the packets that a client receives. */
#include "common/mqtt_props.h"

#include "common/mqtt_packet.h"

enum kind { NONE, BYTE, TWO, FOUR, VARINT, STRING, PAIR }; /* BINARY has the layout of STRING */

#define IN(type) (1u << MQTT_##type)
#define ACKS     (IN(CONNACK) | IN(PUBACK) | IN(SUBACK) | IN(DISCONNECT))

/* clang-format off */
static const struct {
    uint8_t kind;
    uint16_t allowed;
} table[] = {
    [0x01] = { BYTE,   IN(PUBLISH) },                  /* payload format */
    [0x02] = { FOUR,   IN(PUBLISH) },                  /* message expiry */
    [0x03] = { STRING, IN(PUBLISH) },                  /* content type */
    [0x08] = { STRING, IN(PUBLISH) },                  /* response topic */
    [0x09] = { STRING, IN(PUBLISH) },                  /* correlation data */
    [0x0B] = { VARINT, IN(PUBLISH) },                  /* subscription identifier */
    [0x11] = { FOUR,   IN(CONNACK) },                  /* session expiry */
    [0x12] = { STRING, IN(CONNACK) },                  /* assigned client identifier */
    [0x13] = { TWO,    IN(CONNACK) },                  /* server keep alive */
    [0x15] = { STRING, IN(CONNACK) },                  /* authentication method */
    [0x16] = { STRING, IN(CONNACK) },                  /* authentication data */
    [0x1A] = { STRING, IN(CONNACK) },                  /* response information */
    [0x1C] = { STRING, IN(CONNACK) | IN(DISCONNECT) }, /* server reference */
    [0x1F] = { STRING, ACKS },                         /* reason string */
    [0x21] = { TWO,    IN(CONNACK) },                  /* receive maximum */
    [0x22] = { TWO,    IN(CONNACK) },                  /* topic alias maximum */
    [0x23] = { TWO,    IN(PUBLISH) },                  /* topic alias */
    [0x24] = { BYTE,   IN(CONNACK) },                  /* maximum QoS */
    [0x25] = { BYTE,   IN(CONNACK) },                  /* retain available */
    [0x26] = { PAIR,   ACKS | IN(PUBLISH) },           /* user property */
    [0x27] = { FOUR,   IN(CONNACK) },                  /* maximum packet size */
    [0x28] = { BYTE,   IN(CONNACK) },                  /* wildcard subscriptions */
    [0x29] = { BYTE,   IN(CONNACK) },                  /* subscription identifiers */
    [0x2A] = { BYTE,   IN(CONNACK) },                  /* shared subscriptions */
};
/* clang-format on */

/* Variable Byte Integer, at most 4 bytes (1.5.5). */
static uint32_t read_length(struct reader *r)
{
    uint32_t v = 0;

    for (unsigned shift = 0; shift <= 21; shift += 7) {
        uint8_t b = read_u8(r);

        v |= (uint32_t)(b & 0x7Fu) << shift;
        if (!(b & 0x80u))
            return r->bad ? 0 : v;
    }
    r->bad = true;
    return 0;
}

static void skip_string(struct reader *r)
{
    const uint8_t *n = read_bytes(r, 2);

    if (n)
        read_bytes(r, get_be16(n));
}

/* The value of a number; strings are stepped over. */
static uint32_t read_value(struct reader *r, uint8_t kind)
{
    static const uint8_t width[] = { [BYTE] = 1, [TWO] = 2, [FOUR] = 4 };

    if (kind == VARINT)
        return read_length(r);
    if (kind == STRING || kind == PAIR) {
        skip_string(r);
        if (kind == PAIR)
            skip_string(r);
        return 0;
    }
    const uint8_t *p = read_bytes(r, width[kind]);

    if (!p)
        return 0;
    return kind == BYTE ? *p : kind == TWO ? get_be16(p) : get_be32(p);
}

static void keep(struct mqtt_props *out, uint8_t id, uint32_t value)
{
    switch (id) {
    case MQTT_PROP_KEEP_ALIVE:
        out->keep_alive_s = (uint16_t)value;
        break;
    case MQTT_PROP_RECEIVE_MAX:
        out->receive_max = (uint16_t)value;
        break;
    case MQTT_PROP_TOPIC_ALIAS:
        out->has_topic_alias = true;
        break;
    case MQTT_PROP_MAX_QOS:
        out->max_qos = (uint8_t)value;
        break;
    case MQTT_PROP_RETAIN:
        out->retain = (uint8_t)value;
        break;
    case MQTT_PROP_MAX_PACKET:
        out->max_packet = value;
        break;
    default:
        break;
    }
}

static bool may_repeat(uint8_t id, unsigned type)
{
    return id == MQTT_PROP_USER || (id == 0x0B && type == MQTT_PUBLISH);
}

uint8_t mqtt_get_props(struct mqtt_props *out, struct reader *r, unsigned type)
{
    uint64_t seen = 0;
    uint32_t n = read_length(r);
    const uint8_t *list = read_bytes(r, n);

    if (!list)
        return MQTT_MALFORMED;
    struct reader p = reader_of(list, n);

    while (reader_left(&p) && !p.bad) {
        uint8_t id = read_u8(&p);

        if (id >= sizeof table / sizeof table[0] || table[id].kind == NONE)
            return MQTT_MALFORMED;
        if (!(table[id].allowed & 1u << type) || ((seen >> id & 1) && !may_repeat(id, type)))
            return MQTT_PROTOCOL_ERROR;
        seen |= (uint64_t)1 << id;
        keep(out, id, read_value(&p, table[id].kind));
    }
    return p.bad ? MQTT_MALFORMED : 0;
}
