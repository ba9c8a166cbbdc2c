/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
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

/* Within 0.05 K and half of the 0.01 K of a code; beyond what a chip can be, implausible. */
static void test_the_die_of_each_chip(void)
{
    start(48);
    answer_all();
    CU_ASSERT_FALSE(m.die.known);
    CU_ASSERT_EQUAL(temp_validity(m.die_ddegC[2]), VALIDITY_NEVER);
    for (unsigned raw = 0; raw <= 0xFFFF; raw += 5) {
        double ddegC = (raw * 5.0 / 65536 - 2.287) * 1319.44;

        answer_all();
        afe.chip[1].raw[20] = (uint16_t)raw;
        measure_step(&m, &afe, values);
        if (ddegC >= -500.5 && ddegC <= 2000.5)
            CU_ASSERT(fabs(m.die_ddegC[1] - ddegC) <= 0.52)
        else
            CU_ASSERT_EQUAL(temp_validity(m.die_ddegC[1]), VALIDITY_IMPLAUSIBLE)
    }
    answer_all();
    afe.chip[0].raw[20] = fake_die(-300);
    afe.chip[1].raw[20] = fake_die(-299);
    afe.chip[2].raw[20] = fake_die(-301);
    measure_step(&m, &afe, values);
    CU_ASSERT(m.die.known && m.die.value == -299 && m.die.number == 2);
    CU_ASSERT(m.die_ddegC[0] == -300 && m.die_ddegC[2] == -301);
    afe.chip[1].raw[20] = 0; /* what is not known is not compared */
    afe.chip[2].raw[20] = fake_die(-300);
    measure_step(&m, &afe, values);
    CU_ASSERT(m.die.known && m.die.value == -300 && m.die.number == 1); /* the first of equals */
    afe.fresh = 0;
    for (int k = 0; k < 3; k++)
        afe.chip[k].age_ms = (uint32_t)values[PARAM_value_stale_ms];
    measure_step(&m, &afe, values);
    CU_ASSERT(!m.die.known && temp_validity(m.die_ddegC[0]) == VALIDITY_STALE);
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

/* Every code there is, sixteen in each scan. */
static void test_every_code_is_rounded_to_the_nearest_millivolt(void)
{
    start(16);
    for (uint32_t raw = 0; raw <= UINT16_MAX; raw += 16) {
        answer_all();
        for (uint32_t i = 0; i < 16; i++)
            afe.chip[0].raw[i] = (uint16_t)(raw + i);
        measure_step(&m, &afe, values);
        for (uint32_t i = 0; i < 16; i++) {
            long mV = lround((raw + i) * 5000.0 / 65536.0);

            if (mV > MEASURE_RAIL_LOW_mV && mV < MEASURE_RAIL_HIGH_mV)
                CU_ASSERT_EQUAL(m.cell_mV[i], mV);
            if (mV <= MEASURE_RAIL_LOW_mV || mV >= MEASURE_RAIL_HIGH_mV)
                CU_ASSERT_EQUAL(cell_validity(m.cell_mV[i]), VALIDITY_OPEN);
        }
    }
}

static void test_what_cannot_be_true_is_not_believed_and_open_is_said_first(void)
{
    start(48);
    answer_all();
    measure_step(&m, &afe, values);
    set(18, 2000); /* jumps within 20 ms */
    set(19, 0);    /* jumps as well, but that is a wire */
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[17]), VALIDITY_IMPLAUSIBLE);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[18]), VALIDITY_OPEN);
    CU_ASSERT_EQUAL(m.cell_mV[16], 3700);
    CU_ASSERT(m.cell.invalid.value == VALIDITY_IMPLAUSIBLE && m.cell.invalid.number == 18);
    CU_ASSERT_EQUAL(m.cell.valid, 46);
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.cell_mV[17], 2000); /* the next reading is believed */
    CU_ASSERT(m.cell.invalid.value == VALIDITY_OPEN && m.cell.invalid.number == 19);
}

static void test_the_worst_reason_is_named_wherever_it_stands(void)
{
    start(48);
    answer_all();
    measure_step(&m, &afe, values);
    set(3, 5000);
    set(7, 2000);
    set(9, 2000);
    set(20, 5000);
    measure_step(&m, &afe, values);
    CU_ASSERT(m.cell.invalid.known && m.cell.invalid.value == VALIDITY_IMPLAUSIBLE && m.cell.invalid.number == 7);
}

/* A chip that is silent has its own alarm; what is invalid is said of those that answer. */
static void test_silence_is_no_invalid_cell(void)
{
    start(48);
    answer_all();
    afe.fresh = 1; /* the first chip alone */
    measure_step(&m, &afe, values);
    CU_ASSERT(m.cell.invalid.known && m.cell.invalid.value == VALIDITY_OK);
    CU_ASSERT_EQUAL(m.cell.valid, 16);
    answer_all();
    measure_step(&m, &afe, values);
    afe.fresh = 1;
    afe.chip[1].age_ms = afe.chip[2].age_ms = 200;
    measure_step(&m, &afe, values);
    CU_ASSERT(m.cell.invalid.known && m.cell.invalid.value == VALIDITY_OK);
    CU_ASSERT_EQUAL(m.chip[0], VALIDITY_OK);
    CU_ASSERT_EQUAL(m.chip[1], VALIDITY_STALE);
    afe.fresh = 0;
    afe.chip[0].age_ms = 200;
    measure_step(&m, &afe, values);
    CU_ASSERT_FALSE(m.cell.invalid.known || m.temp.invalid.known);
    CU_ASSERT_FALSE(m.cell.max.known || m.cell.apart.known || m.temp.max.known || m.temp.min.known);
    afe.fresh = 4; /* the last one is back */
    measure_step(&m, &afe, values);
    CU_ASSERT(m.cell.invalid.known && m.cell.min.number == 33);
}

static void test_a_chip_that_never_answered_is_not_stale(void)
{
    start(48);
    answer_all();
    afe.fresh = 3;
    afe.chip[2].age_ms = 60000;
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.chip[2], VALIDITY_NEVER);
    CU_ASSERT_EQUAL(cell_validity(m.cell_mV[47]), VALIDITY_NEVER);
}

static void test_below_zero_the_warmest_is_the_warmest(void)
{
    start(16);
    answer_all();
    for (unsigned i = 0; i < 4; i++)
        afe.chip[0].raw[16 + i] = (uint16_t)(0xE400 - 0x100 * i); /* the last is the warmest */
    measure_step(&m, &afe, values);
    CU_ASSERT(m.temp.max.value < 0 && m.temp.max.value > m.temp.min.value);
    CU_ASSERT(m.temp.max.known && m.temp.min.known && m.temp.apart.known);
    CU_ASSERT_EQUAL(m.temp.apart.value, m.temp.max.value - m.temp.min.value);
    CU_ASSERT(m.temp.max.number == 4 && m.temp.min.number == 1);
    CU_ASSERT(m.temp.mean > m.temp.min.value && m.temp.mean < m.temp.max.value);
}

static void test_the_spread_names_who_is_further_from_the_mean(void)
{
    start(16);
    answer_all();
    set(9, 3760);
    measure_step(&m, &afe, values);
    CU_ASSERT(m.cell.apart.value == 60 && m.cell.apart.number == 9);
    set(4, 3640); /* as far below as the other is above: the higher is named */
    measure_step(&m, &afe, values);
    CU_ASSERT_EQUAL(m.cell.mean, 3700);
    CU_ASSERT(m.cell.apart.value == 120 && m.cell.apart.number == 9);
    set(4, 3620);
    measure_step(&m, &afe, values);
    CU_ASSERT(m.cell.apart.value == 140 && m.cell.apart.number == 4);
}

static void set_chip(unsigned chip, int mV)
{
    for (unsigned i = 0; i < 16; i++)
        afe.chip[chip - 1].raw[i] = fake_raw(mV);
}

static void test_a_chip_is_compared_with_all_others(void)
{
    start(48);
    answer_all();
    measure_step(&m, &afe, values);
    CU_ASSERT(m.chip_apart.known && m.chip_apart.value == 0 && m.chip_apart.number == 1);
    for (unsigned chip = 1; chip <= 3; chip++)
        for (int apart = -100; apart <= 100; apart += 200) {
            answer_all();
            set_chip(chip, 3700 + apart);
            measure_step(&m, &afe, values);
            CU_ASSERT(m.chip_apart.value == 100 && m.chip_apart.number == chip);
        }
    answer_all(); /* a chip of which nothing is known is left out */
    set_chip(1, 5000);
    set_chip(3, 3760);
    measure_step(&m, &afe, values);
    CU_ASSERT(m.chip_apart.known && m.chip_apart.value == 60 && m.chip_apart.number == 2); /* the first of equals */
    set_chip(2, 5000); /* one chip alone has nothing to be compared with */
    measure_step(&m, &afe, values);
    CU_ASSERT_FALSE(m.chip_apart.known);
}

static void test_the_first_of_equally_old_chips_is_named(void)
{
    start(48);
    answer_all();
    measure_step(&m, &afe, values);
    CU_ASSERT(m.afe_age.known && m.afe_age.value == 0 && m.afe_age.number == 1);
    afe.fresh = 0;
    afe.chip[1].age_ms = afe.chip[2].age_ms = 100;
    measure_step(&m, &afe, values);
    CU_ASSERT(m.afe_age.value == 100 && m.afe_age.number == 2);
}

/* Seconds of 1 ms steps; probe `probe` (1 to 4) rises by so much at the end of each, all others by `others`. */
static void seconds(unsigned n, unsigned probe, int rise, int others)
{
    for (; n > 0; n--) {
        for (unsigned ms = 1; ms < MEASURE_RISE_MS; ms++)
            measure_rise(&m, 1);
        for (unsigned i = 0; i < topology.probes; i++)
            m.temp_ddegC[i] = (int16_t)(m.temp_ddegC[i] + (i + 1 == probe ? rise : others));
        measure_rise(&m, 1);
    }
}

static void start_rise(void)
{
    start(16);
    answer_all();
    measure_step(&m, &afe, values);
}

static void test_the_fastest_probe_is_known_after_three_looks(void)
{
    for (unsigned probe = 1; probe <= 4; probe++) {
        start_rise();
        seconds(2, probe, 7, 6);
        CU_ASSERT_FALSE(m.rise.known);
        seconds(1, probe, 7, 6);
        CU_ASSERT(m.rise.known && m.rise.value == 14 && m.rise.number == probe);
        seconds(1, probe, 0, 6); /* 7 in one of the two seconds, 12 for the others */
        CU_ASSERT(m.rise.value == 12 && m.rise.number == (probe == 1 ? 2 : 1));
        seconds(5, 0, 0, -3);
        CU_ASSERT(m.rise.known && m.rise.value == -6 && m.rise.number == 1);
    }
}

static void test_a_rise_is_looked_at_once_a_second(void)
{
    start_rise();
    seconds(3, 1, 5, 0);
    m.temp_ddegC[0] = (int16_t)(m.temp_ddegC[0] + 100);
    for (unsigned ms = 1; ms < MEASURE_RISE_MS; ms++)
        measure_rise(&m, 1);
    CU_ASSERT_EQUAL(m.rise.value, 10);
    measure_rise(&m, 1);
    CU_ASSERT_EQUAL(m.rise.value, 105);
}

static void test_a_probe_that_goes_or_comes_has_not_risen(void)
{
    start_rise();
    topology.probes = 1;
    seconds(4, 1, 0, 0);
    m.temp_ddegC[0] = temp_invalid(VALIDITY_OPEN);
    seconds(1, 0, 0, 0);
    CU_ASSERT_FALSE(m.rise.known);
    seconds(2, 0, 0, 0);
    m.temp_ddegC[0] = 300;
    seconds(2, 0, 0, 0);
    CU_ASSERT_FALSE(m.rise.known);
    seconds(1, 0, 0, 0);
    CU_ASSERT(m.rise.known && m.rise.value == 0);
}

static void test_complete_is_every_cell_and_not_none(void)
{
    struct topology nothing = { 0 };

    start(48);
    answer_all();
    set(48, 5000);
    measure_step(&m, &afe, values);
    CU_ASSERT_FALSE(measure_is_complete(&m));
    set(48, 3700);
    measure_step(&m, &afe, values); /* back from the end of the range: a jump */
    measure_step(&m, &afe, values);
    CU_ASSERT(measure_is_complete(&m));
    measure_init(&m, &nothing);
    CU_ASSERT_FALSE(measure_is_complete(&m));
    nothing.cells = 1;
    m.cell.valid = 1;
    CU_ASSERT(measure_is_complete(&m));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "each chip's die, or why it is not known; the hottest is named [ME-12]", test_the_die_of_each_chip },
        { "a value is never before its chip has answered", test_never_before_the_first_answer },
        { "every raw value is within half a millivolt [ME-1]", test_every_raw_value_is_within_half_a_millivolt },
        { "a value is stale exactly at value_stale_ms, its chip alone", test_stale_exactly_at_the_limit },
        { "an open tap is named and is never the lowest cell [ME-12]", test_open_tap_is_named },
        { "the limits of an open tap are exact [ME-12]", test_limits_of_an_open_tap },
        { "an empty supercapacitor is a value [PK-4]", test_empty_supercapacitor_is_a_value },
        { "extremes name the first of equals [UC-2]", test_extremes_name_the_first_of_equals },
        { "an open probe is named [ME-12]", test_open_probe_is_named },
        { "the age names the first chip behind a break [ME-12]", test_age_names_the_first_chip_behind_a_break },
        { "every code is rounded to the nearest millivolt [ME-1]", test_every_code_is_rounded_to_the_nearest_millivolt },
        { "what cannot be true is not believed, an open wire is said first [ME-12]",
          test_what_cannot_be_true_is_not_believed_and_open_is_said_first },
        { "the worst reason is named, wherever it stands [ME-12]", test_the_worst_reason_is_named_wherever_it_stands },
        { "silence is no invalid cell [ME-12]", test_silence_is_no_invalid_cell },
        { "a chip that never answered is not stale", test_a_chip_that_never_answered_is_not_stale },
        { "below zero the warmest probe is the warmest [ME-2]", test_below_zero_the_warmest_is_the_warmest },
        { "the spread names who is further from the mean [AC-6]", test_the_spread_names_who_is_further_from_the_mean },
        { "a chip is compared with all others, and not with nothing [ME-12]", test_a_chip_is_compared_with_all_others },
        { "the first of equally old chips is named [ME-12]", test_the_first_of_equally_old_chips_is_named },
        { "the fastest probe is known after three looks [AC-6]", test_the_fastest_probe_is_known_after_three_looks },
        { "a rise is looked at once a second, to the millisecond [AC-6]", test_a_rise_is_looked_at_once_a_second },
        { "a probe that goes or comes has not risen [AC-6]", test_a_probe_that_goes_or_comes_has_not_risen },
        { "complete is every cell, and not none", test_complete_is_every_cell_and_not_none },
        CU_TEST_INFO_NULL,
    };

    return suite_run("measure", tests);
}
