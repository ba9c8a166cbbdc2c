/* SPDX-License-Identifier: Apache-2.0 */
/* board.h -- the board on the cable, for the local program's pages: its newest sample, ten minutes of samples, its parameters, and what it is told to do.
 *
 *   cable thread: wire ──> samples ──> fleet table of one vehicle, events, window      orders <── HTTP thread
 *
 * Everything is in memory and bounded; nothing is written to this computer. Parameters are read when the link comes up, when the board starts
 * anew, and when its hashes say that they are others. Every function may be called from any thread; none waits for the board.
 *
 * A sample's time is that of this computer when it came: over a cable that is within milliseconds, and a board whose clock is wrong must not
 * look old.
 */
#ifndef LOCAL_APP_BOARD_H
#define LOCAL_APP_BOARD_H

#include "local/core/upgrade.h"
#include "local/port/wire.h"
#include "proto/tables.h"
#include "server/api/api_view.h"
#include "server/api/events.h"
#include "server/downlink/downlink.h"
#include "server/history/history.h"

enum {
    BOARD_WINDOW = 1200,
    BOARD_WINDOW_MS = 600000,
    BOARD_OPS = 16,
    BOARD_SIMULATED_MAX = 16,
    BOARD_DETAIL = 160,
    BOARD_NAME = 64,
    BOARD_UNIT = 24
};

struct board;

/* `device`: what the vehicle is called here, "<tenant>.<vehicle>". The listener is called on the cable's thread. NULL without memory; a bad cable is
 * BMS_ERR_RANGE with why[n] set. */
int board_start(struct board **board, const struct wire_config *wire, const char *device, event_fn *listener, void *ctx, char *why,
                size_t n);
void board_stop(struct board *board);

const char *board_device(const struct board *board);
void board_vehicle(struct board *board, struct fleet_vehicle *out);
void board_running(struct board *board, struct view_running *out);

/* Fill h with what the window holds. */
void board_history(struct board *board, struct history *h);

struct board_values {
    bool known;
    int32_t running[PARAMS], stored[PARAMS];
    int64_t read_at_ms;
    uint32_t boot;
};
void board_params(struct board *board, struct board_values *out);

/* Start an operation of openapi.yaml (checked by op_check() before). 0 with *op, or BMS_ERR_NOSPACE while too many wait. */
int board_order(struct board *board, const struct op_request *request, struct op *op);
bool board_op(struct board *board, const char *id, struct op *out);

/* Load a program: `image` is taken over (free() later) on 0; BMS_ERR_STATE while one is being loaded. */
int board_upgrade(struct board *board, uint8_t *image, uint32_t size);

enum board_work { BOARD_NEVER, BOARD_WAITING, BOARD_WORKING, BOARD_WELL, BOARD_FAILED };

struct board_progress {
    enum board_work state;
    enum upgrade_phase phase;
    uint32_t sent, size, resumed;
    int64_t began_ms, changed_ms; /* UTC */
    uint32_t boot;                /* the board's start when it began */
    char detail[BOARD_DETAIL];
};
void board_upgrade_progress(struct board *board, struct board_progress *out);

/* Simulated failures (UC-6): begin one, end all (alarm 0), or only ask what is simulated (seconds 0). */
int board_simulate(struct board *board, uint8_t alarm, uint16_t seconds);

struct board_simulation {
    enum board_work state;
    int64_t changed_ms;
    char detail[BOARD_DETAIL];
    size_t count;
    struct {
        uint8_t alarm;
        uint16_t seconds;
    } active[BOARD_SIMULATED_MAX];
};
void board_simulation(struct board *board, struct board_simulation *out);

/* A board with tables that are not ours: its parameters are read by its own names and ranges when somebody asks for it, and never written here. */
struct board_other_row {
    char name[BOARD_NAME], unit[BOARD_UNIT];
    uint16_t id;
    int32_t min, max, running, stored;
};

struct board_other {
    bool known; /* the board on the cable has other tables, with this hash */
    uint32_t hash;
    enum board_work state; /* of the reading */
    uint32_t got, size;    /* bytes of the packed tables */
    char detail[BOARD_DETAIL];
    size_t count;
    struct board_other_row *rows;
};

/* Read them: 0, or BMS_ERR_STATE when there are none to read or they are being read. */
int board_read_other(struct board *board);

/* out->rows is the caller's: free() it. */
void board_other(struct board *board, struct board_other *out);

#endif
