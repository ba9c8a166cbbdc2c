/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h -- one simulated pack: world, board, bus and doors, kept in step with the clock. Moved by sim/drive.c or sim/replay.c.
 *
 * A step is 10 ms of the board. The board may run faster than real time; while a tester talks to it by ISO-TP it runs in real time, since
 * the tester's timers do.
 */
#ifndef SIM_PACK_H
#define SIM_PACK_H

#include "sim/board.h"
#include "sim/dc_charger.h"
#include "sim/doors.h"
#include "sim/faults.h"
#include "sim/model.h"
#include "sim/nvm_file.h"
#include "sim/options.h"
#include "sim/record_file.h"
#include "sim/replay_log.h"
#include "sim/serial_door.h"
#include "sim/slot_file.h"
#include "sim/truth_file.h"
#include "sim/wiring.h"

struct pack {
    const struct pack_options *options; /* borrowed */
    enum chemistry chemistry;
    struct wiring wiring;
    uint64_t seed;
    struct can_bus bus[DOORS_CANS];
    int node; /* of the sensor and of the bench, on CAN0 */
    struct doors doors;
    struct nvm_file nvm;
    struct slot_file slot;
    struct serial_door rs485;
    uint64_t rs485_received; /* bytes that have been noticed */
    struct truth_file truth;
    struct record_file record;
    struct world world;
    struct faults faults;
    struct board board;
    struct model model;    /* when there is no log */
    struct dc_charger dc;  /* --charger gbt */
    struct replay_log log; /* when there is one */
    int64_t due_ns;        /* when the next step is due */
    int64_t tester_ns;     /* until when a tester may be talking */
    uint64_t samples;
    uint32_t last_no; /* of the last sample */
    uint8_t alarms;   /* active in the last sample */
    uint64_t late_ms; /* board time that was skipped because the machine was too slow */
};

/* Everything is opened and powered on, in this order: the log, the board's memory, truth, doors. p->log is open already when options->replay is
 * set. Returns 0, or BMS_ERR_* after an error line; call pack_close() in both cases. */
int pack_open(struct pack *p, const struct pack_options *options, uint64_t utc_ms);

/* One step at this time of the board's clock. 1 and *s when a sample was taken, 0 when not, BMS_ERR_STATE after a signal, BMS_ERR_* after an
 * error line. */
int pack_step(struct pack *p, uint64_t utc_ms, const struct sample **s);

/* No steps for so many ms of the board's time; the doors stay open. */
void pack_sleep(struct pack *p, uint32_t ms);

/* Carry out what was sampled, for a bounded time. */
void pack_flush(struct pack *p, uint64_t utc_ms);

bool pack_is_done(const struct pack *p); /* as many samples as wanted */
void pack_close(struct pack *p);

/* Set by the signal handler; every wait ends. */
void pack_stop(void);
bool pack_is_stopped(void);

/* Drive, rest and charge until stopped. Returns 0 or BMS_ERR_*. */
int pack_run_model(struct pack *p, uint64_t utc_ms);

/* Play the whole log. Returns 0 or BMS_ERR_*. */
int pack_run_replay(struct pack *p, uint64_t base_utc_ms);

#endif
