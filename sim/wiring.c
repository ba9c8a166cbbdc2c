/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/wiring.h"

#include "common/err.h"

enum { BOARD_CHIPS = 3, CHIP_CELLS_MIN = 6, PROBES_ALL = (1 << AFE_TEMPS) - 1 };

int wiring_init(struct wiring *t, int cells, int probes)
{
    int for_cells = (cells + AFE_CELLS_MAX - 1) / AFE_CELLS_MAX;
    int for_probes = (probes + AFE_TEMPS - 1) / AFE_TEMPS;
    int chips = for_cells > for_probes ? for_cells : for_probes;

    if (cells < PACK_CELLS_MIN || cells > PACK_CELLS_MAX || chips > AFE_DEVICES_MAX || (chips > 1 && cells / chips < CHIP_CELLS_MIN))
        return BMS_ERR_RANGE;
    *t = (struct wiring) { .cells = cells, .chips = chips };
    for (int i = 0; i < chips; i++) {
        t->chip_cells[i] = (uint8_t)(cells / chips + (i < cells % chips));
        t->chip_probes[i] = PROBES_ALL;
    }
    return BMS_ERR_OK;
}

void wiring_fit_probes(struct wiring *t, const bool *fitted, int n)
{
    for (int i = 0; i < t->chips * AFE_TEMPS; i++) {
        if (i >= n || !fitted[i])
            t->chip_probes[i / AFE_TEMPS] &= (uint8_t) ~(1u << i % AFE_TEMPS);
    }
}

static int32_t chips_of_board(const struct wiring *t, int board)
{
    int left = t->chips - board * BOARD_CHIPS;

    return left <= 0 ? 0 : left > BOARD_CHIPS ? BOARD_CHIPS : left;
}

void wiring_params(const struct wiring *t, enum chemistry chemistry, int32_t *values)
{
    for (int i = 0; i < PARAMS; i++)
        values[i] = param_rows[i].dflt[chemistry];
    for (int board = 0; board <= BMU_COUNT_MAX; board++)
        values[PARAM_biu_devices + board] = chips_of_board(t, board);
    for (int i = 0; i < AFE_DEVICES_MAX; i++) {
        values[PARAM_afe01_cells + i] = t->chip_cells[i];
        values[PARAM_afe01_probes + i] = t->chip_probes[i];
    }
}
