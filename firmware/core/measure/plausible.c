/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/plausible.h"

#include "proto/afe.h"
#include "proto/tables.h"

static int32_t magnitude(int32_t v)
{
    return v < 0 ? -v : v;
}

/* So many AFE codes are mV or more. */
static bool is_far(int32_t codes, int32_t mV)
{
    return (int64_t)codes * AFE_FULL_SCALE_mV >= (int64_t)mV * 65536;
}

/* step[n] is sorted in place; n <= AFE_CELLS_MAX. */
static int32_t median(int32_t *step, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        int32_t v = step[i];
        unsigned k = i;

        for (; k > 0 && step[k - 1] > v; k--)
            step[k] = step[k - 1];
        step[k] = v;
    }
    return step[n / 2];
}

static void start(struct plausible *p, const uint16_t *raw, unsigned cells)
{
    for (unsigned k = 0; k < cells; k++)
        p->raw[k] = raw[k];
    p->seen = true;
}

static void judge(struct plausible *p, unsigned k, uint16_t raw, int32_t step, const int32_t *params)
{
    int32_t stuck_mV = params[PARAM_cell_stuck_mV];
    bool at_end = raw == 0 || raw == UINT16_MAX; /* of the range, where nothing moves */

    if (step != 0 || at_end)
        p->common_then[k] = p->common;
    else if (stuck_mV > 0 && is_far(magnitude(p->common - p->common_then[k]), stuck_mV))
        p->stuck = (uint16_t)(p->stuck | 1u << k);
    if (is_far(magnitude(step) - 1, params[PARAM_cell_jump_mV]) && !(p->jumped >> k & 1)) /* the limit itself is rounded up to a code */
        p->jumped = (uint16_t)(p->jumped | 1u << k);
    else
        p->jumped = (uint16_t)(p->jumped & ~(1u << k));
}

void plausible_step(struct plausible *p, const uint16_t *raw, unsigned cells, const int32_t *params)
{
    int32_t step[AFE_CELLS_MAX], sorted[AFE_CELLS_MAX];

    p->stuck = 0;
    if (!p->seen || cells < PLAUSIBLE_CELLS_MIN) {
        start(p, raw, cells);
        return;
    }
    for (unsigned k = 0; k < cells; k++)
        step[k] = sorted[k] = (int32_t)raw[k] - p->raw[k];
    p->common += median(sorted, cells);
    for (unsigned k = 0; k < cells; k++) {
        judge(p, k, raw[k], step[k], params);
        p->raw[k] = raw[k];
    }
}
