/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/core/measure/measure.h"
#include "tests/unit/firmware/fake_chain.h"
#include "tests/unit/suite.h"

static struct topology topology;
static struct afe afe; /* filled by hand: this module only reads it */
static struct measure m;
static int32_t values[PARAMS];

static void start(int cells)
{
    params_defaults(CHEMISTRY_NMC, values);
    topology_plan(cells, values);
    topology_read(values, &topology);
    afe_init(&afe, &topology);
    measure_init(&m, &topology);
}

/* Every chip gives 3,700 mV and 25 degC, now. */
static void answer_all(void)
{
    for (unsigned k = 0; k < topology.devices; k++) {
        for (unsigned i = 0; i < AFE_CHANNELS_MAX; i++)
            afe.chip[k].raw[i] = i < topology.chip[k].cells ? fake_raw(3700) : 0x8000;
        afe.chip[k].age_ms = 0;
    }
    afe.fresh = (uint16_t)((1u << topology.devices) - 1);
}

static void set(unsigned cell, int mV)
{
    afe.chip[(cell - 1) / 16].raw[(cell - 1) % 16] = fake_raw(mV);
}

static void test_never_before_the_first_answer(void)
{
    start(48);
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[0]), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(temp_validity(m.temp_ddegC[11]), VALIDITY_NEVER);
    CU_ASSERT_FALSE(measure_is_complete(&m));
    CU_ASSERT_FALSE(m.cell.max.known);
    CU_ASSERT_FALSE(m.cell.apart.known);
    CU_ASSERT_FALSE(m.cell.invalid.known);
}

static void test_every_raw_value_is_within_half_a_millivolt(void)
{
    start(16);
    for (unsigned raw = 0x0200; raw < 0xFF00; raw += 3) {
        answer_all();
        afe.chip[0].raw[5] = (uint16_t)raw;
        measure_step(&m, &afe, values);
        double error = m.cell_mV[5] - raw * 5000.0 / 65536.0;

        CU_ASSERT(error <= 0.5 && error >= -0.5);
    }
}

static void test_stale_exactly_at_the_limit(void)
{
    start(48);
    answer_all();
    measure_step(&m, &afe, values);
    CU_ASSERT(measure_is_complete(&m));
    afe.fresh = 0;
    afe.chip[1].age_ms = 199;
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.cell_mV[16], 3700);
    afe.chip[1].age_ms = 200;
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[16]), VALIDITY_STALE);
    CU_ASSERT_EQUAL(temp_validity(m.temp_ddegC[4]), VALIDITY_STALE);
    CU_ASSERT_EQUAL(m.cell_mV[15], 3700);
    CU_ASSERT_EQUAL(m.cell_mV[32], 3700);
    CU_ASSERT_FALSE(measure_is_complete(&m));
    CU_ASSERT_EQUAL(m.cell.valid, 32);
    afe.chip[1].age_ms = 0;
    afe.fresh = 1u << 1;
    measure_step(&m, &afe, values);
    CU_ASSERT(measure_is_complete(&m));
}

static void test_open_tap_is_named(void)
{
    start(48);
    answer_all();
    set(20, 0);
    set(21, 5000);
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[19]), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[20]), VALIDITY_OPEN);
    CU_ASSERT(m.cell.invalid.known);
    CU_ASSERT_EQUAL(m.cell.invalid.value, VALIDITY_OPEN);
    CU_ASSERT_EQUAL(m.cell.invalid.number, 20);
    CU_ASSERT_EQUAL(m.cell.min.value, 3700); /* what is not valid is not the lowest */
    CU_ASSERT_EQUAL(m.cell.apart.value, 0);
}

static void test_limits_of_an_open_tap(void)
{
    start(16);
    answer_all();
    set(1, MEASURE_RAIL_LOW_mV + 1);
    set(2, MEASURE_RAIL_LOW_mV);
    set(3, MEASURE_RAIL_HIGH_mV - 1);
    set(4, MEASURE_RAIL_HIGH_mV);
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.cell_mV[0], MEASURE_RAIL_LOW_mV + 1);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[1]), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(m.cell_mV[2], MEASURE_RAIL_HIGH_mV - 1);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[3]), VALIDITY_OPEN);
}

static void test_empty_supercapacitor_is_a_value(void)
{
    start(16);
    values[PARAM_chemistry] = CHEMISTRY_SCAP;
    answer_all();
    set(7, 0);
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.cell_mV[6], 0);
    CU_ASSERT(measure_is_complete(&m));
}

static void test_extremes_name_the_first_of_equals(void)
{
    start(48);
    answer_all();
    set(5, 3750);
    set(40, 3750);
    set(30, 3600);
    set(31, 3600);
    afe.chip[2].raw[16 + 2] = 0x4000; /* probe 11, hotter */
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.cell.max.value, 3750);
    CU_ASSERT_EQUAL(m.cell.max.number, 5);
    CU_ASSERT_EQUAL(m.cell.min.value, 3600);
    CU_ASSERT_EQUAL(m.cell.min.number, 30);
    CU_ASSERT_EQUAL(m.cell.apart.value, 150);
    CU_ASSERT_EQUAL(m.cell.apart.number, 30); /* 3,600 is further from the mean than 3,750 */
    CU_ASSERT_EQUAL(m.temp.max.number, 11);
    CU_ASSERT(m.temp.max.value > 250);
    CU_ASSERT_EQUAL(m.temp.min.number, 1);
}

static void test_open_probe_is_named(void)
{
    start(48);
    answer_all();
    afe.chip[1].raw[16 + 1] = 0xFFFF;
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(temp_validity(m.temp_ddegC[5]), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(m.temp.invalid.number, 6);
    CU_ASSERT_EQUAL(m.temp.invalid.value, VALIDITY_OPEN);
}

static void test_age_names_the_first_chip_behind_a_break(void)
{
    start(96);
    answer_all();
    afe.chip[2].age_ms = 200;
    afe.chip[3].age_ms = 240;
    afe.chip[5].age_ms = 240;
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.afe_age.number, 3);
    CU_ASSERT_EQUAL(m.afe_age.value, 200);
    afe.chip[2].age_ms = 199; /* below the limit only the oldest counts */
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.afe_age.number, 4);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a value is never before its chip has answered", test_never_before_the_first_answer },
        { "every raw value is within half a millivolt [ME-1]", test_every_raw_value_is_within_half_a_millivolt },
        { "a value is stale exactly at value_stale_ms, its chip alone", test_stale_exactly_at_the_limit },
        { "an open tap is named and is never the lowest cell [ME-12]", test_open_tap_is_named },
        { "the limits of an open tap are exact [ME-12]", test_limits_of_an_open_tap },
        { "an empty supercapacitor is a value [PK-4]", test_empty_supercapacitor_is_a_value },
        { "extremes name the first of equals [UC-2]", test_extremes_name_the_first_of_equals },
        { "an open probe is named [ME-12]", test_open_probe_is_named },
        { "the age names the first chip behind a break [ME-12]", test_age_names_the_first_chip_behind_a_break },
        CU_TEST_INFO_NULL,
    };

    return suite_run("measure", tests);
}
