/* SPDX-License-Identifier: Apache-2.0 */
/* Random faults, random requests, a million steps: what must never be, is not, in any step. The seed is printed.
 *
 * CELLWARDEN_RANDOM_STEPS and CELLWARDEN_RANDOM_SEED choose others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

enum { CELLS = 20, CHIPS = 2, MAINS = BIU_RELAY_DISCHARGE | BIU_RELAY_CHARGE, ASKED = BIU_INPUT_KEYON | BIU_INPUT_CHARGER };

static struct rig r;
static uint64_t seed;

static uint32_t any(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % n;
}

/* --- what happens to the pack --- */

static void heal(void)
{
    for (unsigned i = 1; i <= CELLS; i++)
        rig_set_cell(&r, i, 3700);
    for (int k = 0; k < CHIPS; k++) {
        r.chain.chip[k].mute = r.chain.chip[k].dead = r.chain.chip[k].spoil_crc = false;
        for (int i = 0; i < AFE_AUX_INPUTS; i++)
            r.chain.chip[k].aux_raw[i] = 0x8000;
    }
    r.csu_silent = r.csu_stuck = false;
    r.current_mA = 0;
    r.welded = r.jammed = 0;
    r.short_link = r.no_link = r.hold_link = false;
    r.in.pack_voltage_mV = 3700 * CELLS;
    r.in.link_voltage_mV = 0;
}

static void break_chip(void)
{
    struct fake_chip *chip = &r.chain.chip[any(CHIPS)];

    switch (any(4)) {
    case 0:
        chip->mute = !chip->mute;
        return;
    case 1:
        chip->dead = !chip->dead;
        return;
    case 2:
        chip->spoil_crc = !chip->spoil_crc;
        return;
    default:
        fake_chain_reset_chip(&r.chain, (int)(chip - r.chain.chip));
        return;
    }
}

static void break_contactors(void)
{
    switch (any(5)) {
    case 0:
        r.welded ^= (uint8_t)(1u << any(4));
        return;
    case 1:
        r.jammed ^= (uint8_t)(1u << any(4));
        return;
    case 2:
        r.short_link = !r.short_link;
        return;
    case 3:
        r.no_link = !r.no_link;
        return;
    default:
        r.hold_link = !r.hold_link;
        return;
    }
}

static uint16_t cold_code(void) /* of a probe at 0 to 3 degC, where a charge heats first */
{
    return (uint16_t)(49600 + any(1900));
}

static void break_something(void)
{
    static const int mV[] = { 0, 2749, 2750, 2751, 3000, 3700, 4180, 4249, 4250, 4251, 4999 };
    static const int32_t mA[] = { 0, 4000, 100000, 399900, 400000, 499900, 500000, -249900, -250000, -349900, -350000 };

    switch (any(8)) {
    case 0:
        break_chip();
        return;
    case 1:
        break_contactors();
        return;
    case 2:
        r.csu_silent = !r.csu_silent;
        return;
    case 3:
        r.csu_stuck = !r.csu_stuck;
        return;
    case 4:
        r.current_mA = mA[any(sizeof(mA) / sizeof(mA[0]))];
        return;
    case 5:
        r.chain.chip[any(CHIPS)].aux_raw[any(4)] = (uint16_t)any(65536);
        return;
    case 6:
        r.in.pack_voltage_mV = any(2) ? scalar_invalid(VALIDITY_STALE) : CELLS * (int32_t)(2000 + any(3000));
        return;
    default:
        rig_set_cell(&r, 1 + any(CELLS), mV[any(sizeof(mV) / sizeof(mV[0]))]);
        return;
    }
}

static void disturb(void)
{
    uint32_t what = any(1000);

    if (what < 4)
        r.in.inputs ^= BIU_INPUT_KEYON;
    else if (what < 6)
        r.in.inputs ^= BIU_INPUT_CHARGER;
    else if (what < 9)
        break_something();
    else if (what < 12)
        heal();
    else if (what < 14)
        r.chain.chip[any(CHIPS)].aux_raw[any(4)] = cold_code();
}

/* --- what must never be --- */

static struct {
    uint8_t was;               /* commanded in the step before */
    bool locked;               /* an alarm has opened; nothing asked for ends it */
    uint32_t end_ms;           /* closed while an alarm wants the power to end */
    uint32_t beyond_ms;        /* a cell has been beyond an opening limit */
    uint32_t resistor_ms;      /* RL2 has been commanded alone or with RL1 */
    uint32_t charge_over_ms;   /* the charge has not permitted RL3 */
    bool was_charge_permitted; /* or just now: RL3 opens without load if it can */
    unsigned drives, charges, heatings, opened;
} seen;

#define NEVER(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (condition)                                                                                                                     \
            return #condition;                                                                                                             \
    } while (0)

static bool is_unmeasured(void)
{
    for (unsigned k = 0; k < CHIPS; k++)
        if (r.biu.measure.chip[k] != VALIDITY_OK)
            return true;
    enum validity current = scalar_validity(r.biu.current.mA);

    return current == VALIDITY_STALE || current == VALIDITY_NEVER;
}

static bool link_is_low(void)
{
    int64_t pack_mV = r.in.pack_voltage_mV, link_mV = r.in.link_voltage_mV;

    return link_mV * 1000 < pack_mV * r.params[PARAM_precharge_link_permille] && pack_mV - link_mV > CONTACTOR_SAME_mV;
}

/* A fitted probe has no value, or is too warm for the heater. */
static bool is_heating_blind(void)
{
    const struct measure *m = &r.biu.measure;

    for (unsigned i = 0; i < m->topology->probes; i++)
        if (temp_validity(m->temp_ddegC[i]) != VALIDITY_OK || m->temp_ddegC[i] >= r.params[PARAM_heat_hot_ddegC])
            return true;
    return false;
}

static bool is_outside_charge_temperatures(void)
{
    const struct measure_worst *t = &r.biu.measure.temp;

    return !t->min.known || t->min.value <= r.params[PARAM_charge_under_temperature_limit] ||
           t->max.value >= r.params[PARAM_charge_over_temperature_limit];
}

static bool cell_is_beyond(void)
{
    uint16_t high = fake_raw(r.params[PARAM_cell_over_voltage_limit]), low = fake_raw(r.params[PARAM_cell_under_voltage_limit]);

    for (unsigned k = 0; k < r.biu.topology.devices; k++)
        for (unsigned i = 0; i < r.biu.topology.chip[k].cells; i++)
            if (r.chain.chip[k].cell_raw[i] >= high || r.chain.chip[k].cell_raw[i] <= low)
                return true;
    return false;
}

static void watch(void)
{
    uint8_t now = r.out.contactors;

    seen.locked = (r.in.inputs & ASKED) && (seen.locked || (r.biu.alarms.open && (seen.was & ~BIU_RELAY_HEATING)));
    seen.end_ms = now && r.biu.alarms.end ? seen.end_ms + BIU_STEP_MS : 0;
    seen.beyond_ms = cell_is_beyond() ? seen.beyond_ms + BIU_STEP_MS : 0;
    seen.resistor_ms = now & BIU_RELAY_PRECHARGE ? seen.resistor_ms + BIU_STEP_MS : 0;
    seen.drives += (now & BIU_RELAY_DISCHARGE) && !(seen.was & BIU_RELAY_DISCHARGE);
    seen.charges += (now & BIU_RELAY_CHARGE) && !(seen.was & BIU_RELAY_CHARGE);
    seen.charge_over_ms = r.biu.charge.close ? 0 : seen.charge_over_ms + BIU_STEP_MS;
    seen.was_charge_permitted = seen.charge_over_ms <= (uint32_t)r.params[PARAM_open_wait_ms] + 2 * BIU_STEP_MS;
    seen.heatings += (now & BIU_RELAY_HEATING) && !(seen.was & BIU_RELAY_HEATING);
    seen.opened += r.biu.alarms.open && seen.was;
}

/* What is broken in this step, or NULL. */
static const char *broken(void)
{
    uint8_t now = r.out.contactors, closes = (uint8_t)(now & ~seen.was);
    const int32_t *p = r.params;

    watch();
    NEVER(now && r.biu.alarms.open);
    NEVER(closes && r.biu.alarms.end);
    NEVER(seen.end_ms > (uint32_t)p[PARAM_alarm_open_wait_ms] + BIU_STEP_MS);
    NEVER(now && is_unmeasured());
    NEVER(now && seen.locked);
    NEVER((now & MAINS) == MAINS);
    NEVER((now & BIU_RELAY_CHARGE) && (now & BIU_RELAY_PRECHARGE));
    NEVER((closes & BIU_RELAY_DISCHARGE) && !(seen.was & BIU_RELAY_PRECHARGE));
    NEVER((closes & BIU_RELAY_DISCHARGE) && link_is_low());
    NEVER((closes & BIU_RELAY_CHARGE) && is_outside_charge_temperatures());
    NEVER((now & BIU_RELAY_CHARGE) && !seen.was_charge_permitted);
    NEVER((now & BIU_RELAY_HEATING) && is_heating_blind());
    NEVER((now & BIU_RELAY_HEATING) && !(r.in.inputs & BIU_INPUT_CHARGER));
    NEVER((closes & BIU_RELAY_CHARGE) && !(r.in.inputs & BIU_INPUT_CHARGER));
    NEVER((closes & BIU_RELAY_CHARGE) && r.biu.charge.state != CHARGE_CLOSING);
    NEVER((now & BIU_RELAY_HEATING) && (now & MAINS));
    NEVER(r.out.charger_on && r.biu.charge.state != CHARGE_HEATING && r.out.charger_dA > r.biu.limits.charge_dA);
    NEVER((r.biu.alarms.open || r.biu.alarms.end) && (r.out.discharge_limit_dA || r.out.charge_limit_dA || r.out.charger_on));
    NEVER(r.out.discharge_limit_dA > p[PARAM_discharge_max_dA] || r.out.charge_limit_dA > p[PARAM_charge_max_dA]);
    NEVER(closes && r.biu.alarms.level == ALARM_MAJOR);
    NEVER((closes & (BIU_RELAY_PRECHARGE | BIU_RELAY_CHARGE)) && r.in.contactors_feedback);
    NEVER(closes && !(r.in.inputs & ASKED));
    NEVER(now && seen.beyond_ms > 370); /* a chip may be silent for 240 ms first, and then tell */
    NEVER(seen.resistor_ms > (uint32_t)(p[PARAM_precharge_max_ms] + 2 * p[PARAM_relay_feedback_ms] + BIU_STEP_MS));
    NEVER((now & seen.was & BIU_RELAY_PRECHARGE) && r.biu.contactor.heat_nJ > (p[PARAM_precharge_budget_J] + 1) * 1000000000LL);
    return NULL;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_random_steps_keep_the_invariants(void)
{
    uint64_t steps = number_of("CELLWARDEN_RANDOM_STEPS", 1000000), first = number_of("CELLWARDEN_RANDOM_SEED", (uint64_t)time(NULL));
    const char *what = NULL;
    uint64_t at = 0;

    seed = first * 2654435761u + 1;
    rig_init(&r, CELLS, UINT32_MAX - 100000);
    rig_start(&r);
    for (; at < steps && !what; at++) {
        disturb();
        r.seen_count = 0;
        rig_step(&r);
        what = broken();
        seen.was = r.out.contactors;
    }
    printf("(seed %llu, %llu steps: %u drives, %u charges, %u heatings, %u openings by alarm) ", (unsigned long long)first,
           (unsigned long long)at, seen.drives, seen.charges, seen.heatings, seen.opened);
    if (what)
        printf("\nin step %llu: %s\n", (unsigned long long)at, what);
    CU_ASSERT_PTR_NULL(what);
    CU_ASSERT(steps < 1000000 || (seen.drives > 100 && seen.charges > 100 && seen.heatings > 20 && seen.opened > 100));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "random steps with random faults keep the invariants [AC-1] [AC-2] [AC-6] [ME-7]", test_random_steps_keep_the_invariants },
        CU_TEST_INFO_NULL,
    };

    return suite_run("random", tests);
}
