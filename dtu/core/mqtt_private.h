/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_private.h -- what the sources of mqtt.h share: mqtt.c (interface, time), mqtt_send.c (packets out), mqtt_receive.c (packets in). */
#ifndef DTU_CORE_MQTT_PRIVATE_H
#define DTU_CORE_MQTT_PRIVATE_H

#include "common/mqtt_packet.h"
#include "dtu/core/mqtt.h"

enum { /* mqtt.due, control packets to be sent */
       MQTT_DUE_CONNECT = 1,
       MQTT_DUE_SUBSCRIBE = 2,
       MQTT_DUE_PINGREQ = 4,
};

/* End at once, without a word to the broker. */
void mqtt_die(struct mqtt *c, unsigned reason);

/* End with a DISCONNECT of this reason code. */
void mqtt_fail(struct mqtt *c, uint8_t reason);

/* CONNACK and, if there are filters, SUBACK are in. */
void mqtt_enter(struct mqtt *c, enum mqtt_state state);

/* Fresh packet identifier: never 0, never one in use (2.2.1). */
uint16_t mqtt_fresh_id(struct mqtt *c);

/* The packet in c->frame is whole. */
void mqtt_receive(struct mqtt *c);

/* Finish one message: forget it, then tell the owner. */
void mqtt_done(struct mqtt *c, struct mqtt_msg *msg, uint8_t reason);

static inline bool mqtt_is_connected(const struct mqtt *c)
{
    return c->state == MQTT_CONNECTING || c->state == MQTT_SUBSCRIBING || c->state == MQTT_UP;
}

#endif
