/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/err.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static struct params p;
static int32_t stored[PARAMS];

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, stored);
    CU_ASSERT_EQUAL(params_init(&p, stored), 0);
}

static void test_limits_of_every_row(void)
{
    start();
    for (int i = 0; i < PARAMS; i++) {
        const struct param_row *row = &param_rows[i];

        CU_ASSERT_EQUAL(params_set(&p, (enum param)i, row->min), BMS_ERR_OK);
        CU_ASSERT_EQUAL(params_set(&p, (enum param)i, row->max), BMS_ERR_OK);
        if (row->min > INT32_MIN) /* nothing that can be said is past it */
            CU_ASSERT_EQUAL(params_set(&p, (enum param)i, row->min - 1), BMS_ERR_RANGE);
        if (row->max < INT32_MAX)
            CU_ASSERT_EQUAL(params_set(&p, (enum param)i, row->max + 1), BMS_ERR_RANGE);
        CU_ASSERT_EQUAL(p.running[i], row->max);
    }
}

static void test_calibrate_changes_the_running_copy_alone(void)
{
    start();
    uint32_t before = p.running_hash;

    CU_ASSERT_EQUAL(p.running_hash, p.stored_hash);
    CU_ASSERT_EQUAL(params_set(&p, PARAM_balance_start_mV, 77), BMS_ERR_OK);
    CU_ASSERT_NOT_EQUAL(p.running_hash, before);
    CU_ASSERT_EQUAL(p.stored_hash, before);
    CU_ASSERT_EQUAL(p.stored[PARAM_balance_start_mV], 50);
    params_hold(&p);
    params_release(&p, true);
    CU_ASSERT_EQUAL(p.stored_hash, p.running_hash);
    CU_ASSERT_EQUAL(p.stored[PARAM_balance_start_mV], 77);
}

static void test_nothing_changes_while_it_is_stored(void)
{
    start();
    CU_ASSERT_EQUAL(params_set(&p, PARAM_balance_start_mV, 77), BMS_ERR_OK);
    params_hold(&p);
    CU_ASSERT_EQUAL(params_set(&p, PARAM_balance_start_mV, 78), BMS_ERR_STATE);
    CU_ASSERT_EQUAL(params_set(&p, PARAM_balance_start_mV, 29), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(p.running[PARAM_balance_start_mV], 77);
    params_release(&p, false);
    CU_ASSERT_EQUAL(p.stored[PARAM_balance_start_mV], 50); /* the memory failed */
    CU_ASSERT_NOT_EQUAL(p.stored_hash, p.running_hash);
    CU_ASSERT_EQUAL(params_set(&p, PARAM_balance_start_mV, 78), BMS_ERR_OK);
}

static void test_bad_stored_values_become_the_chemistry_s_default(void)
{
    params_defaults(CHEMISTRY_LFP, stored);
    stored[PARAM_cell_over_voltage_limit] = 99999;
    stored[PARAM_afe_scan_ms] = 19;
    CU_ASSERT_EQUAL(params_init(&p, stored), 2);
    CU_ASSERT_EQUAL(p.running[PARAM_cell_over_voltage_limit], 3650);
    CU_ASSERT_EQUAL(p.running[PARAM_afe_scan_ms], 20);
    stored[PARAM_chemistry] = 4;
    CU_ASSERT_EQUAL(params_init(&p, stored), 3);
    CU_ASSERT_EQUAL(p.running[PARAM_chemistry], CHEMISTRY_NMC);
}

static void test_every_default_is_inside_its_row(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
        params_defaults((enum chemistry)c, stored);
        CU_ASSERT_EQUAL(stored[PARAM_chemistry], c);
        CU_ASSERT_EQUAL(params_init(&p, stored), 0);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every row takes its limits and refuses one past them [AC-6]", test_limits_of_every_row },
        { "calibrate changes the running copy alone, storing makes them equal [UC-5]", test_calibrate_changes_the_running_copy_alone },
        { "no value changes while all are being stored, and a failed store leaves the old ones [UC-5]",
          test_nothing_changes_while_it_is_stored },
        { "stored values out of their rows become the chemistry's default", test_bad_stored_values_become_the_chemistry_s_default },
        { "every chemistry is a complete profile [PK-4]", test_every_default_is_inside_its_row },
        CU_TEST_INFO_NULL,
    };

    return suite_run("params", tests);
}
