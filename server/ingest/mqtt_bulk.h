/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_bulk.h -- an MQTT 5 client for tens of thousands of messages a second: whole buffers in, whole buffers out. (OASIS MQTT Version 5.0.)
 *
 * No I/O, no clock, no heap. The caller reads from its stream straight into bulk_room(); bulk_got() hands each PUBLISH to the handler where it lies and
 * puts the PUBACKs behind each other into the output, so that one read of the stream is answered by one write. QoS 0 and 1 in, QoS 1 out. Every
 * session starts clean and ends with the connection: nobody's messages depend on it (ADR-0002).
 *
 *   DOWN --connect--> CONNECTING --CONNACK--> SUBSCRIBING --SUBACK--> UP        refused, no answer in time, protocol error: --> DEAD
 *
 * The output is the caller's buffer and bounded: a PUBLISH that finds no room is refused, and nothing is read any further while there is no room for a
 * PUBACK. Every wait (CONNACK, SUBACK, PINGRESP, a stream that takes nothing) ends after answer_ms.
 */
#ifndef SERVER_MQTT_BULK_H
#define SERVER_MQTT_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BULK_FILTERS_MAX = 4, BULK_BUFFER_MIN = 1024 };

enum bulk_state { BULK_DOWN, BULK_CONNECTING, BULK_SUBSCRIBING, BULK_UP, BULK_DEAD };

struct bulk_config { /* borrowed with what it points to */
    const char *client_id;
    const char *const *filters; /* subscribed with QoS 1 */
    size_t filter_n;            /* 1 to BULK_FILTERS_MAX */
    uint16_t keep_alive_s;      /* 5 to 3600; the broker's wins */
    uint16_t receive_max;       /* messages that may wait for our PUBACK, from 1 */
    uint32_t answer_ms;
    void *ctx;
    /* topic[topic_n] without a zero, payload[n]: borrowed for the call. Its PUBACK is written when it returns. */
    void (*message)(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n);
    uint8_t *in; /* in[in_size]: its size is announced as Maximum Packet Size */
    size_t in_size;
    uint8_t *out; /* out[out_size] */
    size_t out_size;
};

struct bulk { /* allocated by the caller, fields private */
    struct bulk_config config;
    enum bulk_state state;
    size_t in_at, in_n;   /* in[in_at] .. in[in_n - 1] are not read yet */
    size_t out_at, out_n; /* out[out_at] .. out[out_n - 1] are not sent yet */
    uint32_t now_ms, entered_ms, spoke_ms, heard_ms, keep_alive_ms;
    uint32_t max_packet;  /* the broker's */
    uint16_t receive_max; /* the broker's */
    uint16_t last_id;
    unsigned in_flight;        /* PUBLISH packets without PUBACK */
    bool asked;                /* PINGREQ without answer */
    unsigned reason;           /* why DEAD: a reason code (2.4), or enum bulk_reason */
    uint32_t used[65536 / 32]; /* identifiers in flight */
};

enum bulk_reason { BULK_NO_ANSWER = 256, BULK_STUCK, BULK_REFUSED_FILTER, BULK_ENDED };

/* Start in DOWN. Returns 0, or BMS_ERR_RANGE for a configuration outside the limits. */
int bulk_init(struct bulk *b, const struct bulk_config *config);

/* A fresh stream is open: forget the one before, CONNECT. */
void bulk_connect(struct bulk *b, uint32_t now_ms);

/* Where the next bytes of the stream go: *n bytes, 0 when nothing can be taken before output went. */
uint8_t *bulk_room(struct bulk *b, size_t *n);

/* n bytes came there (0 is allowed: go on with what was left lying). Calls the handler. */
void bulk_got(struct bulk *b, size_t n, uint32_t now_ms);

/* What is to be sent, and that the stream took n bytes of it. */
const uint8_t *bulk_output(const struct bulk *b, size_t *n);
void bulk_sent(struct bulk *b, size_t n);

/* QoS 1. Copied. Returns 0; BMS_ERR_STATE when not UP; BMS_ERR_NOSPACE when the broker's Receive Maximum is in flight or the output is full, now;
 * BMS_ERR_RANGE when the message can never go. */
int bulk_publish(struct bulk *b, const char *topic, const uint8_t *payload, size_t n);

/* Messages of ours that the broker has not acknowledged. */
static inline unsigned bulk_in_flight(const struct bulk *b)
{
    return b->in_flight;
}

/* Say goodbye; nothing is published any more. */
void bulk_stop(struct bulk *b);

/* Advance the clock (monotonic, may wrap), at least every second. Returns the state after it. */
enum bulk_state bulk_step(struct bulk *b, uint32_t now_ms);

#endif
