/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/topology.h"

#include "common/err.h"

enum { CHIP_CELLS_MIN = 6, BOARD_CHIPS_MAX = 3, ALL_PROBES = (1 << AFE_TEMPS) - 1 };

/* The rows of a kind lie together in the table; this holds because ids and order are append-only within the block (tested). */
static int32_t row(const int32_t *values, enum param first, unsigned k)
{
    return values[(unsigned)first + k];
}

static enum topology_error count_chips(const int32_t *values, unsigned *chips)
{
    bool ended = false;

    *chips = (unsigned)values[PARAM_biu_devices];
    for (unsigned b = 0; b < BMU_COUNT_MAX; b++) {
        unsigned here = (unsigned)row(values, PARAM_bmu01_devices, b);

        if (here && ended)
            return TOPOLOGY_BMU_GAP;
        ended = ended || !here;
        *chips += here;
    }
    return *chips > AFE_DEVICES_MAX ? TOPOLOGY_CHIPS_MANY : TOPOLOGY_OK;
}

static enum topology_error check_chip(unsigned cells, unsigned chips)
{
    if (cells == 0)
        return TOPOLOGY_CHIP_EMPTY;
    if (cells < PACK_CELLS_MIN || (cells < CHIP_CELLS_MIN && chips > 1))
        return TOPOLOGY_CHIP_FEW;
    return TOPOLOGY_OK;
}

static uint8_t bits_in(unsigned mask)
{
    uint8_t n = 0;

    for (; mask; mask &= mask - 1)
        n++;
    return n;
}

static uint8_t board_of(const int32_t *values, unsigned chip)
{
    unsigned board = 0, end = (unsigned)values[PARAM_biu_devices];

    while (chip >= end && board < BMU_COUNT_MAX)
        end += (unsigned)row(values, PARAM_bmu01_devices, board++);
    return (uint8_t)board;
}

static enum topology_error lay_out(const int32_t *values, unsigned chips, struct topology *t)
{
    unsigned cells = 0, probes = 0;

    for (unsigned k = 0; k < chips; k++) {
        unsigned here = (unsigned)row(values, PARAM_afe01_cells, k);
        uint8_t mask = (uint8_t)row(values, PARAM_afe01_probes, k);
        enum topology_error e = check_chip(here, chips);

        if (e != TOPOLOGY_OK)
            return e;
        if (cells + here > PACK_CELLS_MAX)
            return TOPOLOGY_CELLS_MANY;
        t->chip[k] = (struct topology_chip) { .cells = (uint8_t)here,
                                              .first_cell = (uint8_t)cells,
                                              .probes = mask,
                                              .probe_count = bits_in(mask),
                                              .first_probe = (uint8_t)probes,
                                              .board = board_of(values, k) };
        cells += here;
        probes += t->chip[k].probe_count;
    }
    t->devices = (uint8_t)chips;
    t->cells = (uint8_t)cells;
    t->probes = (uint8_t)probes;
    return TOPOLOGY_OK;
}

enum topology_error topology_read(const int32_t *values, struct topology *t)
{
    unsigned chips;
    enum topology_error e = count_chips(values, &chips);

    *t = (struct topology) { 0 };
    if (e == TOPOLOGY_OK)
        e = lay_out(values, chips, t);
    if (e != TOPOLOGY_OK)
        *t = (struct topology) { 0 };
    return e;
}

const char *topology_text(enum topology_error e)
{
    switch (e) {
    case TOPOLOGY_OK:
        return "ok";
    case TOPOLOGY_BMU_GAP:
        return "a BMU follows one that is not there";
    case TOPOLOGY_CHIPS_MANY:
        return "more than 16 AFE chips on the chain";
    case TOPOLOGY_CHIP_EMPTY:
        return "an AFE chip that is there has no cells";
    case TOPOLOGY_CHIP_FEW:
        return "fewer than 6 cells on an AFE chip (4 or 5 only when it is the only one)";
    case TOPOLOGY_CELLS_MANY:
        return "more than 160 cells";
    }
    return "unknown";
}

int topology_plan(int cells, int32_t *values)
{
    if (cells < PACK_CELLS_MIN || cells > PACK_CELLS_MAX)
        return BMS_ERR_RANGE;
    int chips = (cells + AFE_CELLS_MAX - 1) / AFE_CELLS_MAX;
    int boards_left = chips;

    values[PARAM_biu_devices] = boards_left < BOARD_CHIPS_MAX ? boards_left : BOARD_CHIPS_MAX;
    boards_left -= values[PARAM_biu_devices];
    for (int b = 0; b < BMU_COUNT_MAX; b++) {
        int here = boards_left < BOARD_CHIPS_MAX ? boards_left : BOARD_CHIPS_MAX;

        values[PARAM_bmu01_devices + b] = here;
        boards_left -= here;
    }
    for (int k = 0; k < AFE_DEVICES_MAX; k++) { /* as even as it goes, so that no chip has too few */
        values[PARAM_afe01_cells + k] = k < chips ? cells / chips + (k < cells % chips) : 0;
        values[PARAM_afe01_probes + k] = k < chips ? ALL_PROBES : 0;
    }
    return BMS_ERR_OK;
}
