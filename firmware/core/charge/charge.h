/* SPDX-License-Identifier: Apache-2.0 */
/* charge.h -- one charge from the plug to full (AC-3): slow over CC and CP (GB/T 18487.1), fast over GB/T 27930. Called every 10 ms.
 *
 *   IDLE ──> PLUGGED ──> HANDSHAKE ──> HEATING ──> CLOSING ──> CONSTANT_CURRENT ──> CONSTANT_VOLTAGE ──> FULL
 *                             └────── warm ──────────^                 │                    │
 *   no plug: any state ──> IDLE                                       └────────────────────┴──> ENDED (why) or FAULT (why)
 *
 * Pure: it switches nothing. `close` permits RL3, `heat` asks for RL4, want_mV and want_dA are what the charger shall give now; who switches
 * looks at his own conditions as well. While charging, an RL3 that opens leads back to CLOSING. Whatever limits the pack ends or slows the
 * charge: the charge limit (limits.h) bounds the wanted current,
 * an alarm that opens ends it. FULL, ENDED and FAULT are left by pulling the plug, so that nothing starts again by itself; a fast charger that was
 * full or has ended the charge may begin again. A fast charge whose talk breaks off goes back to HANDSHAKE: how long for is the talk's business.
 * In CONSTANT_VOLTAGE the highest cell is held, not the pack: the wanted current falls while that cell is above charge_cell_mV.
 */
#ifndef FIRMWARE_CHARGE_H
#define FIRMWARE_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/measure/measure.h"

enum charge_state { /* the number is that of the signal charge_state */
                    CHARGE_IDLE = 0,
                    CHARGE_PLUGGED = 1,   /* waits until the pack has been measured and nothing is against it */
                    CHARGE_HANDSHAKE = 2, /* waits for the charger */
                    CHARGE_HEATING = 3,   /* too cold: the charger feeds the heater alone */
                    CHARGE_CLOSING = 4,   /* RL3 closes, the charger gets ready */
                    CHARGE_CONSTANT_CURRENT = 5,
                    CHARGE_CONSTANT_VOLTAGE = 6,
                    CHARGE_FULL = 7,
                    CHARGE_ENDED = 8, /* before it was full */
                    CHARGE_FAULT = 9, /* the charger does what it must not */
                    CHARGE_STATES
};

enum charge_end { /* why the last charge ended; the value of the alarm charge_failed */
                  CHARGE_END_NONE = 0,
                  CHARGE_END_FULL = 1,
                  CHARGE_END_UNPLUGGED = 2,
                  CHARGE_END_CHARGER = 3,  /* the charger ended it */
                  CHARGE_END_ALARM = 4,    /* an alarm that opens, or a value that is missing */
                  CHARGE_END_LIMIT = 5,    /* no current was allowed, or none came, for charge_wait_s */
                  CHARGE_END_COLD = 6,     /* not warm in time, or no heater */
                  CHARGE_END_TOO_LONG = 7, /* longer than charge_max_min */
                  /* from here on: a fault of the charger */
                  CHARGE_END_SILENT = 8, /* not ready within charge_wait_s */
                  CHARGE_END_BROKEN = 9, /* its own word */
                  CHARGE_END_BEYOND = 10 /* more current or voltage than was asked for */
};

enum { CHARGE_BEYOND_MS = 10000, CHARGE_SLACK_dA = 50, CHARGE_SLACK_mV_PER_CELL = 30, CHARGE_FULL_MS = 10000 };

struct charge_slow {  /* CC and CP, decoded */
    bool connected;   /* a plug is in */
    bool ready;       /* the pilot offers current */
    int32_t limit_dA; /* AC, what cable and pilot allow: sample scalar; not valid = no bound known */
};

struct charge_fast {                              /* GB/T 27930: what the BMS's side of it knows */
    bool connected;                               /* CC2 */
    bool handshaken;                              /* parameters fit, the charger wants RL3 closed */
    bool ready;                                   /* the charger delivers what is asked for */
    int32_t max_mV, max_dA, output_mV, output_dA; /* sample scalars: what it can, what it gives */
    bool paused;                                  /* the charger has to wait; no current is no end then */
    bool ended;                                   /* the charger has ended the charge */
    bool again;                                   /* the charger begins a talk anew, after an end too */
    bool fault;                                   /* the talk has failed for good, or the charger gave what was not asked for */
};

struct charge_in {
    uint32_t dt_ms;
    struct charge_slow slow;
    struct charge_fast fast;         /* wins when both are connected: then nothing may be delivered twice */
    bool blocked;                    /* an alarm that opens is active, or a value that protects is missing */
    bool closed;                     /* RL3 is commanded and reads closed */
    int32_t pack_mV, current_mA;     /* sample scalars; current positive on discharge */
    struct measure_extreme cell_max; /* mV */
    struct measure_extreme cold;     /* coldest probe, 0.1 degC; not known = no probes or not all valid */
    bool has_probes;                 /* probes are fitted: then `cold` must be known */
    int32_t limit_dA;                /* charge current that the pack allows now */
    uint8_t cells;                   /* in series */
    const int32_t *params;           /* [PARAMS], the running copy */
};

struct charge {
    enum charge_state state;
    enum charge_end end; /* of this charge, or of the last one until the next plug */
    bool fast;           /* this charge is a fast one */
    bool close;          /* RL3 may be closed */
    bool heat;           /* RL4 is wanted */
    bool deliver;        /* the charger shall give want_dA at up to want_mV */
    int32_t want_mV, want_dA;
    /* private */
    uint32_t in_state_ms, in_all_ms, beyond_ms, low_ms, idle_ms, taper_ms;
    int32_t taper_dA;
};

void charge_init(struct charge *c);

/* Advance by one step. Cannot fail. */
void charge_step(struct charge *c, const struct charge_in *in);

/* A plug is in: charging is asked for. */
bool charge_is_asked(const struct charge_in *in);

/* "idle", "plugged", ...; "unknown" outside. */
const char *charge_state_text(int state);

#endif
