/* SPDX-License-Identifier: Apache-2.0 */
/* link.h -- keep one MQTT session up over a byte stream that comes and goes.
 *
 * Pure: what happened to the stream is an input, what to do with it is the result. Called every 100 ms or less and after each stream event.
 *
 *   WAIT --back-off over--> STREAM --stream open--> SESSION --CONNACK, SUBACK--> UP --link_stop--> CLOSING --> STOPPED
 *    ^                        |                        |                          |
 *    +------------------------+------------------------+--------------------------+   stream failed, session dead, or no stream in time
 *
 * Back-off: doubles from min_ms to max_ms with each failure, each time shortened by a random part of up to one half (so that a fleet does not
 * come back at one instant), and starts over once a session has been up for steady_ms: a broker that accepts and drops does not get a fast
 * knocking.
 */
#ifndef DTU_CORE_LINK_H
#define DTU_CORE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "dtu/core/mqtt.h"

enum link_state { LINK_WAIT, LINK_STREAM, LINK_SESSION, LINK_UP, LINK_CLOSING, LINK_STOPPED };

enum link_order { LINK_NOTHING, LINK_OPEN, LINK_CLOSE }; /* what the caller must do with the stream now */

struct link_config {    /* LINK_DEFAULTS is the product's choice */
    uint32_t min_ms;    /* 1 .. max_ms */
    uint32_t max_ms;    /* .. 3,600,000 */
    uint32_t stream_ms; /* longest time for a stream to open: name, TCP, TLS */
    uint32_t steady_ms;
};
#define LINK_DEFAULTS                                                                                                                      \
    {                                                                                                                                      \
        .min_ms = 500, .max_ms = 60000, .stream_ms = 30000, .steady_ms = 10000                                                             \
    }

struct link_in {
    uint32_t now_ms; /* monotonic, may wrap */
    bool open;       /* the stream is open */
    bool failed;     /* the stream has failed or was ended by the peer */
};

struct link {                         /* allocated by the caller, fields private */
    const struct link_config *config; /* borrowed */
    struct mqtt *mqtt;                /* borrowed */
    enum link_state state;
    uint32_t entered_ms;
    uint32_t wait_ms; /* this back-off */
    uint32_t back_ms; /* the next back-off before jitter */
    uint32_t random;
    uint32_t failures; /* since the last steady session */
};

/* Start in WAIT with the back-off over, so that the first step opens. seed: any number that differs between devices. Returns 0 or
 * BMS_ERR_RANGE. */
int link_init(struct link *l, const struct link_config *config, struct mqtt *mqtt, uint32_t seed);

/* Advance; steps the MQTT client too. The caller carries out the order before the next call. */
enum link_order link_step(struct link *l, const struct link_in *in);

/* Say goodbye (mqtt_stop) and end in STOPPED. */
void link_stop(struct link *l, bool with_will);

/* Milliseconds until the next attempt, 0 when not in WAIT. */
uint32_t link_retry_in_ms(const struct link *l, uint32_t now_ms);

/* "wait", "stream", "session", "up", "closing", "stopped". */
const char *link_state_text(enum link_state state);

#endif
