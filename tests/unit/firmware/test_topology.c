/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/err.h"
#include "firmware/core/measure/topology.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static int32_t values[PARAMS];
static struct topology t;

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, values);
}

static void test_default_is_a_biu48(void)
{
    start();
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
    CU_ASSERT_EQUAL(t.devices, 3);
    CU_ASSERT_EQUAL(t.cells, 48);
    CU_ASSERT_EQUAL(t.probes, 12);
}

static void test_three_models(void)
{
    for (int model = 1; model <= 3; model++) {
        start();
        values[PARAM_biu_devices] = model;
        CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
        CU_ASSERT_EQUAL(t.cells, 16 * model);
    }
}

static void test_partly_filled_blocks_are_numbered_through(void)
{
    start();
    values[PARAM_biu_devices] = 2;
    values[PARAM_bmu01_devices] = 1;
    values[PARAM_afe01_cells] = 6;
    values[PARAM_afe02_cells] = 11;
    values[PARAM_afe03_cells] = 16;
    values[PARAM_afe01_probes] = 0x5;
    values[PARAM_afe02_probes] = 0;
    values[PARAM_afe03_probes] = 0x8;
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
    CU_ASSERT_EQUAL(t.cells, 33);
    CU_ASSERT_EQUAL(t.chip[1].first_cell, 6);
    CU_ASSERT_EQUAL(t.chip[2].first_cell, 17);
    CU_ASSERT_EQUAL(t.probes, 3);
    CU_ASSERT_EQUAL(t.chip[0].probe_count, 2);
    CU_ASSERT_EQUAL(t.chip[2].first_probe, 2);
}

static void refuses(enum topology_error want)
{
    CU_ASSERT_EQUAL(topology_read(values, &t), want);
    CU_ASSERT_EQUAL(t.devices, 0);
    CU_ASSERT_EQUAL(t.cells, 0);
    CU_ASSERT_STRING_NOT_EQUAL(topology_text(want), "ok");
    CU_ASSERT_STRING_NOT_EQUAL(topology_text(want), "unknown");
}

static void test_impossible_packs_are_refused(void)
{
    start();
    values[PARAM_bmu02_devices] = 1;
    refuses(TOPOLOGY_BMU_GAP);

    start();
    for (int b = 0; b < 4; b++)
        values[PARAM_bmu01_devices + b] = 3;
    values[PARAM_bmu05_devices] = 2; /* 3 + 12 + 2 = 17 chips */
    refuses(TOPOLOGY_CHIPS_MANY);

    start();
    values[PARAM_afe03_cells] = 0;
    refuses(TOPOLOGY_CHIP_EMPTY);

    start();
    values[PARAM_afe03_cells] = 5;
    refuses(TOPOLOGY_CHIP_FEW);
    values[PARAM_afe03_cells] = 6;
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
}

static void test_cells_from_4_to_160(void)
{
    start();
    values[PARAM_biu_devices] = 1;
    values[PARAM_afe01_cells] = 3;
    refuses(TOPOLOGY_CHIP_FEW);
    values[PARAM_afe01_cells] = 4;
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);

    start(); /* 3 + 3 + 3 + 1 chips of 16 = 160; one chip more is one too many */
    values[PARAM_bmu01_devices] = values[PARAM_bmu02_devices] = 3;
    values[PARAM_bmu03_devices] = 1;
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
    CU_ASSERT_EQUAL(t.cells, 160);
    values[PARAM_bmu03_devices] = 2;
    refuses(TOPOLOGY_CELLS_MANY);
    values[PARAM_afe11_cells] = 0;
    refuses(TOPOLOGY_CHIP_EMPTY);
}

static void test_16_chips_are_not_too_many(void)
{
    start();
    for (int b = 0; b < 4; b++)
        values[PARAM_bmu01_devices + b] = 3;
    values[PARAM_bmu05_devices] = 1;
    for (int k = 0; k < AFE_DEVICES_MAX; k++)
        values[PARAM_afe01_cells + k] = 10;
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
    CU_ASSERT_EQUAL(t.devices, AFE_DEVICES_MAX);
    CU_ASSERT_EQUAL(t.cells, 160);
    CU_ASSERT_EQUAL(t.probes, PACK_TEMPS_MAX);
}

static void test_cells_of_absent_chips_do_not_count(void)
{
    start();
    values[PARAM_afe04_cells] = 0;
    values[PARAM_afe16_cells] = 3;
    CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
    CU_ASSERT_EQUAL(t.cells, 48);
}

static void test_every_plan_can_be_read(void)
{
    for (int cells = PACK_CELLS_MIN; cells <= PACK_CELLS_MAX; cells++) {
        start();
        CU_ASSERT_EQUAL(topology_plan(cells, values), BMS_ERR_OK);
        CU_ASSERT_EQUAL(topology_read(values, &t), TOPOLOGY_OK);
        CU_ASSERT_EQUAL(t.cells, cells);
        for (int i = 0; i < PARAMS; i++)
            CU_ASSERT_EQUAL(params_check((enum param)i, values[i]), BMS_ERR_OK);
    }
    CU_ASSERT_EQUAL(topology_plan(PACK_CELLS_MIN - 1, values), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(topology_plan(PACK_CELLS_MAX + 1, values), BMS_ERR_RANGE);
}

static void test_rows_of_a_kind_lie_together(void)
{
    CU_ASSERT_EQUAL(PARAM_bmu10_devices - PARAM_bmu01_devices, BMU_COUNT_MAX - 1);
    CU_ASSERT_EQUAL(PARAM_afe16_cells - PARAM_afe01_cells, AFE_DEVICES_MAX - 1);
    CU_ASSERT_EQUAL(PARAM_afe16_probes - PARAM_afe01_probes, AFE_DEVICES_MAX - 1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the default is a BIU48 alone", test_default_is_a_biu48 },
        { "a BIU has 16, 32 or 48 cells [PK-1]", test_three_models },
        { "partly filled blocks are numbered through, BIU first [PK-3]", test_partly_filled_blocks_are_numbered_through },
        { "impossible packs are refused with a reason", test_impossible_packs_are_refused },
        { "4 to 160 cells, exactly [PK-2]", test_cells_from_4_to_160 },
        { "16 chips are not too many [PK-2]", test_16_chips_are_not_too_many },
        { "cells of chips that are not there do not count", test_cells_of_absent_chips_do_not_count },
        { "every planned pack of 4 to 160 cells can be read [PK-2]", test_every_plan_can_be_read },
        { "parameter rows of a kind lie together", test_rows_of_a_kind_lie_together },
        CU_TEST_INFO_NULL,
    };

    return suite_run("topology", tests);
}
