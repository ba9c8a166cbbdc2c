/* SPDX-License-Identifier: Apache-2.0 */
/* Two boundaries at each end of every alarm that cells and probes can raise, for every cell and every probe of a full pack and for every chemistry,
 * from the codes of the chips to the alarm with its number: exactly at the limit it comes, one before it does not; exactly at the clear value it
 * goes, one before it does not. All other rows: test_alarm.c. */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "firmware/core/measure/ntc.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

enum { CELLS = PACK_CELLS_MAX, SETTLE_MS = 90, COLD = -500, HOT = 1300, ROOM = 250 };

static struct rig r;
static uint16_t code[HOT - COLD + 1]; /* of each 0.1 degC; 0 = none gives it */
static int32_t mid_mV;
static unsigned judged, coarse;

static void read_codes(void)
{
    memset(code, 0, sizeof(code));
    for (uint32_t raw = 65535; raw > 0; raw--) {
        int16_t ddegC = ntc_ddegC((uint16_t)raw, r.params[PARAM_ntc_r25_ohm], r.params[PARAM_ntc_beta_K]);

        if (temp_validity(ddegC) == VALIDITY_OK && ddegC >= COLD && ddegC <= HOT)
            code[ddegC - COLD] = (uint16_t)raw;
    }
}

static void set_all_cells(int32_t mV)
{
    for (int k = 0; k < r.chain.chips; k++)
        for (int i = 0; i < AFE_CELLS_MAX; i++)
            r.chain.chip[k].cell_raw[i] = fake_raw(mV);
}

static void start(enum chemistry chemistry)
{
    rig_init(&r, CELLS, 0);
    params_defaults(chemistry, r.params);
    CU_ASSERT_EQUAL_FATAL(topology_plan(CELLS, r.params), BMS_ERR_OK);
    for (int i = 0; i < ALARMS; i++)
        r.params[alarm_rows[i].set_ms] = r.params[alarm_rows[i].clear_ms] = 0; /* delays: test_alarm.c */
    mid_mV = (r.params[PARAM_cell_over_voltage_warning_clear] + r.params[PARAM_cell_under_voltage_warning_clear]) / 2;
    set_all_cells(mid_mV);
    CU_ASSERT_EQUAL_FATAL(rig_start(&r), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(r.biu.topology.cells, CELLS);
    rig_run(&r, 500);
}

/* How the position `no` shows this value of the row's quantity. False: no code of the chip gives it. */
static bool show_cell(const struct alarm_row *row, unsigned no, int32_t value)
{
    rig_set_cell(&r, no, row->quantity == ALARM_Q_CELL_SPREAD ? mid_mV + value : value);
    return true;
}

static bool show_probe(const struct alarm_row *row, unsigned no, int32_t value)
{
    int32_t ddegC = row->quantity == ALARM_Q_TEMPERATURE_SPREAD ? ROOM + value : value;
    unsigned left = no - 1, k = 0;

    while (left >= r.biu.topology.chip[k].probe_count)
        left -= r.biu.topology.chip[k++].probe_count;
    if (ddegC < COLD || ddegC > HOT || code[ddegC - COLD] == 0)
        return false;
    r.chain.chip[k].aux_raw[left] = code[ddegC - COLD];
    return true;
}

typedef bool show_fn(const struct alarm_row *row, unsigned no, int32_t value);

/* `better` is the direction away from trouble. */
static void judge(int alarm, unsigned no, show_fn *show, int32_t rest)
{
    const struct alarm_row *row = &alarm_rows[alarm];
    const struct alarm_state *s = &r.biu.alarms.row[alarm];
    int32_t limit = r.params[row->limit], clear = r.params[row->clear], better = row->compare == ALARM_ABOVE ? -1 : 1;
    const struct {
        int32_t value;
        bool active;
    } story[] = { { limit + better, false }, { limit, true }, { clear - better, true }, { clear, false } };

    for (int i = 0; i < 4; i++) {
        if (!show(row, no, story[i].value)) {
            coarse++;
            break;
        }
        rig_run(&r, SETTLE_MS);
        judged++;
        if (s->active != story[i].active)
            printf("\n    %s, number %u: %d %s ", row->name, no, story[i].value, story[i].active ? "does not raise it" : "raises it");
        CU_ASSERT_EQUAL(s->active, story[i].active);
        if (s->active)
            CU_ASSERT_EQUAL(s->raised.number, no);
        if (i == 1)
            CU_ASSERT_EQUAL(s->raised.value, limit);
    }
    show(row, no, rest);
    rig_run(&r, SETTLE_MS);
    CU_ASSERT_FALSE(s->active);
}

static bool is_of_a_cell(enum alarm_quantity q)
{
    return q == ALARM_Q_CELL_VOLTAGE || q == ALARM_Q_CELL_SPREAD;
}

static bool is_of_a_probe(enum alarm_quantity q)
{
    return q == ALARM_Q_TEMPERATURE || q == ALARM_Q_TEMPERATURE_SPREAD || q == ALARM_Q_CHARGE_TEMPERATURE;
}

static void test_every_cell(void)
{
    judged = 0;
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c);
        for (int i = 0; i < ALARMS; i++)
            for (unsigned cell = 1; is_of_a_cell(alarm_rows[i].quantity) && cell <= CELLS; cell++)
                judge(i, cell, show_cell, alarm_rows[i].quantity == ALARM_Q_CELL_SPREAD ? 0 : mid_mV);
    }
    CU_ASSERT(judged >= 4 * CELLS * 7 * CHEMISTRIES);
    printf("(%u boundaries) ", judged);
}

static void test_every_probe(void)
{
    judged = coarse = 0;
    for (int c = 0; c < CHEMISTRIES; c++) {
        start((enum chemistry)c);
        r.in.inputs = BIU_INPUT_CHARGER;               /* so that the limits of charging count */
        r.biu.params.running[PARAM_heater_fitted] = 0; /* those of cold too: nothing will warm the cells first */
        read_codes();
        for (int i = 0; i < ALARMS; i++)
            for (unsigned probe = 1; is_of_a_probe(alarm_rows[i].quantity) && probe <= r.biu.topology.probes; probe++)
                judge(i, probe, show_probe, alarm_rows[i].quantity == ALARM_Q_TEMPERATURE_SPREAD ? 0 : ROOM);
    }
    CU_ASSERT(r.biu.topology.probes >= 20);
    CU_ASSERT_EQUAL(coarse, 0);
    printf("(%u boundaries) ", judged);
}

/* A chip whose answers stop: in every step the alarm stands if, and only if, its last good answer is as old as the limit; and it names the chip. */
static void test_every_chip(void)
{
    start(CHEMISTRY_NMC);
    const struct alarm_state *s = &r.biu.alarms.row[ALARM_afe_silent];
    int32_t limit_ms = r.params[PARAM_afe_silent_limit];

    for (int k = 0; k < r.chain.chips; k++) {
        unsigned stood = 0, exactly = 0;

        r.chain.chip[k].mute = true;
        for (int32_t t = 0; t < 2 * limit_ms; t += BIU_STEP_MS) {
            rig_step(&r);
            int32_t age_ms = (int32_t)r.biu.afe.chip[k].age_ms;

            CU_ASSERT_EQUAL(s->active, age_ms >= limit_ms);
            CU_ASSERT(!s->active || s->raised.number == k + 1);
            stood += s->active;
            exactly += age_ms == limit_ms;
        }
        CU_ASSERT(stood > 0 && exactly == 1);
        r.chain.chip[k].mute = false;
        rig_run(&r, 2000);
        CU_ASSERT_FALSE(s->active);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every cell of 160, every alarm of a cell, every chemistry: at the limit, one before; at the clear value, one before [AC-6]",
          test_every_cell },
        { "every probe, every alarm of a probe, every chemistry: the same [AC-6]", test_every_probe },
        { "every chip: silent for exactly the limit, and not 10 ms before [AC-6]", test_every_chip },
        CU_TEST_INFO_NULL,
    };

    return suite_run("boundaries", tests);
}
