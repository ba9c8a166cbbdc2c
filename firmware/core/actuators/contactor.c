/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/contactor.h"

#include "common/err.h"
#include "common/span.h"
#include "firmware/core/biu/biu_io.h"

typedef enum contactor_state step_fn(struct contactor *c, const struct contactor_in *in);
static step_fn on_open, on_check, on_precharge, on_make, on_drive, on_drive_end, on_charge, on_charge_end, on_rest, on_failed, on_test;

enum {
    MAINS = BIU_RELAY_DISCHARGE | BIU_RELAY_CHARGE,
    ALL = MAINS | BIU_RELAY_PRECHARGE | BIU_RELAY_HEATING,
    COLD_permille = 500,  /* a link below half of the pack has to be charged */
    OVER_MAX_mV = 1300000 /* over the resistor: twice the highest total voltage */
};
#define NJ_PER_J 1000000000LL

static const struct {
    uint8_t close;
    step_fn *step;
} states[CONTACTOR_STATES] = {
    [CONTACTOR_OPEN] = { 0, on_open },
    [CONTACTOR_CHECK] = { 0, on_check },
    [CONTACTOR_PRECHARGE] = { BIU_RELAY_PRECHARGE, on_precharge },
    [CONTACTOR_MAKE] = { BIU_RELAY_PRECHARGE | BIU_RELAY_DISCHARGE, on_make },
    [CONTACTOR_DRIVE] = { BIU_RELAY_DISCHARGE, on_drive },
    [CONTACTOR_DRIVE_END] = { BIU_RELAY_DISCHARGE, on_drive_end },
    [CONTACTOR_CHARGE] = { BIU_RELAY_CHARGE, on_charge },
    [CONTACTOR_CHARGE_END] = { BIU_RELAY_CHARGE, on_charge_end },
    [CONTACTOR_REST] = { 0, on_rest },
    [CONTACTOR_FAILED] = { 0, on_failed },
    [CONTACTOR_TEST] = { 0, on_test }, /* and the relay that is tested */
};

static uint8_t closes(const struct contactor *c, enum contactor_state state)
{
    return (uint8_t)(states[state].close | (state == CONTACTOR_TEST ? c->test : 0));
}

static bool is_known(const struct contactor_in *in)
{
    return scalar_validity(in->pack_mV) == VALIDITY_OK && scalar_validity(in->link_mV) == VALIDITY_OK;
}

static bool link_reaches(const struct contactor_in *in, int32_t permille)
{
    return (int64_t)in->link_mV * 1000 >= (int64_t)in->pack_mV * permille;
}

static bool link_is_free(const struct contactor_in *in)
{
    return in->link_mV <= CONTACTOR_SAME_mV || !link_reaches(in, in->params[PARAM_weld_link_permille]);
}

static bool link_is_full(const struct contactor_in *in)
{
    return link_reaches(in, in->params[PARAM_precharge_link_permille]) || in->pack_mV - in->link_mV <= CONTACTOR_SAME_mV;
}

static bool is_cool(const struct contactor *c, const struct contactor_in *in)
{
    return c->heat_nJ <= in->params[PARAM_precharge_budget_J] * NJ_PER_J / 2;
}

/* --- the states --- */

static enum contactor_state on_open(struct contactor *c, const struct contactor_in *in)
{
    (void)in; /* asked for, or nobody had come here */
    return c->locked ? CONTACTOR_OPEN : CONTACTOR_CHECK;
}

static enum contactor_state on_check(struct contactor *c, const struct contactor_in *in)
{
    bool late = c->in_state_ms >= (uint32_t)in->params[PARAM_weld_wait_ms];

    if (!in->may_close || c->welded || (in->charge ? !in->may_charge : !is_cool(c, in))) {
        c->in_state_ms = 0; /* the wait for the link begins when nothing else is waited for */
        return CONTACTOR_CHECK;
    }
    if (is_known(in) && !(in->feedback & ALL) && link_is_free(in))
        return in->charge ? CONTACTOR_CHARGE : CONTACTOR_PRECHARGE;
    if (!late)
        return CONTACTOR_CHECK;
    c->held = is_known(in);
    if (!c->held)
        c->why = CONTACTOR_WHY_UNMEASURED;
    return CONTACTOR_FAILED;
}

static enum contactor_state fail(struct contactor *c, const struct contactor_in *in, enum contactor_why why)
{
    bool last = ++c->tries >= in->params[PARAM_precharge_tries];

    if (last)
        c->why = why;
    return last ? CONTACTOR_FAILED : CONTACTOR_REST;
}

static enum contactor_why judge_ramp(const struct contactor *c, const struct contactor_in *in)
{
    const int32_t *p = in->params;
    int64_t missing_mV = (int64_t)in->pack_mV - c->start_mV, rise_mV = (int64_t)in->link_mV - c->start_mV;

    if (c->heat_nJ > p[PARAM_precharge_budget_J] * NJ_PER_J)
        return CONTACTOR_WHY_ENERGY;
    if (link_is_full(in)) {
        bool was_cold = (int64_t)c->start_mV * 1000 < (int64_t)in->pack_mV * COLD_permille;

        return was_cold && c->ramp_ms < (uint32_t)p[PARAM_precharge_min_ms] ? CONTACTOR_WHY_FAST : CONTACTOR_WHY_NONE;
    }
    if (c->ramp_ms >= (uint32_t)p[PARAM_precharge_short_ms] && rise_mV * 1000 < missing_mV * p[PARAM_precharge_short_permille])
        return CONTACTOR_WHY_SHORT;
    return c->ramp_ms >= (uint32_t)p[PARAM_precharge_max_ms] ? CONTACTOR_WHY_SLOW : CONTACTOR_WHY_NONE;
}

static enum contactor_state on_precharge(struct contactor *c, const struct contactor_in *in)
{
    if (in->charge)
        return CONTACTOR_OPEN;
    if (!is_known(in))
        return fail(c, in, CONTACTOR_WHY_UNMEASURED);
    if (!(in->feedback & BIU_RELAY_PRECHARGE)) { /* not there yet; a relay that never comes is found by its read-back */
        c->start_mV = in->link_mV;
        c->ramp_ms = 0;
        return CONTACTOR_PRECHARGE;
    }
    c->ramp_ms = span_add(c->ramp_ms, in->dt_ms);
    enum contactor_why why = judge_ramp(c, in);

    if (why != CONTACTOR_WHY_NONE)
        return fail(c, in, why);
    return link_is_full(in) && in->may_close ? CONTACTOR_MAKE : CONTACTOR_PRECHARGE;
}

static enum contactor_state on_make(struct contactor *c, const struct contactor_in *in)
{
    (void)c;
    return in->feedback & BIU_RELAY_DISCHARGE ? CONTACTOR_DRIVE : CONTACTOR_MAKE;
}

static enum contactor_state on_drive(struct contactor *c, const struct contactor_in *in)
{
    c->tries = 0;
    return in->charge ? CONTACTOR_DRIVE_END : CONTACTOR_DRIVE;
}

static enum contactor_state on_charge(struct contactor *c, const struct contactor_in *in)
{
    (void)c;
    return in->charge && !in->end_charge && !in->must_end ? CONTACTOR_CHARGE : CONTACTOR_CHARGE_END;
}

/* A current that is not known is no reason to wait. */
static bool may_part(const struct contactor *c, const struct contactor_in *in)
{
    enum param longest = in->must_end ? PARAM_alarm_open_wait_ms : PARAM_open_wait_ms;
    int64_t mA = in->current_mA;

    return scalar_validity(in->current_mA) != VALIDITY_OK || (mA < 0 ? -mA : mA) <= in->params[PARAM_open_current_mA] ||
           c->in_state_ms >= (uint32_t)in->params[longest];
}

static enum contactor_state on_drive_end(struct contactor *c, const struct contactor_in *in)
{
    return may_part(c, in) ? CONTACTOR_OPEN : CONTACTOR_DRIVE_END;
}

static enum contactor_state on_charge_end(struct contactor *c, const struct contactor_in *in)
{
    return may_part(c, in) ? CONTACTOR_OPEN : CONTACTOR_CHARGE_END;
}

static enum contactor_state on_rest(struct contactor *c, const struct contactor_in *in)
{
    return is_cool(c, in) && c->in_state_ms >= (uint32_t)in->params[PARAM_precharge_rest_ms] ? CONTACTOR_CHECK : CONTACTOR_REST;
}

static enum contactor_state on_failed(struct contactor *c, const struct contactor_in *in)
{
    (void)c;
    (void)in;
    return CONTACTOR_FAILED;
}

static enum contactor_state on_test(struct contactor *c, const struct contactor_in *in)
{
    if (c->state != CONTACTOR_TEST || c->in_state_ms < 2 * (uint32_t)in->params[PARAM_relay_feedback_ms])
        return CONTACTOR_TEST;
    c->test_result = in->feedback & c->test ? CONTACTOR_TEST_PASSED : CONTACTOR_TEST_FAILED;
    return CONTACTOR_OPEN;
}

int contactor_test(struct contactor *c, uint8_t relay)
{
    if (c->state != CONTACTOR_OPEN || c->locked || c->test)
        return BMS_ERR_STATE;
    c->test = relay;
    c->test_result = CONTACTOR_TEST_RUNNING;
    return BMS_ERR_OK;
}

void contactor_test_stop(struct contactor *c)
{
    if (c->test_result == CONTACTOR_TEST_RUNNING)
        c->test_result = CONTACTOR_TEST_STOPPED;
    c->test = 0;
}

/* --- what runs in every state --- */

static void read_back(struct contactor *c, const struct contactor_in *in)
{
    c->welded = 0;
    for (unsigned i = 0; i < CONTACTOR_RELAYS; i++) {
        uint8_t bit = (uint8_t)(1u << i);
        bool closed = closes(c, c->state) & bit, differs = closed != !!(in->feedback & bit);

        c->differ_ms[i] = differs ? span_add(c->differ_ms[i], in->dt_ms) : 0;
        if (c->differ_ms[i] < (uint32_t)in->params[PARAM_relay_feedback_ms])
            continue;
        if (!closed && c->welded == 0)
            c->welded = (uint8_t)(i + 1);
        if (closed && c->stuck == 0)
            c->stuck = (uint8_t)(i + 1);
    }
    if (is_known(in) && link_is_free(in)) /* nothing closes before that */
        c->held = false;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The resistor takes the square of the voltage over it, and gives a constant power to the air. Behind a welded RL2 it can get hotter than it may;
 * the count ends at twice the budget, for what is hotter also cools faster. */
static void warm(struct contactor *c, const struct contactor_in *in)
{
    int64_t cooled_nJ = (int64_t)in->params[PARAM_precharge_cool_mW] * in->dt_ms * 1000;
    bool heated = (in->feedback & BIU_RELAY_PRECHARGE) && !(in->feedback & MAINS) && is_known(in);
    int64_t over_mV = (int64_t)in->pack_mV - in->link_mV;

    over_mV = over_mV > OVER_MAX_mV ? OVER_MAX_mV : over_mV < -OVER_MAX_mV ? -OVER_MAX_mV : over_mV; /* no sensor of ours reads so much */
    c->heat_nJ -= least(c->heat_nJ, cooled_nJ);
    if (heated)
        c->heat_nJ += over_mV * over_mV / in->params[PARAM_precharge_ohm] * least(in->dt_ms, 1000);
    c->heat_nJ = least(c->heat_nJ, 2 * in->params[PARAM_precharge_budget_J] * NJ_PER_J);
}

static void move(struct contactor *c, enum contactor_state to, const struct contactor_in *in)
{
    unsigned was = closes(c, c->state), now = closes(c, to);
    bool known = scalar_validity(in->current_mA) == VALIDITY_OK;
    int64_t mA = in->current_mA;
    uint32_t load_A = known ? (uint32_t)((mA < 0 ? -mA : mA) / 1000) : 0;

    for (unsigned i = 0; i < CONTACTOR_RELAYS; i++) {
        if (!((was ^ now) >> i & 1u))
            continue;
        c->differ_ms[i] = 0;
        wear_switch(&c->wear[i], now >> i & 1u, load_A);
    }
    c->ramp_ms = 0;
    c->start_mV = in->link_mV;
    c->in_state_ms = 0;
    c->state = to;
}

/* What comes before all states. Opening by an alarm is first: nothing that counts time stands in front of it. */
static enum contactor_state next(struct contactor *c, const struct contactor_in *in)
{
    bool asked = (in->drive || in->charge) && !in->must_end, main_closed = states[c->state].close & MAINS;

    if (in->must_open || in->must_end || c->stuck)
        c->locked = c->locked || (c->state != CONTACTOR_OPEN && c->state != CONTACTOR_CHECK && c->state != CONTACTOR_TEST);
    if (in->must_open || c->stuck || (in->must_end && !main_closed))
        return CONTACTOR_OPEN;
    if (c->test && !asked) /* the state is OPEN or TEST: contactor_test() */
        return on_test(c, in);
    if (c->state == CONTACTOR_TEST)
        return CONTACTOR_OPEN;
    if (!asked && c->state == CONTACTOR_MAKE)
        return CONTACTOR_DRIVE_END;
    if (!asked && !main_closed)
        return CONTACTOR_OPEN;
    if (!asked && c->state == CONTACTOR_DRIVE)
        return CONTACTOR_DRIVE_END;
    return states[c->state].step(c, in);
}

void contactor_init(struct contactor *c)
{
    *c = (struct contactor) { .state = CONTACTOR_OPEN };
}

void contactor_wake(struct contactor *c)
{
    struct contactor was = *c;

    contactor_init(c);
    c->heat_nJ = was.heat_nJ;
    for (unsigned i = 0; i < CONTACTOR_RELAYS; i++)
        c->wear[i] = was.wear[i];
}

uint8_t contactor_step(struct contactor *c, const struct contactor_in *in)
{
    c->in_state_ms = span_add(c->in_state_ms, in->dt_ms);
    if (!in->drive && !in->charge) {
        c->locked = false;
        c->tries = 0;
        c->stuck = 0;
        c->why = CONTACTOR_WHY_NONE;
    }
    read_back(c, in);
    warm(c, in);
    enum contactor_state to = next(c, in);

    if (c->test && to != CONTACTOR_TEST) { /* over, or something else is asked for */
        move(c, to, in);                   /* while it still is known what was closed */
        if (c->stuck)
            c->test_result = CONTACTOR_TEST_FAILED;
        contactor_test_stop(c);
    }
    if (to != c->state)
        move(c, to, in);
    if (contactor_is_ending(c) && may_part(c, in))
        move(c, CONTACTOR_OPEN, in); /* nothing flows: no step is lost */
    return closes(c, c->state);
}

bool contactor_is_ending(const struct contactor *c)
{
    return c->state == CONTACTOR_DRIVE_END || c->state == CONTACTOR_CHARGE_END;
}
