/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_rig.h -- one MQTT client with a broker played by the test: bytes said to it, bytes that it said. */
#ifndef TESTS_UNIT_DTU_MQTT_RIG_H
#define TESTS_UNIT_DTU_MQTT_RIG_H

#include "dtu/core/mqtt.h"

enum { RIG_RX = 256, RIG_OUT = 65536, RIG_EVENTS = 64 };

struct rig {
    struct mqtt c;
    struct mqtt_config config;
    uint8_t rx[RIG_RX];
    uint8_t out[RIG_OUT]; /* what the client said since the last rig_take() */
    size_t out_n;
    uint32_t now_ms;
    int ups;
    bool session;
    struct {
        uint32_t token;
        uint8_t reason;
    } acked[RIG_EVENTS];
    int acked_n;
    int messages;
    uint8_t message[RIG_RX];
    size_t message_n;
    bool accept; /* what the application says to a message */
};

extern const uint8_t rig_payload[8];

/* A client that has not connected yet, keep-alive 40 s, answers within 10 s, one filter. */
void rig_setup(struct rig *r, uint32_t now_ms);

/* Connect, CONNACK with these bytes behind the fixed header, SUBACK; the output is forgotten. */
void rig_up(struct rig *r, const uint8_t *connack, size_t n);
void rig_up_plain(struct rig *r);

/* Pass time, then take all output. Returns the state. */
enum mqtt_state rig_pass(struct rig *r, uint32_t ms);

/* Let the client write until it has nothing to say. */
void rig_take(struct rig *r);

/* Say bytes to the client, then take its output, which replaces the output before. */
void rig_say(struct rig *r, const uint8_t *bytes, size_t n);

#define SAY(r, ...) rig_say((r), (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

/* True when the output is exactly these bytes. */
bool rig_said(const struct rig *r, const uint8_t *bytes, size_t n);

#define SAID(r, ...) rig_said((r), (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

#endif
