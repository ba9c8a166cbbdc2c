/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/protection/trend.h"
#include "tests/unit/suite.h"

enum { FULL_mAms = 3600 * 1000 }; /* 1 Ah is 3,600,000 mA s: here in mA ms, so a thousandth of an Ah */

static struct topology topology = { .devices = 1, .cells = 16, .probes = 4 };
static struct measure m;
static struct trend t;

static void start(void)
{
    m = (struct measure) { .topology = &topology, .cell = { .valid = 16 }, .temp = { .valid = 4 } };
    for (int i = 0; i < 4; i++)
        m.temp_ddegC[i] = 250;
    trend_init(&t);
}

static void run(uint32_t ms, int32_t soc, int32_t mA)
{
    for (uint32_t at = 0; at < ms; at += 10)
        trend_step(&t, &m, soc, mA, FULL_mAms, 10);
}

static void test_temperature_by_the_minute(void)
{
    start();
    run(10, 5000, 0);
    CU_ASSERT_FALSE(t.rate.known); /* nothing to compare with */
    m.temp_ddegC[2] = 300;
    run(TREND_TICK_MS - 10, 5000, 0);
    CU_ASSERT_FALSE(t.rate.known);
    run(10, 5000, 0);
    CU_ASSERT(t.rate.known && t.rate.value == 50 && t.rate.number == 3);
    run(40000, 5000, 0); /* still against the first entry */
    CU_ASSERT_EQUAL(t.rate.value, 50);
    run(20000, 5000, 0); /* a minute later it is at rest */
    CU_ASSERT_EQUAL(t.rate.value, 0);
}

static void test_creeping_is_seen_over_the_whole_minute(void)
{
    start();
    for (int tick = 0; tick < 20; tick++) {
        run(TREND_TICK_MS, 5000, 0);
        m.temp_ddegC[1] = (int16_t)(m.temp_ddegC[1] + 10);
    }
    CU_ASSERT_EQUAL(t.rate.value, 10 * TREND_KEPT);
    CU_ASSERT_EQUAL(t.rate.number, 2);
}

static void test_a_jump_is_what_no_current_explains(void)
{
    start();
    run(10, 5000, 0);
    run(TREND_TICK_MS, 5500, 0);
    CU_ASSERT(t.jump.known && t.jump.value == 500);
    start();
    run(10, 5000, 0);
    run(TREND_TICK_MS, 4500, 0); /* downwards as well */
    CU_ASSERT_EQUAL(t.jump.value, 500);
    start();
    run(10, 5000, 0); /* 180 mA for 10 s are half of it: 50 % */
    run(TREND_TICK_MS, 0, 180);
    CU_ASSERT_EQUAL(t.jump.value, 0);
    start();
    run(10, 5000, 0);
    run(TREND_TICK_MS, 10000, -180);
    CU_ASSERT_EQUAL(t.jump.value, 0);
}

static void test_a_jump_is_over_after_a_minute(void)
{
    start();
    run(10, 5000, 0);
    run(TREND_TICK_MS, 6000, 0);
    CU_ASSERT_EQUAL(t.jump.value, 1000);
    run(5 * TREND_TICK_MS, 6000, 0);
    CU_ASSERT_EQUAL(t.jump.value, 1000);
    run(TREND_TICK_MS, 6000, 0);
    CU_ASSERT_EQUAL(t.jump.value, 0);
}

static void test_what_is_not_known_is_not_compared(void)
{
    start();
    run(60000, scalar_invalid(VALIDITY_NEVER), 0);
    CU_ASSERT_FALSE(t.jump.known || t.rate.known); /* the first SOC is no jump */
    run(10, 5000, scalar_invalid(VALIDITY_STALE));
    run(TREND_TICK_MS, 5000, scalar_invalid(VALIDITY_STALE));
    CU_ASSERT(t.rate.known && t.jump.known && t.jump.value == 0);
    start();
    m.temp_ddegC[0] = temp_invalid(VALIDITY_OPEN);
    run(10, 5000, 0);
    m.temp_ddegC[0] = 900; /* it comes back: nobody knows how it got there */
    run(TREND_TICK_MS, 5000, 0);
    CU_ASSERT(t.rate.value == 0 && t.rate.number == 2);
    start(); /* a pack without probes */
    topology.probes = 0;
    m.temp.valid = 0;
    run(10, 5000, 0);
    run(TREND_TICK_MS, 5600, 0);
    CU_ASSERT(t.jump.value == 600 && !t.rate.known);
    topology.probes = 4;
}

static void test_a_soc_that_is_not_known_is_no_jump(void)
{
    start();
    run(10, 5000, 0);
    run(TREND_TICK_MS, scalar_invalid(VALIDITY_NEVER), 0);
    CU_ASSERT_FALSE(t.jump.known);
    run(TREND_TICK_MS * TREND_KEPT, scalar_invalid(VALIDITY_NEVER), 0); /* nothing known is left to compare with */
    run(TREND_TICK_MS, 9000, 0);
    CU_ASSERT_FALSE(t.jump.known);
    run(TREND_TICK_MS * (TREND_KEPT + 1), 9000, 0);
    CU_ASSERT(t.jump.known && t.jump.value == 0);
}

static void test_a_jump_without_end_saturates(void)
{
    start();
    run(10, 5000, 0);
    trend_step(&t, &m, 5000, INT32_MAX, 1, TREND_TICK_MS); /* a capacity of 1 mA ms: every current is beyond measure */
    CU_ASSERT(t.jump.known && t.jump.value == INT32_MAX);
}

static void test_the_first_entry_knows_a_temperature(void)
{
    start();
    m.temp.valid = 0;
    for (int i = 0; i < 4; i++)
        m.temp_ddegC[i] = temp_invalid(VALIDITY_NEVER);
    run(5000, 5000, 0); /* the SOC is known before any probe is */
    m.temp.valid = 1;   /* one probe is enough */
    m.temp_ddegC[0] = 250;
    run(10, 5000, 0);
    m.temp_ddegC[0] = 270;
    run(TREND_TICK_MS, 5000, 0);
    CU_ASSERT(t.rate.known && t.rate.value == 20 && t.rate.number == 1);
}

static void test_the_only_probe_is_lost(void)
{
    start();
    topology.probes = 1;
    run(10, 5000, 0);
    m.temp_ddegC[0] = temp_invalid(VALIDITY_OPEN); /* that is not the fastest fall of all */
    run(TREND_TICK_MS, 5000, 0);
    CU_ASSERT_FALSE(t.rate.known);
    topology.probes = 4;
}

static void test_a_whole_discharge_is_explained_to_the_last_step(void)
{
    start();
    run(10, 10000, 0);
    run(TREND_TICK_MS, 0, 360); /* all that is in it, within 10 s */
    CU_ASSERT(t.jump.known && t.jump.value == 0);
    CU_ASSERT_EQUAL(t.jump.number, 0); /* no cell's and no probe's */
}

static void test_a_steady_current_explains_minute_after_minute(void)
{
    int32_t soc = 10000;

    start();
    run(10, soc, 0);
    for (int tick = 0; tick < 3 * TREND_KEPT; tick++) {
        soc -= 500; /* 18 mA for 10 s are a twentieth */
        run(TREND_TICK_MS, soc, 18);
        CU_ASSERT(t.jump.known && t.jump.value == 0);
        CU_ASSERT(t.kept <= TREND_KEPT);
    }
}

static void test_looks_every_ten_seconds_to_the_millisecond(void)
{
    start();
    trend_step(&t, &m, 5000, 0, FULL_mAms, 1);
    for (int look = 1; look <= 3; look++) {
        m.temp_ddegC[0] = (int16_t)(250 + look);
        for (int ms = 1; ms < TREND_TICK_MS; ms++)
            trend_step(&t, &m, 5000, 0, FULL_mAms, 1);
        CU_ASSERT_EQUAL(t.rate.value, look - 1);
        trend_step(&t, &m, 5000, 0, FULL_mAms, 1);
        CU_ASSERT_EQUAL(t.rate.value, look);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a temperature is compared with that of a minute ago, or the oldest known [AC-6]", test_temperature_by_the_minute },
        { "creeping is seen over the whole minute [AC-6]", test_creeping_is_seen_over_the_whole_minute },
        { "a jump of the SOC is what no current explains [AC-6]", test_a_jump_is_what_no_current_explains },
        { "a jump is over after a minute [AC-6]", test_a_jump_is_over_after_a_minute },
        { "what is not known is not compared [AC-6]", test_what_is_not_known_is_not_compared },
        { "a SOC that is not known is no jump [AC-6]", test_a_soc_that_is_not_known_is_no_jump },
        { "a jump without end saturates", test_a_jump_without_end_saturates },
        { "the first entry knows a temperature, if one probe alone [AC-6]", test_the_first_entry_knows_a_temperature },
        { "the only probe is lost: nothing to compare [AC-6]", test_the_only_probe_is_lost },
        { "a whole discharge is explained to the last step [AC-6]", test_a_whole_discharge_is_explained_to_the_last_step },
        { "a steady current explains minute after minute [AC-6]", test_a_steady_current_explains_minute_after_minute },
        { "it looks every ten seconds, to the millisecond", test_looks_every_ten_seconds_to_the_millisecond },
        CU_TEST_INFO_NULL,
    };

    return suite_run("trend", tests);
}
