/* SPDX-License-Identifier: Apache-2.0 */
/* estimator.c -- the estimation of a pack of 160 cells on a Cortex-M4F under QEMU: instructions and memory, one JSON line by semihosting.
 *
 * QEMU runs one instruction in 2^6 ns of its clock (-icount shift=6), and timer 0 of the AN386 counts that clock at 25 MHz: 1.6 ticks an instruction.
 */
#include <stdint.h>
#include <stdio.h>

#include "firmware/core/estimation/soc.h"
#include "firmware/core/estimation/sop.h"

enum { CELLS = 160, STEPS = 2000, SETTLE = 100 };

static struct soc soc;
static struct sop sop;
static int32_t params[PARAMS];
static uint16_t cell_mV[CELLS];
static volatile uint32_t *const timer = (volatile uint32_t *)0x40000000; /* CTRL, VALUE, RELOAD */

static void begin(void)
{
    timer[0] = 0;
    timer[2] = timer[1] = UINT32_MAX;
    timer[0] = 1;
}

static uint32_t instructions(void)
{
    return (uint32_t)((uint64_t)(UINT32_MAX - timer[1]) * 40 / 64);
}

int main(void)
{
    uint32_t worst = 0;
    uint64_t sum = 0;

    for (int i = 0; i < PARAMS; i++)
        params[i] = param_rows[i].dflt[CHEMISTRY_NMC];
    soc_init(&soc, params);
    sop_init(&sop);
    for (int k = 0; k < STEPS; k++) {
        for (int i = 0; i < CELLS; i++)
            cell_mV[i] = (uint16_t)(3670 + i % 20 + k % 7);
        struct soc_in in = { .dt_ms = 10,
                             .current_mA = (k / 100 % 5) * 20000 - 20000,
                             .cell_mV = cell_mV,
                             .cells = CELLS,
                             .complete = true,
                             .temp_ddegC = -100,
                             .params = params };

        begin();
        soc_step(&soc, &in);
        sop_step(&sop, &soc, &in);
        uint32_t took = instructions();

        if (k < SETTLE)
            continue;
        sum += took;
        worst = took > worst ? took : worst;
    }
    printf("{\"cells\":%d,\"instructions_in_100_ms\":%lu,\"worst_step_instructions\":%lu,\"ram_bytes\":%u}\n", CELLS,
           (unsigned long)(sum * 10 / (STEPS - SETTLE)), (unsigned long)worst, (unsigned)(sizeof soc + sizeof sop));
    return 0;
}
