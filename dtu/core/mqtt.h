/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt.h -- MQTT 5 client: bytes in, bytes out, time as data. (OASIS MQTT Version 5.0, section numbers in the source.)
 *
 * No I/O, no clock, no heap, no globals. The caller moves bytes between this and a stream (dtu/app/net.c does), link.h decides when to
 * connect again. QoS 0 and 1 out, QoS 1 in; QoS 2 is refused both ways. No topic aliases, no user name: the broker takes the identity
 * from the client certificate.
 *
 *   IDLE --connect--> CONNECTING --CONNACK--> SUBSCRIBING --SUBACK--> UP --stop--> CLOSING --> DEAD
 *                          |                       |                   |
 *                          +-----------------------+-------------------+--> DEAD   refused, no answer in time, protocol error
 *   DEAD and all others --lost--> IDLE
 *
 * Publishing: the caller's topic and payload bytes stay where they are until `acked(token)`; nothing is copied. At most MQTT_INFLIGHT
 * messages are held, of which the broker's Receive Maximum may be on the wire. They outlive the connection: after `lost` and `connect`
 * they go out again in their old order, with DUP and the old packet identifier when the broker kept the session (4.4), as new messages
 * when it did not. `acked` comes exactly once for each accepted publish.
 *
 * The first connection after mqtt_init() starts clean (a client without a session must not claim one, 3.2.2-4), later ones ask for the session
 * kept by the broker.
 *
 * The link is judged by answers: a packet from the broker, not a TCP acknowledgement, shows that it is alive. Every wait (CONNACK, SUBACK,
 * PUBACK, PINGRESP, room in the stream) ends after answer_ms.
 *
 * Memory: struct mqtt is under 1,400 bytes on 64 bits (under 1,000 on 32 bits) and holds all state; the receive buffer rx[] is the caller's
 * and its size is announced to the broker as Maximum Packet Size (3.1.2.11.4). Longest packet out: MQTT_HEAD bytes before the payload.
 */
#ifndef DTU_CORE_MQTT_H
#define DTU_CORE_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/mqtt_frame.h"
#include "dtu/core/mqtt_inflight.h"

enum {
    MQTT_HEAD = 384,      /* scratch for a packet without its payload: a CONNECT up to its will, a SUBSCRIBE, a PUBLISH's topic */
    MQTT_TOPIC_MAX = 128, /* characters of a topic out, a filter, a client id */
    MQTT_FILTERS_MAX = 4,
    MQTT_PUBACKS = 8, /* our Receive Maximum: acknowledgements that can wait to be sent */
};

struct mqtt_will {          /* QoS 1, retained */
    const char *topic;      /* NULL: no will */
    const uint8_t *payload; /* at most 65,535 bytes */
    uint16_t n;
};

struct mqtt_handler {
    void *ctx;
    /* CONNACK and SUBACK are in. session_present: the broker kept the session. */
    void (*up)(void *ctx, bool session_present);
    /* The message of `token` is done: reason 0 (or 0x10, no subscriber) is taken by the broker, 0x80 and more is refused for good
     * (mqtt_reason_text). For QoS 0: the stream has taken its last byte. */
    void (*acked)(void *ctx, uint32_t token, uint8_t reason);
    /* A message came. topic[topic_n] has no zero at its end; both buffers are valid only during the call. True acknowledges with success,
     * false with 0x83 (the broker will not send it again either way). */
    bool (*message)(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n);
};

struct mqtt_config {             /* borrowed with everything it points to, must outlive the client */
    const char *client_id;       /* 1 to MQTT_TOPIC_MAX characters */
    const char *const *filters;  /* subscribed with QoS 1 at each connect */
    uint8_t filter_n;            /* 0 to MQTT_FILTERS_MAX */
    uint16_t keep_alive_s;       /* 5 to 3600; the broker's Server Keep Alive wins */
    uint32_t answer_ms;          /* 1,000 to 120,000: longest wait for any answer */
    uint32_t session_expiry_s;   /* 0: the session ends with the connection */
    struct mqtt_will will;       /* may be changed by the caller between connections */
    struct mqtt_handler handler; /* all functions set */
    uint8_t *rx;                 /* receive buffer rx[rx_n], 64 to 65,535 bytes */
    size_t rx_n;
};

enum mqtt_state { MQTT_IDLE, MQTT_CONNECTING, MQTT_SUBSCRIBING, MQTT_UP, MQTT_CLOSING, MQTT_DEAD };

/* Why the connection is DEAD: an MQTT reason code (0 to 255, 2.4) from either side, or one of these. */
enum mqtt_local_reason {
    MQTT_LOCAL_NO_CONNACK = 256,
    MQTT_LOCAL_NO_SUBACK,
    MQTT_LOCAL_NO_PUBACK,
    MQTT_LOCAL_NO_PINGRESP,
    MQTT_LOCAL_STUCK,        /* the stream takes no bytes */
    MQTT_LOCAL_NO_QOS1,      /* the broker offers QoS 0 only */
    MQTT_LOCAL_CLOSED,       /* the broker ended the session without a fault */
    MQTT_LOCAL_SUBSCRIPTION, /* a filter was refused */
};

struct mqtt { /* allocated by the caller, fields private */
    const struct mqtt_config *config;
    enum mqtt_state state;
    uint32_t now_ms;
    uint32_t entered_ms; /* when `state` was entered */
    uint32_t spoke_ms;   /* last byte taken by the stream */
    uint32_t heard_ms;   /* last whole packet received */
    uint32_t asked_ms;   /* when PINGREQ became due */
    uint32_t output_ms;  /* since when output waits without progress */
    uint32_t keep_alive_ms;
    uint32_t max_packet;  /* the broker's Maximum Packet Size */
    uint16_t receive_max; /* the broker's Receive Maximum */
    uint16_t reason;
    uint16_t last_id;      /* packet identifier given last */
    uint16_t subscribe_id; /* of the SUBSCRIBE without answer */
    uint8_t due;           /* control packets to be sent, MQTT_DUE_* */
    uint8_t close_code;    /* reason code of the DISCONNECT to be sent */
    bool asked;            /* PINGREQ without answer */
    bool waiting;          /* output_ms is valid */
    bool resumed;          /* session present */
    bool had_session;      /* an earlier connection left a session behind */
    struct mqtt_frame frame;
    struct mqtt_inflight inflight;
    struct {
        uint16_t id;
        uint8_t reason;
    } puback[MQTT_PUBACKS]; /* to be sent, oldest first */
    uint8_t puback_n;
    uint8_t head[MQTT_HEAD]; /* the packet that is going out: head[head_at] .. head[head_end - 1], then body[body_n] */
    size_t head_at, head_end;
    const uint8_t *body;
    size_t body_n;
    bool last; /* the packet that is going out is the DISCONNECT */
};

/* Start in IDLE. Returns 0, or BMS_ERR_RANGE for a configuration outside the limits above. */
int mqtt_init(struct mqtt *c, const struct mqtt_config *config);

/* A fresh stream is open: begin with CONNECT. Forgets all input and output of the stream before, keeps the messages. */
void mqtt_connect(struct mqtt *c, uint32_t now_ms);

/* The stream is gone: to IDLE, messages kept. */
void mqtt_lost(struct mqtt *c);

/* Say goodbye: DISCONNECT with 0x00 (no will) or 0x04 (the broker publishes the will). DEAD once the stream took it or answer_ms is over.
 * Nothing more is published. */
void mqtt_stop(struct mqtt *c, bool with_will);

/* Advance the clock, at least every 100 ms (monotonic, may wrap) and before the calls below. Returns the state after it. */
enum mqtt_state mqtt_step(struct mqtt *c, uint32_t now_ms);

/* Received bytes in any portions. Calls the handler. After a protocol error the rest is ignored and a DISCONNECT goes out. */
void mqtt_feed(struct mqtt *c, const uint8_t *bytes, size_t n);

/* The next bytes for the stream, n = 0 when there are none. They stay valid until the next call of any function here. */
void mqtt_output(struct mqtt *c, const uint8_t **bytes, size_t *n);

/* The stream took the first n bytes of the last mqtt_output(). */
void mqtt_sent(struct mqtt *c, size_t n);

/* Offer a message; works in every state, it goes out when the session is up. topic (zero-terminated) and payload[n] are borrowed until
 * `acked(token)`. qos is 0 or 1. Returns 0, BMS_ERR_NOSPACE when MQTT_INFLIGHT messages are held, BMS_ERR_RANGE for a bad topic or QoS
 * or a message longer than the broker's Maximum Packet Size. */
int mqtt_publish(struct mqtt *c, const char *topic, const uint8_t *payload, size_t n, uint8_t qos, bool retain, uint32_t token);

/* Messages held, sent or not: 0 to MQTT_INFLIGHT. */
size_t mqtt_pending(const struct mqtt *c);

/* Drop all held messages without `acked` (their store is about to be formatted or closed). Not while connected: BMS_ERR_STATE. */
int mqtt_forget(struct mqtt *c);

/* Why the client is DEAD, or why the last connection ended once it is IDLE again, in words; "" while connected, before the first connect and
 * when the stream was lost under it. Static text. */
const char *mqtt_why(const struct mqtt *c);

/* Text of an MQTT reason code (2.4) or enum mqtt_local_reason; never NULL. */
const char *mqtt_reason_text(unsigned reason);

#endif
