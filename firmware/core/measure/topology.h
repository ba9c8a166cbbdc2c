/* SPDX-License-Identifier: Apache-2.0 */
/* topology.h -- which chip of the chain holds which cells and probes of the pack (PK-1 to PK-3).
 *
 * The chips of the BIU come first, then those of BMU 1, 2, ... Cells are numbered from the pack's negative end, probes in the same order.
 */
#ifndef FIRMWARE_TOPOLOGY_H
#define FIRMWARE_TOPOLOGY_H

#include <stdint.h>

#include "common/units.h"
#include "proto/tables.h"

struct topology_chip {
    uint8_t cells;       /* 4 to AFE_CELLS_MAX */
    uint8_t first_cell;  /* 0-based, in the pack */
    uint8_t probes;      /* bit k: a probe on AUX k */
    uint8_t probe_count; /* 0 to AFE_TEMPS */
    uint8_t first_probe; /* 0-based, in the pack */
    uint8_t board;       /* 0 = BIU, 1 to BMU_COUNT_MAX = BMU */
};

struct topology {
    uint8_t devices; /* chips, 0 when there is no possible pack */
    uint8_t cells;
    uint8_t probes;
    struct topology_chip chip[AFE_DEVICES_MAX];
};

enum topology_error {
    TOPOLOGY_OK,
    TOPOLOGY_BMU_GAP,    /* a BMU after one that is not there */
    TOPOLOGY_CHIPS_MANY, /* more than AFE_DEVICES_MAX */
    TOPOLOGY_CHIP_EMPTY, /* a chip that is there has no cells */
    TOPOLOGY_CHIP_FEW,   /* fewer than 6 on a chip; 4 or 5 only when it is the only one */
    TOPOLOGY_CELLS_MANY, /* more than PACK_CELLS_MAX */
};

/* Lay out the pack that values[PARAMS] describe. On an error *t is empty (no devices). */
enum topology_error topology_read(const int32_t *values, struct topology *t);

const char *topology_text(enum topology_error e);

/* Set the rows of values[PARAMS] for a pack of `cells` cells with 4 probes a chip. Returns 0, or BMS_ERR_RANGE outside 4 to 160. */
int topology_plan(int cells, int32_t *values);

#endif
