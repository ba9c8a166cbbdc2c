/* SPDX-License-Identifier: Apache-2.0 */
/* board_params.h -- both copies of the board's parameters as the DTU last read them, and what follows from them.
 *
 * Filled by answers of UDS service 22, in blocks of BOARD_PARAMS_BLOCK identifiers: first the running, then the stored copy.
 * Blocks are small because one lost frame costs a whole answer.
 */
#ifndef DTU_CORE_BOARD_PARAMS_H
#define DTU_CORE_BOARD_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/units.h"
#include "proto/tables.h"

enum { BOARD_PARAMS_BLOCK = 64 }; /* <= UDS_DIDS_MAX; few requests, as each waits for steps of the board */

struct board_params {
    int32_t running[PARAMS], stored[PARAMS];
    unsigned block; /* identifiers of one request, at most UDS_DIDS_MAX; 0 = BOARD_PARAMS_BLOCK */
    unsigned at;    /* values read so far, 0 to 2 * PARAMS */
    bool complete;  /* a whole reading has ended */
};

struct board_module {
    char name[8]; /* "BIU", "BMU 10" */
    uint16_t cells, temps;
};

/* Begin a reading. The old values stay until they are overwritten; `complete` stays as it was. */
void board_params_begin(struct board_params *p);

/* The next request into out[1 + 2 * identifiers of one request]: its length, 0 when the reading is complete. */
size_t board_params_request(const struct board_params *p, uint8_t *out);

/* Its answer. Returns 0, or BMS_ERR_CORRUPT when it is not the answer to that request. */
int board_params_answer(struct board_params *p, const uint8_t *answer, size_t n);

bool board_params_is_done(const struct board_params *p);

/* The modules in pack order; returns how many, 1 to 1 + BMU_COUNT_MAX. */
size_t board_params_modules(const struct board_params *p, struct board_module out[1 + BMU_COUNT_MAX]);

#endif
