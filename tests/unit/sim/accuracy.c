/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim/accuracy.h"

#include <math.h>
#include <string.h>

#include "common/err.h"
#include "sim/board.h"

enum { CELLS = 160, PROBES = 40, CELL_POINTS = 26, TEMP_POINTS = 34, CURRENT_POINTS = 21, CALIBRATION_A = 400, SETTLED_MS = 6100 };

static const double temps_C[] = { -40, -10, 25, 60, 85 };
static const double packs_V[] = { 12, 24, 48, 100, 200, 400, 600 };
static const double leaks_kohm[] = { 5, 50, 100, 199, 250, 500, 1000, 2500, 5000 };
static const double insulated_V[] = { 60, 350, 600 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct bench {
    const struct error_sheet *sheets;
    struct world world;
    struct board board;
    struct can_bus bus;
    struct noise noise;
    uint8_t memory[NVM_SIZE];
    double temp_C, pack_V, current_A;
    uint64_t utc_ms;
    struct sample last;
    struct error_channel cell[CELLS], probe[PROBES], total[2], csu, hall, shunt, rail[2];
    struct error_channel bridge[2], divider[2];
    double beta[PROBES];
};

static int memory_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    memcpy(buf, ((struct bench *)ctx)->memory + offset, n);
    return BMS_ERR_OK;
}

static int memory_write(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    memcpy(((struct bench *)ctx)->memory + offset, data, n);
    return BMS_ERR_OK;
}

/* --- a board --- */

static void build(struct bench *b, bool corner)
{
    struct noise *n = &b->noise;
    const struct error_sheet *s = b->sheets;

    for (int i = 0; i < CELLS; i++)
        b->cell[i] = error_draw(&s[ERROR_CELL], corner, n);
    for (int i = 0; i < PROBES; i++) {
        b->probe[i] = error_draw(&s[ERROR_PROBE], corner, n);
        b->beta[i] = 4250 * (corner ? noise_u64(n) >> 63 ? 1.005 : 0.995 : noise_even(n, 0.995, 1.005));
    }
    for (int i = 0; i < 2; i++) {
        b->total[i] = error_draw(&s[ERROR_TOTAL], corner, n);
        b->rail[i] = error_draw(&s[ERROR_RAIL], corner, n);
        b->bridge[i] = error_draw(&s[ERROR_RESISTOR], corner, n);
        b->divider[i] = error_draw(&s[ERROR_RESISTOR], corner, n);
    }
    b->csu = error_draw(&s[ERROR_CSU], corner, n);
    b->hall = error_draw(&s[ERROR_HALL], corner, n);
    b->shunt = error_draw(&s[ERROR_SHUNT], corner, n);
}

static double off(struct bench *b, const struct error_channel *c, double truth)
{
    return error_read(c, truth, b->temp_C, &b->noise);
}

static int32_t nearest(double v)
{
    return (int32_t)lround(v);
}

/* What the true inputs become on their way to the port. */
static void distort(struct bench *b)
{
    struct input_reading *in = &b->world.inputs;

    in->pack_voltage_mV = nearest(fmax(0, off(b, &b->total[0], b->pack_V)) * 1000);
    in->link_voltage_mV = nearest(fmax(0, off(b, &b->total[1], b->pack_V)) * 1000);
    in->sense.hall_uV = nearest((2.5 + off(b, &b->hall, b->current_A * 0.004)) * 1e6);
    in->sense.shunt_uV = nearest(off(b, &b->shunt, b->current_A * 1e-4) * 1e6);
    in->sense.sensor_ddegC = nearest(b->temp_C * 10);
    in->sense.rail_pos_mV = nearest(off(b, &b->rail[0], b->pack_V * b->world.senses.pos_share) * 1000);
    in->sense.rail_neg_mV = nearest(off(b, &b->rail[1], b->pack_V * (1 - b->world.senses.pos_share)) * 1000);
}

static void live(struct bench *b, int ms)
{
    for (; ms > 0; ms -= WORLD_STEP_MS) {
        struct can_frame f;

        world_set_pack_V(&b->world, b->pack_V);
        world_step(&b->world);
        distort(b);
        csu_step(&b->world.csu, off(b, &b->csu, b->current_A), &f);
        can_bus_send(&b->bus, CAN_BUS_NODES_MAX, &f);
        b->utc_ms += WORLD_STEP_MS;
        const struct sample *s = board_step(&b->board, b->utc_ms);

        if (s)
            b->last = *s;
    }
}

/* The one value of a probe's divider, 0 to 1: the resistor at its pull-up, off by what NTC, pull-up and input are off by. */
static void set_probe(struct bench *b, int i, double temp_C)
{
    double ohm = 100000 * exp(b->beta[i] * (1 / (temp_C + 273.15) - 1 / 298.15)) * (1 + b->probe[i].gain);
    struct error_channel input = b->probe[i];

    input.gain = 0;
    input.gain_per_K = 0;
    double pull_up = AFE_NTC_PULLUP_OHM * (1 + b->probe[i].gain_per_K * (b->temp_C - 25) + b->probe[i].gain / 10);
    double code = 65536 * off(b, &input, ohm / (ohm + pull_up)) + 0.5;

    b->world.chain.chip[i / AFE_TEMPS].sense.aux_code[i % AFE_TEMPS] = (uint16_t)fmin(fmax(code, 0), PROBE_OPEN - 1);
}

static void power_on(struct bench *b, int cells)
{
    struct wiring t;
    int32_t factory[PARAMS];
    struct nvm_port nvm = { .ctx = b, .size = NVM_SIZE, .read = memory_read, .write = memory_write };
    static struct nvm_port kept;

    kept = nvm;
    memset(b->memory, 0xFF, sizeof(b->memory));
    b->bus = (struct can_bus) { 0 };
    b->utc_ms = 1700000000000;
    wiring_init(&t, cells, 0);
    wiring_params(&t, CHEMISTRY_SCAP, factory); /* so that 0 V is a voltage */
    factory[PARAM_sample_period_ms] = 20;
    world_init(&b->world, &t, b->sheets[ERROR_CELL].noise, noise_u64(&b->noise));
    for (int i = 0; i < PROBES && cells == CELLS; i++)
        set_probe(b, i, 25);
    (void)board_init(&b->board, &b->world, &b->bus, &kept, factory, b->utc_ms, NULL);
    live(b, 500);
}

/* --- the rows --- */

static void note(struct accuracy *r, bool valid, double error)
{
    error = fabs(error);
    r->readings++;
    r->violations += !valid || error > r->budget;
    if (!valid)
        return;
    r->worst = fmax(r->worst, error);
    r->rms += error * error;
}

static void measure_cells(struct bench *b, struct accuracy *row)
{
    for (int point = 0; point < CELL_POINTS; point++) {
        double truth[CELLS];

        for (int i = 0; i < CELLS; i++) {
            struct error_channel quiet = b->cell[i];

            quiet.noise = 0; /* the chip adds that, and the resolution */
            truth[i] = 4985.0 * ((i + point) % CELL_POINTS) / (CELL_POINTS - 1);
            world_set_cell(&b->world, i, fmax(0, off(b, &quiet, truth[i])));
        }
        live(b, 150);
        for (int i = 0; i < CELLS; i++)
            note(row, cell_validity(b->last.cell_mV[i]) == VALIDITY_OK, b->last.cell_mV[i] - truth[i]);
    }
}

static void measure_temps(struct bench *b, struct accuracy *row)
{
    for (int point = 0; point < TEMP_POINTS; point++) {
        double truth[PROBES];

        for (int i = 0; i < PROBES; i++) {
            truth[i] = -40 + 5 * ((i + point) % TEMP_POINTS);
            set_probe(b, i, truth[i]);
        }
        live(b, 100);
        for (int i = 0; i < PROBES; i++)
            note(row, temp_validity(b->last.temp_ddegC[i]) == VALIDITY_OK, b->last.temp_ddegC[i] / 10.0 - truth[i]);
    }
}

static bool is_valid(int32_t scalar)
{
    return scalar_validity(scalar) == VALIDITY_OK;
}

static void measure_totals(struct bench *b, struct accuracy *row)
{
    for (size_t i = 0; i < COUNT(packs_V); i++) {
        b->pack_V = packs_V[i];
        live(b, 50);
        int32_t pack = b->last.scalar[SAMPLE_pack_voltage_mV], link = b->last.scalar[SAMPLE_link_voltage_mV];

        note(row, is_valid(pack), (pack / 1000.0 - b->pack_V) / b->pack_V * 100);
        note(row, is_valid(link), (link / 1000.0 - b->pack_V) / b->pack_V * 100);
    }
}

static double mean_A(struct bench *b, double current_A)
{
    double sum = 0;

    b->current_A = current_A;
    for (int i = 0; i < 32; i++) {
        live(b, 20);
        sum += b->last.scalar[SAMPLE_pack_current_mA] / 1000.0;
    }
    return sum / 32;
}

/* End of the line: two points at 25 degC give offset and gain. */
static void calibrate(struct bench *b, enum current_source source)
{
    int32_t *p = b->board.app.biu.params.running;

    p[PARAM_current_source] = (int32_t)source;
    p[PARAM_current_gain_ppm] = p[PARAM_current_offset_mA] = 0;
    double high_A = mean_A(b, CALIBRATION_A), low_A = mean_A(b, -CALIBRATION_A);
    double gain = 2.0 * CALIBRATION_A / (high_A - low_A);

    p[PARAM_current_gain_ppm] = nearest((gain - 1) * 1e6);
    p[PARAM_current_offset_mA] = nearest(-(high_A + low_A) / 2 * gain * 1000);
}

static void measure_current(struct bench *b, enum current_source source, struct accuracy *row)
{
    b->temp_C = 25;
    calibrate(b, source);
    for (size_t t = 0; t < COUNT(temps_C); t++) {
        b->temp_C = temps_C[t];
        for (int point = 0; point < CURRENT_POINTS; point++) {
            b->current_A = -500 + 50 * point;
            live(b, 40);
            int32_t mA = b->last.scalar[SAMPLE_pack_current_mA];

            note(row, is_valid(mA), mA / 1000.0 - b->current_A);
        }
    }
    b->current_A = 0;
}

/* To 200 kohm the error counts in kohm, above in per cent: the budget is 10 of either. */
static double leak_error(int32_t kohm, double truth)
{
    return truth <= 200 ? kohm - truth : (kohm - truth) / truth * 100;
}

static void measure_leak(struct bench *b, double pos, double neg, struct accuracy *row)
{
    struct senses *s = &b->world.senses;

    s->pos_kohm = pos;
    s->neg_kohm = neg;
    live(b, SETTLED_MS);
    int32_t got_pos = b->last.scalar[SAMPLE_insulation_pos_kohm], got_neg = b->last.scalar[SAMPLE_insulation_neg_kohm];

    note(row, is_valid(got_pos), leak_error(got_pos, pos));
    note(row, is_valid(got_neg), leak_error(got_neg, neg));
}

static void measure_insulation(struct bench *b, struct accuracy *row)
{
    struct senses *s = &b->world.senses;

    for (int i = 0; i < 2; i++) {
        s->bridge_kohm[i] = off(b, &b->bridge[i], SENSES_BRIDGE_kohm);
        s->divider_kohm[i] = off(b, &b->divider[i], SENSES_DIVIDER_kohm);
    }
    for (size_t v = 0; v < COUNT(insulated_V); v++) {
        b->pack_V = insulated_V[v];
        for (size_t i = 0; i < COUNT(leaks_kohm); i++) {
            double r = leaks_kohm[i], other = leaks_kohm[noise_u64(&b->noise) % COUNT(leaks_kohm)];

            measure_leak(b, r, r, row);
            measure_leak(b, noise_u64(&b->noise) >> 63 ? r : other, noise_u64(&b->noise) >> 63 ? r : other, row);
        }
    }
}

static void measure_board(struct bench *b, struct accuracy *rows)
{
    b->pack_V = 400;
    b->current_A = 0;
    for (size_t t = 0; t < COUNT(temps_C); t++) {
        b->temp_C = temps_C[t];
        power_on(b, CELLS);
        measure_cells(b, &rows[ACCURACY_CELL]);
        measure_temps(b, &rows[ACCURACY_TEMP]);
        measure_totals(b, &rows[ACCURACY_TOTAL]);
        b->pack_V = 400;
    }
    power_on(b, 16);
    for (int source = CURRENT_CSU; source <= CURRENT_SHUNT; source++)
        measure_current(b, (enum current_source)source, &rows[ACCURACY_CURRENT]);
    for (size_t t = 0; t < COUNT(temps_C); t += 2) {
        b->temp_C = temps_C[t];
        measure_insulation(b, &rows[ACCURACY_INSULATION]);
    }
}

unsigned long accuracy_measure(const struct error_sheet *sheets, int boards, struct accuracy rows[ACCURACY_ROWS])
{
    static const struct accuracy required[ACCURACY_ROWS] = {
        [ACCURACY_CELL] = { .id = "ME-1", .what = "cell voltage, 0 to 5 V", .unit = "mV", .budget = 5 },
        [ACCURACY_TEMP] = { .id = "ME-2", .what = "cell temperature, -40 to 125 degC", .unit = "degC", .budget = 2 },
        [ACCURACY_TOTAL] = { .id = "ME-4", .what = "total voltage, 12 to 600 V, both channels", .unit = "% of reading", .budget = 0.2 },
        [ACCURACY_CURRENT] = { .id = "ME-5", .what = "current, -500 to 500 A; CSU, Hall sensor, shunt", .unit = "A", .budget = 2.5 },
        [ACCURACY_INSULATION] = { .id = "ME-6",
                                  .what = "insulation of each rail, 5 kohm to 5 Mohm, at 60 to 600 V",
                                  .unit = "kohm up to 200 kohm, % above",
                                  .budget = 10 },
    };
    static struct bench b;
    unsigned long violations = 0;

    memcpy(rows, required, sizeof(required));
    b = (struct bench) { .sheets = sheets, .noise = { 20260101 } };
    for (int i = 0; i < boards; i++) {
        build(&b, i % 2 == 0);
        measure_board(&b, rows);
    }
    for (int i = 0; i < ACCURACY_ROWS; i++) {
        rows[i].rms = sqrt(rows[i].rms / (double)rows[i].readings);
        violations += rows[i].violations;
    }
    return violations;
}
