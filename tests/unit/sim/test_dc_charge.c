/* SPDX-License-Identifier: Apache-2.0 */
/* A whole DC charge: the board with its firmware, cells that fill, and a charging post on CAN2 that is good, slow, silent or lies. */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "sim/board.h"
#include "sim/dc_charger.h"
#include "sim/model.h"
#include "tests/unit/suite.h"

enum { CELLS = 8, HOUR_s = 3600, SMALL_mA = 5000 };

static struct world w;
static struct board b;
static struct can_bus can0, can2;
static struct dc_charger dc;
static struct cells cells;
static struct sample last;
static uint8_t memory[NVM_SIZE];
static uint64_t utc_ms;
static unsigned states, phases; /* bit per enum charge_state, enum gbt_phase that has been seen */
static double worst_open_A;     /* the most that RL3 has parted */
static double worst_early_A;    /* the most that flowed before CRO(AA) */
static bool was_closed;
static double current_A;
static struct noise noise;

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

static const struct charge *charge(void)
{
    return &b.app.biu.charge;
}

static const struct gbt_bms *session(void)
{
    return &b.app.biu.session.bms;
}

static double magnitude(double a)
{
    return a < 0 ? -a : a;
}

static void watch(double before_A)
{
    bool closed = w.contactors.closed & BIU_RELAY_CHARGE;

    states |= 1u << charge()->state;
    phases |= 1u << session()->phase;
    if (was_closed && !closed && magnitude(before_A) > worst_open_A)
        worst_open_A = magnitude(before_A);
    if (session()->phase < GBT_CHARGING && magnitude(current_A) > worst_early_A)
        worst_early_A = magnitude(current_A);
    was_closed = closed;
}

static void step(void)
{
    static const uint16_t bypass[PACK_CELLS_MAX / 16];
    double before_A = current_A;
    struct can_frame f;

    current_A = dc_charger_step(&dc, &w);
    w.current_A = current_A;
    cells_step(&cells, current_A, bypass);
    for (int i = 0; i < CELLS; i++)
        world_set_cell(&w, i, cells.cell[i].terminal_V * 1000);
    world_set_pack_V(&w, cells_voltage_V(&cells));
    world_step(&w);
    if (csu_step(&w.csu, current_A, &f))
        can_bus_send(&can0, CAN_BUS_NODES_MAX, &f);
    utc_ms += WORLD_STEP_MS;
    const struct sample *s = board_step(&b, utc_ms);

    if (s)
        last = *s;
    watch(before_A);
}

static void live(double seconds)
{
    for (int i = 0; i < seconds * 100; i++)
        step();
}

/* Returns the seconds it took, or `most` when it never came. */
static double until(enum charge_state state, double most)
{
    int i = 0;

    for (; i < most * 100 && charge()->state != state; i++)
        step();
    return i / 100.0;
}

static bool has_alarm(enum alarm a)
{
    return b.app.biu.alarms.row[a].active;
}

static void start(double soc, const struct charger_gbt_config *cfg)
{
    struct wiring t;
    int32_t factory[PARAMS];

    memset(memory, 0xFF, sizeof(memory));
    memset(&can0, 0, sizeof(can0));
    memset(&can2, 0, sizeof(can2));
    noise.state = 3;
    states = phases = 0;
    worst_open_A = worst_early_A = current_A = 0;
    was_closed = false;
    utc_ms = 1700000000000u;
    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, CELLS, 0), BMS_ERR_OK);
    wiring_params(&t, CHEMISTRY_NMC, factory);
    world_init(&w, &t, 0, 1);
    for (int k = 0; k < AFE_TEMPS; k++)
        world_set_probe(&w, 0, k, 25);
    cells_init(&cells, CHEMISTRY_NMC, factory[PARAM_capacity_mAh], CELLS, soc, &noise);
    CU_ASSERT_EQUAL_FATAL(board_init(&b, &w, &can0, &nvm, factory, utc_ms, NULL), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(board_wire(&b, BOARD_CAN2, &can2), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(dc_charger_init(&dc, &can2, cfg), BMS_ERR_OK);
    live(3);
    dc.plugged = dc.started = true;
}

static void test_from_20_percent_to_full_and_again(void)
{
    start(0.2, &dc_charger_usual);
    double s = until(CHARGE_CONSTANT_CURRENT, 30);

    CU_ASSERT(s > 1 && s < 10);
    live(30);
    CU_ASSERT(current_A < -100);
    CU_ASSERT(last.scalar[SAMPLE_charger_current_dA] > 1000 && last.scalar[SAMPLE_charger_voltage_dV] > CELLS * 30);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_charge_state], CHARGE_CONSTANT_CURRENT);
    CU_ASSERT_EQUAL(last.scalar[SAMPLE_mode], PACK_MODE_CHARGING);
    s = until(CHARGE_FULL, 2 * HOUR_s);
    CU_ASSERT(s < 2 * HOUR_s);
    printf("\n    20 %% to %.1f %% in %.0f s, RL3 parts %.1f A at most ", cells_soc(&cells) * 100, s + 30, worst_open_A);
    CU_ASSERT(cells_soc(&cells) > 0.95);
    live(20);
    CU_ASSERT_EQUAL(session()->phase, GBT_DONE);
    CU_ASSERT_EQUAL(dc.gbt.phase, CHARGER_DONE);
    CU_ASSERT_EQUAL(dc.gbt.bst & 0xFF, 1u << GBT_BST_CELL_VOLTAGE);
    CU_ASSERT_EQUAL(dc.gbt.brm_len, 49);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
    CU_ASSERT_EQUAL(scalar_validity(last.scalar[SAMPLE_charger_current_dA]), VALIDITY_NEVER);
    CU_ASSERT(b.app.biu.alarms.active == 0 && dc.gbt.malformed == 0 && dc.rx_lost == 0);
    CU_ASSERT(worst_early_A == 0 && worst_open_A * 1000 <= SMALL_mA);
    CU_ASSERT_EQUAL(session()->counts.timeouts + session()->counts.bad_length + session()->counts.unknown, 0);
    dc.started = false; /* once more, with the plug in */
    live(1);
    dc.started = true;
    states = 0;
    live(3);
    CU_ASSERT(until(CHARGE_CONSTANT_VOLTAGE, 60) < 60);
    CU_ASSERT(until(CHARGE_FULL, HOUR_s) < HOUR_s);
    dc.plugged = false;
    live(1);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_IDLE);
    CU_ASSERT_EQUAL(session()->phase, GBT_OFF);
}

static void test_stop_and_start_by_the_user(void)
{
    struct charger_gbt_config short_ccs = dc_charger_usual;

    short_ccs.short_ccs = true; /* 7 bytes, as chargers in the field send it */
    start(0.5, &short_ccs);
    b.app.biu.params.running[PARAM_gbt_brm_long] = 0;
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    CU_ASSERT_EQUAL(dc.gbt.brm_len, 41);
    CU_ASSERT(current_A < -100 && last.scalar[SAMPLE_charger_current_dA] > 1000);
    dc.stop = true;
    live(5);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_ENDED);
    CU_ASSERT_EQUAL(charge()->end, CHARGE_END_CHARGER);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
    CU_ASSERT(worst_open_A * 1000 <= SMALL_mA);
    live(60);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_ENDED); /* nothing starts by itself */
    dc.stop = dc.started = false;
    live(1);
    dc.started = true;
    CU_ASSERT(until(CHARGE_CONSTANT_CURRENT, 30) < 30);
    live(20);
    CU_ASSERT(current_A < -100);
}

/* A post that says nothing in one of its phases: current gone, RL3 open, in bounded time; and when it talks again, so does the charge. */
static void test_silent_posts(void)
{
    static const struct {
        enum charger_gbt_phase phase;
        double limit_s; /* from the plug to the error, at most */
    } rows[] = {
        { CHARGER_RECOGNISE, 15 }, { CHARGER_RECOGNISED, 15 }, { CHARGER_PARAMETERS, 20 }, { CHARGER_READY, 20 }, { CHARGER_CHARGING, 20 }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(0.5, &dc_charger_usual);
        dc.gbt.cfg.mute[rows[i].phase] = true;
        live(rows[i].limit_s);
        CU_ASSERT(phases & 1u << GBT_ERROR);
        if (!(phases & 1u << GBT_ERROR))
            printf("\n    silent in %s: %s ", charger_gbt_phase_text(rows[i].phase), gbt_phase_text(session()->phase));
        CU_ASSERT(worst_early_A == 0);
        CU_ASSERT(b.app.biu.alarms.row[ALARM_charger_session].count > 0);
        dc.gbt.cfg.mute[rows[i].phase] = false; /* it begins again by itself, and is followed */
        CU_ASSERT(until(CHARGE_CONSTANT_CURRENT, 60) < 60);
        live(10);
        CU_ASSERT(current_A < -50);
        CU_ASSERT_FALSE(has_alarm(ALARM_charger_session));
    }
}

static void test_line_cut_for_good(void)
{
    start(0.5, &dc_charger_usual);
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    CU_ASSERT(current_A < -100);
    can2.node[dc.node].deliver = NULL; /* neither hears the other any more */
    for (int p = 0; p < CHARGER_PHASES; p++)
        dc.gbt.cfg.mute[p] = true;
    live(1.2); /* CCS is waited for 1 s */
    CU_ASSERT_EQUAL(session()->phase, GBT_ERROR);
    live(0.6);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
    CU_ASSERT(has_alarm(ALARM_charger_session));
    live(70);
    CU_ASSERT_EQUAL(session()->phase, GBT_FAILED);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_FAULT);
    CU_ASSERT_EQUAL(charge()->end, CHARGE_END_BROKEN);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
}

static void test_never_ready(void)
{
    struct charger_gbt_config lazy = dc_charger_usual;

    lazy.never_ready = true;
    start(0.5, &lazy);
    live(90);
    CU_ASSERT(phases & 1u << GBT_ERROR);
    CU_ASSERT_EQUAL(states & (1u << CHARGE_CONSTANT_CURRENT | 1u << CHARGE_FAULT), 0); /* asked again, not given up yet */
    live(400);
    CU_ASSERT_EQUAL(session()->phase, GBT_FAILED); /* three reconnects */
    CU_ASSERT_EQUAL(charge()->state, CHARGE_FAULT);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
    CU_ASSERT(worst_early_A == 0);
}

static void test_liar(void)
{
    start(0.5, &dc_charger_usual);
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    dc.gbt.cfg.too_much_mA = 40000;
    live(6);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_FAULT);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
    CU_ASSERT(dc.gbt.bst & 1u << GBT_BST_CURRENT);
    dc.started = false;
    live(1);
    dc.gbt.cfg.too_much_mA = 0;
    dc.started = true;
    live(30);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_FAULT); /* a liar is not trusted again before the plug is pulled */
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
}

static void test_pause(void)
{
    start(0.5, &dc_charger_usual);
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    dc.paused = true;
    live(120); /* longer than a charge waits for a current */
    CU_ASSERT_EQUAL(charge()->state, CHARGE_CONSTANT_CURRENT);
    CU_ASSERT(current_A == 0);
    dc.paused = false;
    live(20);
    CU_ASSERT(current_A < -100);
}

static void test_restart_in_the_middle(void)
{
    start(0.5, &dc_charger_usual);
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    dc.started = false; /* the post loses its supply */
    live(0.2);
    dc.started = true;
    live(1);
    CU_ASSERT(charge()->state == CHARGE_HANDSHAKE);
    CU_ASSERT(until(CHARGE_CONSTANT_CURRENT, 30) < 30);
    live(20);
    CU_ASSERT(current_A < -100);
    CU_ASSERT_EQUAL(session()->counts.reconnects, 1);
}

static void test_alarm_ends_it(void)
{
    start(0.5, &dc_charger_usual);
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    for (int k = 0; k < AFE_TEMPS; k++)
        world_set_probe(&w, 0, k, 58);
    live(0.9);
    CU_ASSERT_EQUAL(w.contactors.closed, 0); /* the alarm opens at once */
    live(5);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_ENDED);
    CU_ASSERT_EQUAL(charge()->end, CHARGE_END_ALARM);
    CU_ASSERT(dc.gbt.bst & 1u << GBT_BST_OTHER);
    for (int k = 0; k < AFE_TEMPS; k++)
        world_set_probe(&w, 0, k, 25);
    dc.started = false;
    live(60);
    dc.started = true;
    live(60);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_ENDED); /* until the plug is pulled */
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
}

static void test_pulled_under_load(void)
{
    start(0.5, &dc_charger_usual);
    until(CHARGE_CONSTANT_CURRENT, 30);
    live(20);
    dc.plugged = false;
    live(1.5);
    CU_ASSERT_EQUAL(charge()->state, CHARGE_IDLE);
    CU_ASSERT_EQUAL(charge()->end, CHARGE_END_UNPLUGGED);
    CU_ASSERT_EQUAL(w.contactors.closed, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a pack is charged from 20 % until it is full, and again with the plug in [AC-3] [TA-3]",
          test_from_20_percent_to_full_and_again },
        { "the charger's user stops and starts a charge; CCS of 7 and BRM of 41 bytes [AC-3]", test_stop_and_start_by_the_user },
        { "a post that falls silent in any phase ends in an error without current, and may come back [AC-3]", test_silent_posts },
        { "a line that is cut for good opens RL3 in 2 s and is given up [AC-3]", test_line_cut_for_good },
        { "a post that never gets ready is asked three times more, then given up [AC-3]", test_never_ready },
        { "a post that gives more than was asked is a fault until the plug is pulled [AC-3]", test_liar },
        { "a post's pause is no end of the charge [AC-3]", test_pause },
        { "a post that starts again in the middle is followed [AC-3]", test_restart_in_the_middle },
        { "an alarm opens at once and ends the charge [AC-3] [AC-6]", test_alarm_ends_it },
        { "a plug pulled under load ends the charge [AC-3]", test_pulled_under_load },
        CU_TEST_INFO_NULL,
    };

    return suite_run("dc_charge", tests);
}
