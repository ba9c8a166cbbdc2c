/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/board_params.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/uds.h"

void board_params_begin(struct board_params *p)
{
    p->at = 0;
}

bool board_params_is_done(const struct board_params *p)
{
    return p->at == 2 * PARAMS;
}

static uint16_t did_of(unsigned i)
{
    return (uint16_t)(i < PARAMS ? DID_PARAM_RUNNING + param_rows[i].id : DID_PARAM_STORED + param_rows[i - PARAMS].id);
}

static unsigned block_of(const struct board_params *p)
{
    unsigned left = 2 * PARAMS - p->at;

    unsigned most = p->block ? p->block : BOARD_PARAMS_BLOCK;

    return left < most ? left : most;
}

size_t board_params_request(const struct board_params *p, uint8_t *out)
{
    unsigned n = block_of(p);

    out[0] = UDS_READ_DATA;
    for (unsigned i = 0; i < n; i++)
        put_be16(out + 1 + 2 * i, did_of(p->at + i));
    return n ? 1 + 2 * (size_t)n : 0;
}

int board_params_answer(struct board_params *p, const uint8_t *answer, size_t n)
{
    unsigned k = block_of(p);

    if (k == 0 || n != 1 + 6 * (size_t)k)
        return BMS_ERR_CORRUPT;
    for (unsigned i = 0; i < k; i++)
        if (get_be16(answer + 1 + 6 * i) != did_of(p->at + i))
            return BMS_ERR_CORRUPT;
    for (unsigned i = 0; i < k; i++, p->at++) {
        int32_t v = (int32_t)get_be32(answer + 3 + 6 * i);

        if (p->at < PARAMS)
            p->running[p->at] = v;
        else
            p->stored[p->at - PARAMS] = v;
    }
    p->complete = p->complete || board_params_is_done(p);
    return BMS_ERR_OK;
}

_Static_assert(PARAM_bmu10_devices == PARAM_biu_devices + BMU_COUNT_MAX, "the rows of the modules follow each other");
_Static_assert(PARAM_afe16_cells == PARAM_afe01_cells + AFE_DEVICES_MAX - 1, "the rows of the chips follow each other");
_Static_assert(PARAM_afe16_probes == PARAM_afe01_probes + AFE_DEVICES_MAX - 1, "the rows of the chips follow each other");

static uint8_t cells_on(const struct board_params *p, unsigned chip)
{
    int32_t v = p->running[PARAM_afe01_cells + chip];

    return v > 0 && v <= AFE_CELLS_MAX ? (uint8_t)v : 0;
}

static uint8_t probes_on(const struct board_params *p, unsigned chip)
{
    uint8_t n = 0;

    for (unsigned bit = 0; bit < AFE_TEMPS; bit++)
        n = (uint8_t)(n + ((uint32_t)p->running[PARAM_afe01_probes + chip] >> bit & 1u));
    return n;
}

static void name_module(struct board_module *m, unsigned no)
{
    memcpy(m->name, no == 0 ? "BIU" : "BMU ", no == 0 ? 4 : 5);
    if (no >= 10)
        memcpy(m->name + 4, "10", 3);
    else if (no > 0) {
        m->name[4] = (char)('0' + no);
        m->name[5] = '\0';
    }
}

size_t board_params_modules(const struct board_params *p, struct board_module out[1 + BMU_COUNT_MAX])
{
    unsigned chip = 0;
    size_t n = 0;

    for (unsigned m = 0; m <= BMU_COUNT_MAX; m++) {
        int32_t chips = p->running[PARAM_biu_devices + m];

        if (chips <= 0)
            break; /* modules follow each other without a gap */
        out[n] = (struct board_module) { .cells = 0 };
        name_module(&out[n], m);
        for (; chips > 0 && chip < AFE_DEVICES_MAX; chips--, chip++) {
            out[n].cells = (uint16_t)(out[n].cells + cells_on(p, chip));
            out[n].temps = (uint16_t)(out[n].temps + probes_on(p, chip));
        }
        n++;
    }
    return n;
}
