/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/csu.h"

#include <math.h>

#include "proto/can0.h"

bool csu_step(struct csu *csu, double current_A, struct can_frame *f)
{
    const struct can0_signal_row *row = &can0_signals[CAN0_SIG_csu_current_mA];
    double mA = (current_A + csu->offset_A) * 1000;

    if (csu->silent)
        return false;
    mA = fmin(fmax(mA, row->min), row->max); /* the sensor saturates */
    *f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);
    can0_put(f, CAN0_SIG_csu_current_mA, (int32_t)lround(mA));
    can0_put(f, CAN0_SIG_csu_status, 0);
    can0_finish(f, csu->counter++);
    if (csu->bad_crc)
        f->data[0] ^= 0xFF;
    return true;
}
