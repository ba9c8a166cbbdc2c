/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h -- one device of the fleet: recorder, journal, uplink and MQTT client of the DTU as they are, over its own TLS connection. CAN0 is left
 * out: samples go to the recorder as the assembler would hand them over.
 *
 * One unit takes about 60 kB (TLS, and its state, the samples of a record) and what its journal holds for longer than the server needs. The caller steps it when its descriptor is ready, when a sample is due, and at
 * least each 100 ms.
 */
#ifndef SIM_FLEET_UNIT_H
#define SIM_FLEET_UNIT_H

#include "dtu/app/net.h"
#include "dtu/core/journal.h"
#include "dtu/core/recorder.h"
#include "dtu/core/state.h"
#include "dtu/core/uplink.h"
#include "dtu/port/posix/stream_tls.h"
#include "sim/fleet/delays.h"
#include "sim/fleet/flash_blank.h"
#include "sim/fleet/life.h"

enum {
    UNIT_SECTORS_MAX = FLASH_BLANK_SECTORS_MAX,
    UNIT_SECTOR = 16384,
    UNIT_BUFFERS = 2,      /* records on the wire */
    UNIT_BUFFERS_BAD = 16, /* of one that takes what it can get */
    UNIT_RX = 2048,
    UNIT_ASKED = 128
};

struct unit_config { /* borrowed, the same for all */
    const char *host, *tenant, *pki;
    uint16_t port;
    struct life_config life;
    unsigned batch;     /* samples of a record */
    unsigned sectors;   /* of UNIT_SECTOR bytes, 3 to UNIT_SECTORS_MAX: the journal */
    uint32_t period_us; /* between two samples */
    bool watched;       /* each sample a record of its own */
};

enum unit_kind { UNIT_GOOD, UNIT_GARBAGE, UNIT_GREEDY }; /* the bad ones do 100 times their share: nonsense, or samples */

struct unit_totals {
    uint64_t samples, records, acked, garbage, sessions;
    struct delays ack; /* from the newest sample of a record to its acknowledgement */
};

struct unit {
    const struct unit_config *config;
    enum unit_kind kind;
    char name[DEVICE_NAME_MAX + 1];
    struct life life;
    struct flash_blank flash;
    struct journal journal;
    struct journal_sector index[UNIT_SECTORS_MAX];
    struct uplink uplink;
    struct state state;
    struct mqtt mqtt;
    struct mqtt_config mqtt_config;
    struct net net;
    struct stream_tls *tls;
    struct unit_totals *totals; /* of its kind; borrowed */
    bool away, state_borrowed;
    uint64_t sample_us, radio_us, synced_us, seen_seq, last_us; /* monotonic */
    uint64_t begin_us;                                          /* no connection before */
    struct {
        uint64_t seq, us;
    } taken[UNIT_ASKED]; /* when the newest sample of a record was taken */
    char topic_record[TOPIC_MAX], topic_state[TOPIC_MAX], topic_down[TOPIC_MAX];
    const char *filters[1];
    uint8_t will[STATE_MAX], state_bytes[STATE_MAX], rx[UNIT_RX];
    struct recorder recorder;
    size_t buffers;
    uint8_t (*buffer)[RECORD_MAX]; /* [buffers], owned */
};

/* number: 0 to 9999. Returns NULL, with a sentence in why[n]. */
struct unit *unit_create(const struct unit_config *config, enum unit_kind kind, unsigned number, uint64_t seed, uint64_t begin_us,
                         struct unit_totals *totals, char *why, size_t n);

void unit_step(struct unit *u, uint64_t now_us, uint64_t utc_ms);

/* When it must be stepped next, at the latest. */
uint64_t unit_due_us(const struct unit *u);

/* No more samples; what is there goes out. True when the server has all. */
bool unit_finish(struct unit *u);

void unit_destroy(struct unit *u);

#endif
