/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_inflight.h -- the messages a client has been given and the broker has not acknowledged, oldest first.
 *
 * A short array in the order of publishing; bytes belong to the caller of mqtt_publish(). WAITING -> WRITING -> SENT, and back to AGAIN
 * (to be sent again) when the connection was lost. Used by mqtt.c alone.
 */
#ifndef DTU_CORE_MQTT_INFLIGHT_H
#define DTU_CORE_MQTT_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MQTT_INFLIGHT = 16 };

enum mqtt_msg_state { MQTT_MSG_WAITING, MQTT_MSG_WRITING, MQTT_MSG_SENT, MQTT_MSG_AGAIN };

struct mqtt_msg {
    const char *topic;
    const uint8_t *payload;
    size_t n;
    uint32_t token;
    uint16_t id; /* packet identifier, 0 until first sent and for QoS 0 */
    uint8_t qos;
    bool retain;
    bool dup;
    uint8_t state; /* enum mqtt_msg_state */
};

struct mqtt_inflight {
    struct mqtt_msg msg[MQTT_INFLIGHT];
    size_t n;
    uint32_t waiting_ms; /* since when the broker owes a PUBACK; valid while one is SENT */
};

/* Append; BMS_ERR_NOSPACE when full. */
int mqtt_inflight_add(struct mqtt_inflight *w, const struct mqtt_msg *msg);

/* Oldest message that may go out when `receive_max` QoS 1 messages may be on the wire; NULL when none. */
struct mqtt_msg *mqtt_inflight_next(struct mqtt_inflight *w, uint16_t receive_max);

/* The message with this packet identifier, NULL when there is none. */
struct mqtt_msg *mqtt_inflight_find(struct mqtt_inflight *w, uint16_t id);

/* The message being written, NULL when none. */
struct mqtt_msg *mqtt_inflight_writing(struct mqtt_inflight *w);

/* How many are SENT and not acknowledged. */
size_t mqtt_inflight_on_wire(const struct mqtt_inflight *w);

/* Remove one that a function above returned; the order of the others stays. */
void mqtt_inflight_remove(struct mqtt_inflight *w, struct mqtt_msg *msg);

/* A new connection: what was SENT or half written goes out again; with DUP and its identifier when the session was kept. */
void mqtt_inflight_again(struct mqtt_inflight *w, bool session_present);

#endif
