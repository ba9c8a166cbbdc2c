/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_props.h -- the property list of an MQTT 5 packet (2.2.2). Used by mqtt_packet.c alone. */
#ifndef COMMON_MQTT_PROPS_H
#define COMMON_MQTT_PROPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

enum { /* identifiers used by name */
       MQTT_PROP_SESSION_EXPIRY = 0x11,
       MQTT_PROP_KEEP_ALIVE = 0x13,
       MQTT_PROP_RECEIVE_MAX = 0x21,
       MQTT_PROP_TOPIC_ALIAS = 0x23,
       MQTT_PROP_MAX_QOS = 0x24,
       MQTT_PROP_RETAIN = 0x25,
       MQTT_PROP_USER = 0x26,
       MQTT_PROP_MAX_PACKET = 0x27,
};

struct mqtt_props { /* the values that matter here; set the defaults before reading */
    uint32_t max_packet;
    uint16_t receive_max;
    uint16_t keep_alive_s;
    uint8_t max_qos;
    uint8_t retain;
    bool has_topic_alias;
};

/* Read the list at r for a packet of `type` (enum mqtt_type). Returns 0, MQTT_MALFORMED for bytes that are no property list, or
 * MQTT_PROTOCOL_ERROR for a property that is not allowed there or is repeated. */
uint8_t mqtt_get_props(struct mqtt_props *out, struct reader *r, unsigned type);

#endif
