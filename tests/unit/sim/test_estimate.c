/* SPDX-License-Identifier: Apache-2.0 */
/* What the board says of the simulated pack beside what the pack is: drive, rest and charge of each chemistry. */
#include <math.h>
#include <string.h>

#include "common/err.h"
#include "sim/board.h"
#include "sim/model.h"
#include "tests/unit/suite.h"

enum { CELLS = 8, SETTLE_S = 60 };

static struct world w;
static struct board b;
static struct can_bus bus;
static struct model m;
static uint8_t memory[NVM_SIZE];
static int32_t factory[PARAMS];
static uint64_t utc_ms;

static int memory_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    (void)ctx;
    memcpy(buf, memory + offset, n);
    return BMS_ERR_OK;
}

static int memory_write(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    (void)ctx;
    memcpy(memory + offset, data, n);
    return BMS_ERR_OK;
}

static const struct nvm_port nvm = { .size = NVM_SIZE, .read = memory_read, .write = memory_write };

static void power_on(void)
{
    bus = (struct can_bus) { 0 };
    CU_ASSERT_EQUAL_FATAL(board_init(&b, &w, &bus, &nvm, factory, utc_ms, NULL), BMS_ERR_OK);
}

static void start(enum chemistry chemistry, enum scenario scenario)
{
    struct wiring t;

    memset(memory, 0xFF, sizeof(memory));
    utc_ms = 1700000000000;
    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, CELLS, 0), BMS_ERR_OK);
    wiring_params(&t, chemistry, factory);
    world_init(&w, &t, 0.25, 5);
    model_init(&m, scenario, chemistry, factory[PARAM_capacity_mAh], CELLS, 11);
    power_on();
}

struct worst { /* points of SOC */
    double mean, low, high;
    double inside; /* share of samples in the band */
    int samples;
    double lowest, highest; /* SOC of the pack, in points */
};

static void compare(struct worst *x, const struct sample *s)
{
    const int32_t *v = s->scalar;
    double low = 1, high = 0, soc = cells_soc(&m.cells);

    for (int i = 0; i < CELLS; i++) {
        low = fmin(low, m.cells.cell[i].soc);
        high = fmax(high, m.cells.cell[i].soc);
    }
    double error = fabs(v[SAMPLE_soc_permyriad] / 100.0 - 100 * fmin(soc, 1));

    x->mean = fmax(x->mean, error);
    x->low = fmax(x->low, fabs(v[SAMPLE_soc_cell_min_permyriad] / 100.0 - 100 * fmax(low, 0)));
    x->high = fmax(x->high, fabs(v[SAMPLE_soc_cell_max_permyriad] / 100.0 - 100 * fmin(high, 1)));
    x->lowest = fmin(x->lowest, 100 * soc);
    x->highest = fmax(x->highest, 100 * soc);
    x->inside += error <= v[SAMPLE_soc_band_permyriad] / 100.0;
    x->samples++;
}

static struct worst live(int seconds, int settle_s)
{
    struct worst x = { .lowest = 100 };

    for (int t = 0; t < seconds * 1000; t += WORLD_STEP_MS) {
        struct can_frame f;

        model_step(&m, &w);
        world_step(&w);
        if (csu_step(&w.csu, w.current_A, &f))
            can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
        utc_ms += WORLD_STEP_MS;
        const struct sample *s = board_step(&b, utc_ms);

        if (s && t >= settle_s * 1000)
            compare(&x, s);
    }
    x.inside /= x.samples;
    return x;
}

static void test_a_drive_and_a_charge_of_each_chemistry(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c, SCENARIO_MIXED);
        struct worst x = live(2000, SETTLE_S);

        printf("(%s: SOC %.0f to %.0f, mean %.2f, weakest %.2f, strongest %.2f points, %.0f %% in the band) ", chemistry_word(c), x.lowest,
               x.highest, x.mean, x.low, x.high, 100 * x.inside);
        CU_ASSERT(x.highest - x.lowest > 4); /* it moved */
        CU_ASSERT(x.mean <= 3.0);
        CU_ASSERT(x.low <= 3.0);
        CU_ASSERT(x.high <= 3.0);
        CU_ASSERT(x.inside >= 0.93);
    }
}

/* The board restarts in the middle of the drive, knowing what it saved; then as one that has never known anything. */
static void test_a_restart_under_load(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c, SCENARIO_DRIVE);
        live(400, SETTLE_S);
        w.inputs.supply_mV = 7000; /* saves */
        live(1, 0);
        w.inputs.supply_mV = 13000;
        power_on();
        struct worst kept = live(300, 1);

        memset(memory, 0xFF, sizeof(memory));
        power_on();
        struct worst blank = live(300, 1);

        printf("(%s: %.2f, from nothing %.2f points, %.0f, %.0f %% in the band) ", chemistry_word(c), kept.mean, blank.mean,
               100 * kept.inside, 100 * blank.inside);
        CU_ASSERT(kept.mean <= 3.0);
        CU_ASSERT(kept.inside >= 0.93);
        CU_ASSERT(blank.inside >= 0.93);
    }
}

static int32_t scalar_now(int which)
{
    const struct sample *s = NULL;

    while (!s) {
        struct can_frame f;

        model_step(&m, &w);
        world_step(&w);
        if (csu_step(&w.csu, w.current_A, &f))
            can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
        utc_ms += WORLD_STEP_MS;
        s = board_step(&b, utc_ms);
    }
    return s->scalar[which];
}

/* From 35 % to the end; after twenty minutes (the current of the last minutes must be that of the charge) the board says how long it will take, taper included. */
static void test_a_charge_ends_when_it_was_promised(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c, SCENARIO_CHARGE);
        live(1200, SETTLE_S);
        int32_t promised_min = scalar_now(SAMPLE_time_to_full_min);
        uint64_t began_ms = utc_ms, full_ms = 0; /* full: its nameplate capacity, or the charger's end */

        while (m.phase == MODEL_CHARGE && utc_ms - began_ms < 4 * 3600 * 1000) {
            scalar_now(SAMPLE_charge_state);
            full_ms = cells_soc(&m.cells) < 1 ? utc_ms : full_ms;
        }
        double took_min = (double)(full_ms - began_ms) / 60e3;
        double error = b.app.biu.soc.mean.x[EST_SOC] * 100 - 100 * fmin(cells_soc(&m.cells), 1);

        printf("(%s: promised %d min, took %.0f; full at %.1f %%, %+.2f points) ", chemistry_word(c), (int)promised_min, took_min,
               100 * cells_soc(&m.cells), error);
        CU_ASSERT(fabs(promised_min - took_min) <= 5 + 0.1 * took_min);
        CU_ASSERT(fabs(error) <= 1.5);
        /* The full mark was set at this end; a supercapacitor's current falls too quickly for it, and its voltage tells anyway. */
        CU_ASSERT(c == CHEMISTRY_SCAP || b.app.biu.soc.anchor.hours < 0.5);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a drive and a charge of each chemistry: within 3 points of the truth [ES-1] [PK-4]",
          test_a_drive_and_a_charge_of_each_chemistry },
        { "a restart under load goes on, and one that knows nothing says so [ES-1] [AC-7]", test_a_restart_under_load },
        { "a charge to its end takes as long as promised and sets the full mark, each chemistry [ES-1] [ES-4] [AC-3]",
          test_a_charge_ends_when_it_was_promised },
        CU_TEST_INFO_NULL,
    };

    return suite_run("estimate", tests);
}
