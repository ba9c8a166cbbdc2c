/* SPDX-License-Identifier: Apache-2.0 */
/* sop.h -- the current that the pack can give and take for 2, 10 and 30 s (ES-3), by predicting the voltage of the cell that would reach its limit first.
 *
 * Voltage limits are those at which the alarms ask for less power (cell_*_voltage_derate_limit), current limits those of limits.h, which adds
 * the ramps over temperature and SOC. One of the seven is worked out a step, every 100 ms: at most 10 predictions of a cell and one look at all cells.
 * The resistance of each cell comes from cell_ohms.h, its SOC from soc.h.
 */
#ifndef FIRMWARE_SOP_H
#define FIRMWARE_SOP_H

#include "firmware/core/estimation/cell_ohms.h"
#include "firmware/core/estimation/soc.h"

enum { SOP_2_S, SOP_10_S, SOP_30_S, SOP_TIMES };

struct sop {
    int32_t discharge_mA[SOP_TIMES], charge_mA[SOP_TIMES]; /* sample scalars, both positive */
    int32_t
        charger_mA; /* as charge_mA[SOP_10_S], but an SOC near full is no limit: a charge ends by voltage, and an SOC that is a little high must not starve it */
    uint32_t since_ms;
    int next;
    struct cell_ohms ohms;
    float ocv_V;       /* as the charge that went through has moved it: what the filter learns of the SOC is no voltage */
    float h;           /* of the model when it last went on, */
    uint32_t model_ms; /* and since then */
};

extern const float sop_seconds[SOP_TIMES];

void sop_init(struct sop *s);
/* After soc_step() with the same input. */
void sop_step(struct sop *s, const struct soc *soc, const struct soc_in *in);

/* All seven at once. */
void sop_all(struct sop *s, const struct soc *soc, const int32_t *params);

#endif
