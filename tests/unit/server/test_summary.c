/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ingest/summary.h"
#include "tests/unit/server/make_record.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct sample s[4];
static struct columns columns;

static const struct columns *columns_of(const struct sample *samples, uint32_t count)
{
    columns = (struct columns) { .count = count, .first_no = samples[0].no, .cells = samples[0].cells, .temps = samples[0].temps };
    for (uint32_t i = 0; i < count; i++) {
        columns.utc_ms[i] = samples[i].utc_ms;
        columns.alarms[i] = samples[i].alarms;
        memcpy(columns.cell_mV[i], samples[i].cell_mV, sizeof columns.cell_mV[i]);
        memcpy(columns.temp_ddegC[i], samples[i].temp_ddegC, sizeof columns.temp_ddegC[i]);
        memcpy(columns.alarm[i], samples[i].alarm, sizeof columns.alarm[i]);
        for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
            columns.scalar[k][i] = samples[i].scalar[k];
    }
    return &columns;
}

static void make(void)
{
    for (uint32_t i = 0; i < 4; i++)
        s[i] = make_sample(1, 10 + i, 1000 * (10 + i), 4, 2);
}

static void alarm_at(size_t i, uint8_t alarm, uint8_t level, uint16_t number)
{
    s[i].alarm[s[i].alarms++] = (struct sample_alarm) { .alarm = alarm, .level = level, .number = number, .value = (int16_t)(100 + i) };
}

static void test_extremes_come_from_valid_values_only(void)
{
    make();
    s[1].cell_mV[2] = 3000;
    s[2].cell_mV[0] = 4300;
    s[3].cell_mV[3] = cell_invalid(VALIDITY_OPEN);
    s[0].temp_ddegC[1] = -120;
    s[3].temp_ddegC[0] = temp_invalid(VALIDITY_STALE);
    struct summary sum = summarise(columns_of(s, 4));

    CU_ASSERT_TRUE(sum.has_cells && sum.has_temps);
    CU_ASSERT_EQUAL(sum.cell_min_mV, 3000);
    CU_ASSERT_EQUAL(sum.cell_max_mV, 4300);
    CU_ASSERT_EQUAL(sum.temp_min_ddegC, -120);
    CU_ASSERT_EQUAL(sum.temp_max_ddegC, 250);
}

static void test_nothing_valid_is_nothing(void)
{
    struct sample bare = make_sample(1, 1, 1000, 2, 0);

    bare.cell_mV[0] = bare.cell_mV[1] = cell_invalid(VALIDITY_NEVER);
    bare.scalar[SAMPLE_pack_current_mA] = scalar_invalid(VALIDITY_STALE);
    bare.scalar[SAMPLE_soc_permyriad] = scalar_invalid(VALIDITY_NEVER);
    bare.scalar[SAMPLE_pack_voltage_mV] = scalar_invalid(VALIDITY_OPEN);
    struct summary sum = summarise(columns_of(&bare, 1));

    CU_ASSERT_FALSE(sum.has_cells || sum.has_temps || sum.has_soc || sum.has_current || sum.has_voltage);
}

static void test_current_has_both_ends_and_soc_is_the_last_known(void)
{
    make();
    s[0].scalar[SAMPLE_pack_current_mA] = -5000;
    s[2].scalar[SAMPLE_pack_current_mA] = 9000;
    s[2].scalar[SAMPLE_soc_permyriad] = 4990;
    s[3].scalar[SAMPLE_soc_permyriad] = scalar_invalid(VALIDITY_STALE);
    struct summary sum = summarise(columns_of(s, 4));

    CU_ASSERT_EQUAL(sum.current_min_mA, -5000);
    CU_ASSERT_EQUAL(sum.current_max_mA, 9000);
    CU_ASSERT_EQUAL(sum.soc_permyriad, 4990);
}

static void test_an_alarm_that_stays_is_one_run(void)
{
    struct alarm_run runs[8];

    make();
    for (size_t i = 1; i < 4; i++)
        alarm_at(i, 2, i == 2 ? ALARM_MAJOR : ALARM_WARNING, 47);
    CU_ASSERT_EQUAL_FATAL(alarm_runs(columns_of(s, 4), runs, 8), 1);
    CU_ASSERT_EQUAL(runs[0].from_no, 11);
    CU_ASSERT_EQUAL(runs[0].to_no, 13);
    CU_ASSERT_EQUAL(runs[0].from_ms, 11000);
    CU_ASSERT_EQUAL(runs[0].to_ms, 13000);
    CU_ASSERT_EQUAL(runs[0].level, ALARM_MAJOR);
    CU_ASSERT_EQUAL(runs[0].value, 101);
    CU_ASSERT_EQUAL(runs[0].number, 47);
    CU_ASSERT_EQUAL(summarise(columns_of(s, 4)).alarm_level, ALARM_MAJOR);
}

static void test_an_alarm_that_pauses_is_two_runs_and_cells_are_apart(void)
{
    struct alarm_run runs[8];

    make();
    alarm_at(0, 2, ALARM_MAJOR, 1);
    alarm_at(2, 2, ALARM_MAJOR, 1);
    alarm_at(2, 2, ALARM_MAJOR, 2);
    CU_ASSERT_EQUAL(alarm_runs(columns_of(s, 4), runs, 8), 3);
    CU_ASSERT_EQUAL(alarm_runs(columns_of(s, 4), runs, 2), 2);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "extremes come from valid values only [ME-1]", test_extremes_come_from_valid_values_only },
        { "nothing valid is nothing", test_nothing_valid_is_nothing },
        { "current has both ends and SOC is the last known", test_current_has_both_ends_and_soc_is_the_last_known },
        { "an alarm that stays is one run, with its cell [AC-6]", test_an_alarm_that_stays_is_one_run },
        { "an alarm that pauses is two runs, and cells are apart", test_an_alarm_that_pauses_is_two_runs_and_cells_are_apart },
        CU_TEST_INFO_NULL,
    };
    return suite_run("summary", tests);
}
