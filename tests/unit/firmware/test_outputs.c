/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/outputs.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static struct outputs o;
static struct outputs_in in;
static int32_t params[PARAMS];

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    outputs_init(&o);
    in = (struct outputs_in) { .dt_ms = 10, .params = params };
}

static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += 10)
        outputs_step(&o, &in);
}

static void test_each_output_does_what_its_parameter_says(void)
{
    for (int output = 0; output < OUTPUTS_FREE; output++)
        for (int role = OUTPUT_NOTHING; role < OUTPUT_ROLES; role++) {
            start();
            params[PARAM_output5_role + output] = role;
            for (int wanted = OUTPUT_NOTHING; wanted < OUTPUT_ROLES; wanted++) {
                for (int k = 0; k < OUTPUT_ROLES; k++)
                    in.on[k] = k == wanted;
                run(10);
                CU_ASSERT_EQUAL(o.driven, role != OUTPUT_NOTHING && role == wanted ? 1 << output : 0);
            }
        }
}

static bool is_worn(int i, uint32_t closed, uint32_t load_A)
{
    return o.wear[i].closed == closed && o.wear[i].load_A == load_A;
}

static void test_wear_is_counted_with_the_load_of_each(void)
{
    start();
    for (int i = 0; i < OUTPUTS_FREE; i++) {
        params[PARAM_output5_role + i] = OUTPUT_FAN;
        params[PARAM_output5_load_dA + i] = 10 * i + 4 + (i > 1); /* 0.4, 1.4, 2.5, 3.5 A */
    }
    params[PARAM_heat_current_dA] = 125;
    for (int times = 0; times < 3; times++) {
        in.heat = in.on[OUTPUT_FAN] = true;
        run(50);
        in.heat = in.on[OUTPUT_FAN] = false;
        run(50);
    }
    CU_ASSERT(is_worn(0, 3, 39) && is_worn(1, 3, 0) && is_worn(2, 3, 3) && is_worn(3, 3, 9) && is_worn(4, 3, 12)); /* whole amperes */
    in.heat = in.on[OUTPUT_FAN] = true;
    run(50);
    outputs_wake(&o, params); /* the sleep has opened them */
    CU_ASSERT(is_worn(0, 4, 52) && is_worn(4, 4, 16));
    CU_ASSERT(o.driven == 0 && o.commanded == 0);
    o.wear[0] = (struct relay_wear) { UINT32_MAX, UINT32_MAX - 1 };
    run(10);
    in.heat = false;
    run(10);
    CU_ASSERT(is_worn(0, UINT32_MAX, UINT32_MAX));
}

static void test_a_sleep_forgets_what_was_wrong(void)
{
    start();
    in.feedback = 0xF8;
    params[PARAM_output_readback] = 31;
    run(200);
    CU_ASSERT(o.welded && o.wrong == 5);
    outputs_wake(&o, params);
    CU_ASSERT(!o.welded && o.wrong == 0);
    run(90); /* and the time begins afresh */
    CU_ASSERT(!o.welded && o.wrong == 0);
    run(20);
    CU_ASSERT(o.welded && o.wrong == 5);
}

static void test_two_outputs_may_share_a_role(void)
{
    start();
    params[PARAM_output5_role] = params[PARAM_output8_role] = OUTPUT_FAN;
    in.on[OUTPUT_FAN] = true;
    run(10);
    CU_ASSERT_EQUAL(o.driven, 1 | 8);
}

static void test_a_welded_heater_is_told_apart(void)
{
    start();
    in.feedback = 1 << 3;
    run(90);
    CU_ASSERT(!o.welded && o.wrong == 0);
    run(10);
    CU_ASSERT(o.welded && o.wrong == 0);
    in.feedback = 0;
    run(10);
    CU_ASSERT_FALSE(o.welded);
    in.heat = true; /* commanded, and it does not come */
    run(90);
    CU_ASSERT_EQUAL(o.wrong, 0);
    run(10);
    CU_ASSERT(!o.welded && o.wrong == 4);
}

static void test_only_wired_contacts_are_compared(void)
{
    start();
    in.feedback = 0xF0;
    run(1000);
    CU_ASSERT_EQUAL(o.wrong, 0);
    params[PARAM_output_readback] = 31;
    run(90);
    CU_ASSERT_EQUAL(o.wrong, 0);
    run(10);
    CU_ASSERT_EQUAL(o.wrong, 5); /* the lowest is named */
    in.feedback = 0x80;
    run(200);
    CU_ASSERT_EQUAL(o.wrong, 8);
    params[PARAM_output8_role] = OUTPUT_AWAKE; /* now it shall be closed */
    in.on[OUTPUT_AWAKE] = true;
    run(10);
    CU_ASSERT_EQUAL(o.wrong, 0);
    in.feedback = 0;
    run(100);
    CU_ASSERT_EQUAL(o.wrong, 8);
}

static void test_each_difference_is_timed_from_its_begin(void)
{
    start();
    CU_ASSERT_EQUAL(o.driven, 0); /* nothing before the first step */
    in.dt_ms = 1;
    outputs_step(&o, &in);
    in.feedback = 1 << 3;
    for (int ms = 1; ms < 100; ms++)
        outputs_step(&o, &in);
    CU_ASSERT_FALSE(o.welded); /* 99 ms */
    outputs_step(&o, &in);
    CU_ASSERT(o.welded);
    in.feedback = 0;
    outputs_step(&o, &in);
    for (int again = 0; again < 2; again++) {
        in.feedback = 1 << 3; /* again: from 0, also after a sleep */
        for (int ms = 1; ms < 100; ms++)
            outputs_step(&o, &in);
        CU_ASSERT_FALSE(o.welded);
        outputs_wake(&o, params);
    }
}

static void test_a_role_that_nobody_knows_drives_nothing(void)
{
    start();
    for (int k = 0; k < OUTPUT_ROLES; k++)
        in.on[k] = true;
    params[PARAM_output5_role] = OUTPUT_ROLES;
    run(10);
    CU_ASSERT_EQUAL(o.driven & 1, 0);
    params[PARAM_output5_role] = OUTPUT_ROLES - 1;
    run(10);
    CU_ASSERT_EQUAL(o.driven & 1, 1);
    in.heat = true; /* nothing that stands beside the roles is taken for one */
    in.feedback = 0xFF;
    static const int32_t strange[] = { -1, OUTPUT_NOTHING, OUTPUT_ROLES };
    for (int i = 0; i < 3; i++) {
        params[PARAM_output5_role] = strange[i];
        run(10);
        CU_ASSERT_EQUAL(o.driven & 1, 0);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the wear of RL4 to RL8 is counted with the load of each, and lasts over a sleep [AC-1]",
          test_wear_is_counted_with_the_load_of_each },
        { "a sleep forgets what was wrong, not what is worn", test_a_sleep_forgets_what_was_wrong },
        { "each of RL5 to RL8 does what its parameter says [AC-1]", test_each_output_does_what_its_parameter_says },
        { "two outputs may share a role [AC-1]", test_two_outputs_may_share_a_role },
        { "a welded heating relay is told apart from one that does not close [AC-1] [AC-5]", test_a_welded_heater_is_told_apart },
        { "only wired contacts are compared, and the lowest is named [AC-1]", test_only_wired_contacts_are_compared },
        { "a difference that comes again is timed from its begin [AC-1]", test_each_difference_is_timed_from_its_begin },
        { "a role that nobody knows drives nothing", test_a_role_that_nobody_knows_drives_nothing },
        CU_TEST_INFO_NULL,
    };

    return suite_run("outputs", tests);
}
