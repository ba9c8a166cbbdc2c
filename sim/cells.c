/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cells.h"

enum { WARM_STEPS = 1000 / CELL_STEP_MS };

/* What makes two cells of one pack different, as deviations: capacity, resistance, start, temperature. */
static const double size_spread = 0.010;
static const double stiffness_spread = 0.040;
static const double soc_spread = 0.004;
static const double temp_spread_C = 0.3;
static const double bypass_A = 0.050; /* AC-4: 50 mA typical, at a full cell */
static const double neighbour_W_per_K = 2.0;
static const double ambient_W_per_K = 0.5;
static const double heater_end = 0.8; /* of the mean goes into a cell at the end, so much more into one in the middle */

void cells_init(struct cells *cells, enum chemistry chemistry, double capacity_mAh, int count, double soc, struct noise *noise)
{
    *cells = (struct cells) { .count = count, .ambient_C = 22 };
    cell_type_init(&cells->type, chemistry, capacity_mAh);
    cells->bypass_ohm = cells->type.max_V / bypass_A;
    for (int i = 0; i < count; i++) {
        struct cell *c = &cells->cell[i];

        c->size = 1 + size_spread * noise_normal(noise);
        c->stiffness = 1 + stiffness_spread * noise_normal(noise);
        c->soc = soc + soc_spread * noise_normal(noise);
        c->temp_C = cells->ambient_C + 3 + temp_spread_C * noise_normal(noise);
        cell_warm(c, &cells->type, 0, 0);
        cell_step(c, &cells->type, 0);
    }
}

void cells_soak(struct cells *cells, double ambient_C)
{
    double by_C = ambient_C - cells->ambient_C;

    cells->ambient_C = ambient_C;
    for (int i = 0; i < cells->count; i++) {
        cells->cell[i].temp_C += by_C;
        cell_warm(&cells->cell[i], &cells->type, 0, 0);
    }
}

static double heat_from(const struct cells *cells, int i, int neighbour)
{
    if (neighbour < 0 || neighbour >= cells->count)
        return 0;
    return neighbour_W_per_K * (cells->cell[neighbour].temp_C - cells->cell[i].temp_C);
}

/* A straight line from the ends to the middle; all shares together are about 1. */
static double heater_share(const struct cells *cells, int i)
{
    double middle = (cells->count - 1) / 2.0, off = middle > 0 ? (i < middle ? middle - i : i - middle) / middle : 0.5;

    return (heater_end + (1 - off) * 2 * (1 - heater_end)) / cells->count;
}

/* The cells at the ends touch the housing and stay cooler. */
static void warm(struct cells *cells)
{
    double flow_W[PACK_CELLS_MAX];

    for (int i = 0; i < cells->count; i++) {
        double out = (i == 0 || i == cells->count - 1 ? 2 : 1) * ambient_W_per_K;

        flow_W[i] = heat_from(cells, i, i - 1) + heat_from(cells, i, i + 1) + out * (cells->ambient_C - cells->cell[i].temp_C) +
                    cells->heater_W * heater_share(cells, i);
    }
    for (int i = 0; i < cells->count; i++)
        cell_warm(&cells->cell[i], &cells->type, flow_W[i], 1);
}

void cells_step(struct cells *cells, double current_A, const uint16_t bypass[PACK_CELLS_MAX / 16])
{
    for (int i = 0; i < cells->count; i++) {
        struct cell *c = &cells->cell[i];
        double extra_A = bypass[i / 16] >> (i % 16) & 1 ? c->terminal_V / cells->bypass_ohm : 0;

        cell_step(c, &cells->type, current_A + extra_A);
    }
    if (++cells->steps % WARM_STEPS == 0)
        warm(cells);
}

double cells_voltage_V(const struct cells *cells)
{
    double sum = 0;

    for (int i = 0; i < cells->count; i++)
        sum += cells->cell[i].terminal_V;
    return sum;
}

double cells_highest_V(const struct cells *cells)
{
    double best = 0;

    for (int i = 0; i < cells->count; i++)
        best = cells->cell[i].terminal_V > best ? cells->cell[i].terminal_V : best;
    return best;
}

double cells_lowest_V(const struct cells *cells)
{
    double best = 1e9;

    for (int i = 0; i < cells->count; i++)
        best = cells->cell[i].terminal_V < best ? cells->cell[i].terminal_V : best;
    return best;
}

double cells_soc(const struct cells *cells)
{
    double sum = 0;

    for (int i = 0; i < cells->count; i++)
        sum += cells->cell[i].soc;
    return sum / cells->count;
}

double cells_coldest_C(const struct cells *cells)
{
    double least = cells->cell[0].temp_C;

    for (int i = 1; i < cells->count; i++)
        least = cells->cell[i].temp_C < least ? cells->cell[i].temp_C : least;
    return least;
}
