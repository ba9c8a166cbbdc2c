/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_packet.h -- MQTT 5 control packets between bytes and structs; no state. Used by the MQTT clients (dtu/core/mqtt.h, server/ingest/mqtt_bulk.h).
 *
 * Packets out are written without their payload (will, message), which the caller sends behind the head from where it lies. Packets in are
 * bodies as mqtt_frame.h delivers them; the structs point into the body.
 */
#ifndef COMMON_MQTT_PACKET_H
#define COMMON_MQTT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_type { /* 2.1.2, the upper four bits of the first byte */
                 MQTT_CONNECT = 1,
                 MQTT_CONNACK,
                 MQTT_PUBLISH,
                 MQTT_PUBACK,
                 MQTT_PUBREC,
                 MQTT_PUBREL,
                 MQTT_PUBCOMP,
                 MQTT_SUBSCRIBE,
                 MQTT_SUBACK,
                 MQTT_UNSUBSCRIBE,
                 MQTT_UNSUBACK,
                 MQTT_PINGREQ,
                 MQTT_PINGRESP,
                 MQTT_DISCONNECT,
                 MQTT_AUTH,
};

enum mqtt_reason { /* 2.4, the ones used by name */
                   MQTT_SUCCESS = 0x00,
                   MQTT_WITH_WILL = 0x04,
                   MQTT_MALFORMED = 0x81,
                   MQTT_PROTOCOL_ERROR = 0x82,
                   MQTT_IMPLEMENTATION = 0x83,
                   MQTT_RECEIVE_MAX_EXCEEDED = 0x93,
                   MQTT_TOPIC_ALIAS_INVALID = 0x94,
                   MQTT_PACKET_TOO_LARGE = 0x95,
                   MQTT_NO_RETAIN = 0x9A,
                   MQTT_NO_SUCH_QOS = 0x9B,
};

enum { MQTT_FIXED = 5 }; /* longest fixed header */

/* A packet head being sent: bytes buf[at] .. buf[end - 1]. */
struct mqtt_head {
    uint8_t *buf;
    size_t size;
    size_t at;
    size_t end;
};

struct mqtt_connect_out {
    const char *client_id;
    bool clean_start;
    uint16_t keep_alive_s;
    uint32_t session_expiry_s;
    uint16_t receive_max;
    uint32_t max_packet;
    const char *will_topic; /* NULL: no will */
    uint16_t will_n;        /* bytes of the will payload, sent by the caller */
};

/* Write one head. Return 0 or BMS_ERR_NOSPACE. */
int mqtt_put_connect(struct mqtt_head *h, const struct mqtt_connect_out *connect);
int mqtt_put_publish(struct mqtt_head *h, const char *topic, uint16_t id, uint8_t flags, size_t payload_n);
int mqtt_put_puback(struct mqtt_head *h, uint16_t id, uint8_t reason);
int mqtt_put_subscribe(struct mqtt_head *h, uint16_t id, const char *const *filters, size_t filter_n);
int mqtt_put_pingreq(struct mqtt_head *h);
int mqtt_put_disconnect(struct mqtt_head *h, uint8_t reason);

/* Length of a whole PUBLISH, all bytes. */
size_t mqtt_publish_size(size_t topic_n, uint8_t qos, size_t payload_n);

struct mqtt_connack {
    bool session_present;
    uint8_t reason;
    uint16_t receive_max; /* 65,535 when absent */
    uint32_t max_packet;  /* 268,435,460 when absent */
    uint8_t max_qos;      /* 2 when absent */
    bool retain;
    uint16_t keep_alive_s; /* 0 when absent */
};

struct mqtt_publish_in {
    const char *topic;
    size_t topic_n;
    const uint8_t *payload;
    size_t payload_n;
    uint16_t id; /* 0 for QoS 0 */
    uint8_t qos;
};

struct mqtt_ack { /* PUBACK, SUBACK */
    uint16_t id;
    uint8_t reason;       /* PUBACK */
    const uint8_t *codes; /* SUBACK: codes[n] */
    size_t n;
};

/* Read one body[n]; `first` is the first byte of the packet. Return 0 or the reason code for the DISCONNECT. */
uint8_t mqtt_get_connack(struct mqtt_connack *out, const uint8_t *body, size_t n);
uint8_t mqtt_get_publish(struct mqtt_publish_in *out, uint8_t first, const uint8_t *body, size_t n);
uint8_t mqtt_get_puback(struct mqtt_ack *out, const uint8_t *body, size_t n);
uint8_t mqtt_get_suback(struct mqtt_ack *out, const uint8_t *body, size_t n);
uint8_t mqtt_get_disconnect(uint8_t *reason, const uint8_t *body, size_t n);

#endif
