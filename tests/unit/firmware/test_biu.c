/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <CUnit/Basic.h>

#include "tests/unit/firmware/rig.h"

static struct rig r;

static void test_first(void)
{
    rig_init(&r, 48, 0);
    CU_ASSERT_EQUAL_FATAL(rig_start(&r), 0);
    rig_run(&r, 1000);
    CU_ASSERT_EQUAL(r.chain.bad_commands, 0);
    CU_ASSERT_EQUAL(r.samples, 1);
    printf("%u cells %u temps mV %u T %d alarms %u level %d soc %d Wh %d seen %zu\n", r.last.cells, r.last.temps, r.last.cell_mV[47],
           r.last.temp_ddegC[11], r.last.alarms, r.last.scalar[SAMPLE_alarm_level], r.last.scalar[SAMPLE_soc_permyriad],
           r.last.scalar[SAMPLE_energy_left_Wh], r.seen_count);
}

int main(void)
{
    static CU_TestInfo tests[] = { { "first", test_first }, CU_TEST_INFO_NULL };
    static CU_SuiteInfo suites[] = { { "biu", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed != 0;
}
