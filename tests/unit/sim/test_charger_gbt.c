/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/core/charge/gbt_bms.h"
#include "sim/charger_gbt.h"
#include "tests/unit/suite.h"

enum { CELLS = 96, CAPACITY_mAh = 60000, CELL_uOHM = 700, FULL_mV = 4150, STOP_mA = 6000, STEP_MS = 10 };

static const struct gbt_pack_facts facts = { .type = GBT_BATTERY_TERNARY,
                                             .capacity_mAh = CAPACITY_mAh,
                                             .rated_mV = 350000,
                                             .energy_Wh = 21000,
                                             .cell_max_mV = 4200,
                                             .max_mV = 4200 * CELLS,
                                             .max_mA = -120000,
                                             .max_degC = 55,
                                             .maker = "TEST",
                                             .vin = "TESTVIN0000000001",
                                             .made_year = 2026,
                                             .made_month = 1,
                                             .made_day = 1 };
static const struct charger_gbt_config usual = { .max_mV = 750000,
                                                 .min_mV = 200000,
                                                 .max_mA = -250000,
                                                 .min_mA = 0,
                                                 .number = 77,
                                                 .insulation_ms = 3000,
                                                 .getting_ready_ms = 500,
                                                 .short_ccs = true };

static struct gbt_bms b;
static struct gbt_in in;
static struct gbt_out out;
static struct charger_gbt c;
static struct charger_gbt_in ci;
static struct can_frame to_charger[GBT_TX_MAX], to_bms[CHARGER_TX_MAX];
static size_t to_bms_n, to_charger_n;
static double soc; /* 0 to 1 */
static unsigned phases;
static bool line_is_cut;

static void start(const struct charger_gbt_config *cfg, double from)
{
    gbt_bms_init(&b, &facts);
    charger_gbt_init(&c, cfg);
    in = (struct gbt_in) { .room = GBT_TX_MAX,
                           .plugged = true,
                           .rx = to_bms,
                           .cell_max_no = 1,
                           .temp_max_no = 1,
                           .temp_min_no = 1,
                           .temp_max_degC = 25,
                           .temp_min_degC = 24 };
    ci = (struct charger_gbt_in) { .start = true, .rx = to_charger };
    to_bms_n = to_charger_n = 0;
    soc = from;
    phases = 0;
    line_is_cut = false;
}

/* The pack: a straight OCV and one resistance; its own wish: constant current, and less when a cell is full. */
static void measure(void)
{
    int32_t mA = out.close ? c.output_mA : 0;
    double cell_mV = 3400 + 750 * soc - mA * 1e-3 * CELL_uOHM * 1e-3;

    soc -= mA * (STEP_MS / 3600e3) / CAPACITY_mAh;
    in.pack_mA = mA;
    in.cell_min_mV = in.cell_max_mV = (int32_t)cell_mV;
    in.pack_mV = ci.pack_mV = (int32_t)(cell_mV * CELLS);
    in.soc_permille = (int32_t)(soc * 1000);
    in.ready = out.close;
    in.demand_mV = FULL_mV * CELLS;
    in.demand_mA = facts.max_mA;
    if (in.cell_max_mV >= FULL_mV - 1 && mA < 0 && mA > -STOP_mA)
        in.stop |= 1u << GBT_BST_SOC;
}

static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += STEP_MS) {
        in.now_ms = ci.now_ms = in.now_ms + STEP_MS;
        measure();
        in.rx_count = line_is_cut ? 0 : to_bms_n;
        gbt_bms_step(&b, &in, &out);
        memcpy(to_charger, out.tx, sizeof(out.tx[0]) * out.tx_count);
        ci.rx_count = line_is_cut ? 0 : out.tx_count;
        to_bms_n = charger_gbt_step(&c, &ci, to_bms);
        phases |= 1u << b.phase;
    }
}

static bool run_until(enum gbt_phase phase, uint32_t limit_ms)
{
    for (uint32_t t = 0; t < limit_ms && b.phase != phase; t += STEP_MS)
        run(STEP_MS);
    return b.phase == phase;
}

static void test_whole_charge(void)
{
    start(&usual, 0.2);
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
    CU_ASSERT_EQUAL(c.brm_len, 41);
    CU_ASSERT_EQUAL(memcmp(c.vin, "TESTVIN0000000001", 17), 0);
    run(60000);
    CU_ASSERT_EQUAL(in.pack_mA, -120000);
    CU_ASSERT_EQUAL(b.charger.output_mA, -120000);
    CU_ASSERT(run_until(GBT_DONE, 3600000));
    uint32_t took_ms = in.now_ms;

    CU_ASSERT(soc > 0.97 && soc <= 1.0);
    CU_ASSERT(in.cell_max_mV <= FULL_mV);
    CU_ASSERT_EQUAL(c.phase, CHARGER_DONE);
    CU_ASSERT_EQUAL(c.bst, 1u << GBT_BST_SOC);
    CU_ASSERT_EQUAL(c.cem, GBT_CEM_NONE);
    CU_ASSERT_EQUAL(c.malformed, 0);
    CU_ASSERT_EQUAL(b.counts.bad_length + b.counts.unknown + b.counts.timeouts, 0);
    CU_ASSERT_FALSE(out.close);
    CU_ASSERT_EQUAL(c.energy_uWh / 1000000 / 100, b.charger.energy_Wh / 100);
    printf("\n    20 %% to %.1f %% in %u s, %d Wh ", soc * 100, (unsigned)(took_ms / 1000), (int)b.charger.energy_Wh);
    soc = 0.5; /* driven away and back without unplugging: the charger starts again */
    in.stop = 0;
    ci.start = false;
    run(1000);
    ci.start = true;
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
    CU_ASSERT_EQUAL(b.reconnects, 0);
    ci.stop = true; /* and is stopped at the charger */
    CU_ASSERT(run_until(GBT_DONE, 20000));
    CU_ASSERT_EQUAL(b.charger.reasons & 0xFFu, 1u << GBT_CST_MANUAL);
    CU_ASSERT_EQUAL(b.reasons, 1u << GBT_BST_CHARGER);
}

static void test_mute_charger(void)
{
    for (int phase = CHARGER_RECOGNISED; phase <= CHARGER_SUMMARY; phase++) {
        struct charger_gbt_config cfg = usual;

        cfg.mute[phase] = true;
        cfg.mute[CHARGER_DONE] = phase == CHARGER_SUMMARY;
        start(&cfg, 0.5);
        if (phase >= CHARGER_STOPPING) {
            CU_ASSERT(run_until(GBT_CHARGING, 20000));
            ci.stop = true;
        }
        run(GBT_CRM_MS + 20000);
        CU_ASSERT(phases & 1u << GBT_ERROR);
        CU_ASSERT_FALSE(out.close);
        CU_ASSERT_EQUAL(in.pack_mA, 0);
    }
}

static void test_never_ready(void)
{
    struct charger_gbt_config cfg = usual;

    cfg.never_ready = true;
    start(&cfg, 0.5);
    run(GBT_READY_MS);
    CU_ASSERT_EQUAL(b.phase, GBT_READY);
    run(10000);
    CU_ASSERT_EQUAL(b.bem, GBT_BEM_NONE | 1u << GBT_BEM_CRO);
}

static void test_lying_charger(void)
{
    struct charger_gbt_config cfg = usual;

    cfg.too_much_mA = 10500;
    start(&cfg, 0.5);
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
    run(10000);
    CU_ASSERT_EQUAL(b.reasons, 1u << GBT_BST_CURRENT);
    CU_ASSERT_EQUAL(c.bst, 1u << GBT_BST_CURRENT);
    CU_ASSERT(run_until(GBT_DONE, 20000));
}

static void test_cut_line(void)
{
    start(&usual, 0.5);
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
    run(5000);
    line_is_cut = true;
    run(1200);
    CU_ASSERT_EQUAL(b.phase, GBT_ERROR);
    CU_ASSERT_EQUAL(b.bem, GBT_BEM_NONE | 1u << GBT_BEM_CCS);
    CU_ASSERT_EQUAL(c.phase, CHARGER_ERROR);
    CU_ASSERT_EQUAL(c.cem, GBT_CEM_NONE | 1u << GBT_CEM_BCL);
    CU_ASSERT_EQUAL(c.output_mA, 0);
    line_is_cut = false; /* both begin again from the identification */
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
    CU_ASSERT_EQUAL(b.reconnects, 1);
    CU_ASSERT_EQUAL(c.retries, 1);
}

static void test_charger_pause_and_power_cut(void)
{
    start(&usual, 0.5);
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
    run(5000);
    ci.paused = true;
    run(5000);
    CU_ASSERT_EQUAL(b.phase, GBT_CHARGING);
    CU_ASSERT_FALSE(b.charger.permitted);
    CU_ASSERT_EQUAL(in.pack_mA, 0);
    ci.paused = false;
    run(5000);
    CU_ASSERT_EQUAL(in.pack_mA, -120000);
    ci.start = false; /* the charger's power is cut and comes back */
    run(20);
    ci.start = true;
    run(100);
    CU_ASSERT_EQUAL(b.phase, GBT_HANDSHAKE);
    CU_ASSERT_FALSE(out.close);
    CU_ASSERT(run_until(GBT_CHARGING, 20000));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a pack is charged from 20 % until it is full, and once more without unplugging [AC-3]", test_whole_charge },
        { "a charger that falls silent in any phase ends in an error with the contactor open", test_mute_charger },
        { "a charger that never gets ready is given up", test_never_ready },
        { "a charger that drives too much is stopped", test_lying_charger },
        { "a cut line stops both sides, and both come back", test_cut_line },
        { "a charger's pause holds the charge, its restart begins it again", test_charger_pause_and_power_cut },
        CU_TEST_INFO_NULL,
    };

    return suite_run("charger_gbt", tests);
}
