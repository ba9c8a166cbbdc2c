/* SPDX-License-Identifier: Apache-2.0 */
/* bench_sop.c -- the power that the board promises, against what the simulated cells can really do.
 *
 * For each chemistry, temperature and SOC: a pack of 8 cells that differ is driven for some minutes while the board's estimation follows it by voltages,
 * current and temperature alone. Then for 2, 10 and 30 s and both directions: the board's current against the largest that no cell of a copy of
 * the pack leaves its limits with (halving an interval on the simulator itself).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "firmware/core/estimation/sop.h"
#include "proto/validity.h"
#include "sim/cells.h"
#include "sim/load.h"

enum { CELLS = 8, DRIVE_S = 300, TEMPS = 6, SOCS = 9 };

static const double temps_degC[TEMPS] = { -20, -10, 0, 10, 25, 40 };

struct score {
    int cases, within, free; /* free: not held by the limit of the current */
    double over, under;      /* worst, in % of the truth */
};

static struct soc soc;
static struct sop sop;
static struct cells cells;
static int32_t params[PARAMS];

static void look(double current_A, struct noise *noise)
{
    uint16_t mV[CELLS];

    for (int i = 0; i < CELLS; i++)
        mV[i] = (uint16_t)lround(fmax(cells.cell[i].terminal_V * 1000 + 0.25 * noise_normal(noise), 0));
    struct soc_in in = { .dt_ms = CELL_STEP_MS,
                         .current_mA = (int32_t)lround(current_A * 1000),
                         .cell_mV = mV,
                         .cells = CELLS,
                         .complete = true,
                         .temp_ddegC = (int32_t)lround(cells.cell[CELLS / 2].temp_C * 10),
                         .params = params };

    soc_step(&soc, &in);
    sop_step(&sop, &soc, &in);
}

static void drive_to(enum chemistry chemistry, double temp_degC, double want, uint64_t seed)
{
    static const uint16_t no_bypass[PACK_CELLS_MAX / 16];
    struct noise noise = { .state = seed };
    struct drive drive = { .segment = 1 };
    double capacity_mAh;

    for (int i = 0; i < PARAMS; i++)
        params[i] = param_rows[i].dflt[chemistry];
    capacity_mAh = params[PARAM_capacity_mAh];
    cells_init(&cells, chemistry, capacity_mAh, CELLS, want + 0.02, &noise);
    cells.ambient_C = temp_degC;
    for (int i = 0; i < CELLS; i++)
        cells.cell[i].temp_C += temp_degC - 25;
    drive.rated_A = capacity_mAh / 1000 * (temp_degC < 0 ? 0.2 : 0.5);
    soc_init(&soc, params);
    sop_init(&sop);
    for (int t = 0; t < DRIVE_S * 1000; t += CELL_STEP_MS) {
        double current_A = t < 2000 ? 0 : drive_step(&drive, &noise, INFINITY, -INFINITY);

        cells_step(&cells, current_A, no_bypass);
        look(current_A, &noise);
    }
}

static bool holds(double current_A, double seconds)
{
    static const uint16_t no_bypass[PACK_CELLS_MAX / 16];
    struct cells c = cells;
    double low_V = params[PARAM_cell_under_voltage_derate_limit] / 1000.0;
    double high_V = params[PARAM_cell_over_voltage_derate_limit] / 1000.0;

    for (int t = 0; t < (int)(seconds * 1000); t += CELL_STEP_MS) {
        cells_step(&c, current_A, no_bypass);
        for (int i = 0; i < CELLS; i++) {
            const struct cell *x = &c.cell[i];

            if (current_A > 0 ? x->terminal_V < low_V || x->soc < 0 : x->terminal_V > high_V || x->soc > 1)
                return false;
        }
    }
    return true;
}

static double truth_A(double seconds, bool charge, double most_A)
{
    double low_A = 0, high_A = most_A, sign = charge ? -1 : 1;

    if (holds(sign * most_A, seconds))
        return most_A;
    for (int k = 0; k < 13; k++) {
        double mid_A = 0.5 * (low_A + high_A);

        if (holds(sign * mid_A, seconds))
            low_A = mid_A;
        else
            high_A = mid_A;
    }
    return low_A;
}

static void judge(struct score *s, double said_A, double true_A, double most_A)
{
    double least_A = most_A / 1000; /* a tenth of a percent of the range: both say nothing */
    double off = 100 * (said_A - true_A) / fmax(true_A, least_A);

    s->cases++;
    s->free += true_A < most_A;
    s->over = fmax(s->over, off);
    s->under = fmax(s->under, -off);
    s->within += fabs(off) <= 5;
}

static void add(struct score *to, const struct score *s)
{
    to->cases += s->cases;
    to->within += s->within;
    to->free += s->free;
    to->over = fmax(to->over, s->over);
    to->under = fmax(to->under, s->under);
}

static void print(const struct score *s)
{
    printf("\"cases\":%d,\"limited_by_cells\":%d,\"within_5_pct\":%.2f,\"worst_over_pct\":%.2f,\"worst_under_pct\":%.2f", s->cases, s->free,
           100.0 * s->within / s->cases, s->over, s->under);
}

static void one_pack(enum chemistry chemistry, double temp_degC, double want, bool tell, struct score *s)
{
    drive_to(chemistry, temp_degC, want, (uint64_t)(1 + want * 1000 + temp_degC + 100 * chemistry));
    sop_all(&sop, &soc, params);
    sop_all(&sop, &soc, params); /* now it knows where to look for the worst cell */
    for (int k = 0; k < 2 * SOP_TIMES; k++) {
        bool charge = k >= SOP_TIMES;
        double seconds = (double)sop_seconds[k % SOP_TIMES];
        double most_A = params[charge ? PARAM_charge_max_dA : PARAM_discharge_max_dA] / 10.0;
        double said_A = (charge ? sop.charge_mA : sop.discharge_mA)[k % SOP_TIMES] / 1000.0;
        double true_A = truth_A(seconds, charge, most_A);

        judge(s, said_A, true_A, most_A);
        if (tell)
            printf("%s %5.0f degC  SOC %4.1f (said %4.1f) %% %-9s %2.0f s: said %7.1f A, true %7.1f A\n",
                   chemistry_word((int32_t)chemistry), temp_degC, 100 * cells_soc(&cells), soc_permyriad(&soc) / 100.0,
                   charge ? "charge" : "discharge", seconds, said_A, true_A);
    }
}

int main(int argc, char **argv)
{
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    struct score all = { 0 };

    if (argc > 1 && !json) {
        fprintf(stderr, "usage: bench_sop [--json]\n");
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    if (json)
        printf("{\"chemistries\":{");
    for (int c = 0; c < CHEMISTRIES; c++) {
        struct score mine = { 0 };

        for (int t = 0; t < TEMPS; t++)
            for (int k = 1; k <= SOCS; k++)
                one_pack((enum chemistry)c, temps_degC[t], k / 10.0, !json, &mine);
        add(&all, &mine);
        if (!json)
            continue;
        printf("%s\n\"%s\":{", c > 0 ? "," : "", chemistry_word(c));
        print(&mine);
        printf("}");
    }
    printf(json ? "},\n" : "");
    print(&all);
    printf(json ? "}\n" : "\n");
    return 0;
}
