/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "firmware/core/talk/stream.h"
#include "tests/unit/suite.h"

static struct sample ring[8];
static struct sampler sampler;
static struct stream s;
static struct can_frame out[512];

static void start(void)
{
    sampler_init(&sampler, ring, 8);
    stream_init(&s);
}

/* A sample of this size with something in every field. */
static struct sample *add(uint8_t cells, uint8_t temps, uint8_t alarms)
{
    struct sample *x = sampler_add(&sampler);

    x->utc_ms = 0x018BCFE56800u + x->no;
    x->boot = 0xFEDCBA98u;
    x->cells = cells;
    x->temps = temps;
    x->alarms = alarms;
    for (int i = 0; i < CAN0_SIGNALS; i++)
        if (can0_signals[i].scalar >= 0)
            x->scalar[can0_signals[i].scalar] = can0_signals[i].kind == 'B' && can0_signals[i].bits == 32 ? (int32_t)0x9ABCDEF0u
                                                : can0_signals[i].kind == 'B'                             ? 5 + i
                                                                                                          : can0_signals[i].max;
    for (unsigned i = 0; i < cells; i++)
        x->cell_mV[i] = (uint16_t)(3000 + i);
    for (unsigned i = 0; i < temps; i++)
        x->temp_ddegC[i] = (int16_t)(-300 + (int)i);
    for (unsigned i = 0; i < (cells + 15u) / 16u; i++)
        x->balancing[i] = (uint16_t)(0x5555u + i);
    for (unsigned i = 0; i < alarms; i++)
        x->alarm[i] = (struct sample_alarm) { (uint8_t)(i + 1), ALARM_MAJOR, (uint16_t)(i * 10), (int16_t)(-5 * (int)i) };
    return x;
}

/* A reader written from signals.def alone: what a frame says goes into *x. */
static void read_array(const struct can_frame *f, unsigned number, struct sample *x)
{
    for (int a = 0; a < CAN0_ARRAYS; a++) {
        const struct can0_array_row *row = &can0_arrays[a];
        unsigned frames = (row->count_max + row->per_message - 1u) / row->per_message;

        if (number < row->first_number || number >= row->first_number + frames)
            continue;
        for (unsigned e = 0; e < row->per_message; e++) {
            unsigned k = (number - row->first_number) * row->per_message + e;
            uint64_t raw = can0_get_raw(f, 16 + e * row->bits, row->bits);
            int32_t v = can0_value_of(raw, row->bits, row->kind, row->min, row->max);

            if (k >= row->count_max)
                continue;
            if (a == CAN0_ARR_BIU_CellVoltage)
                x->cell_mV[k] = scalar_validity(v) == VALIDITY_OK ? (uint16_t)v : cell_invalid(scalar_validity(v));
            else if (a == CAN0_ARR_BIU_Temperature)
                x->temp_ddegC[k] = scalar_validity(v) == VALIDITY_OK ? (int16_t)v : temp_invalid(scalar_validity(v));
            else if (a == CAN0_ARR_BIU_Balancing)
                x->balancing[k] = (uint16_t)raw;
            else
                x->alarm[k] = sample_alarm_unpack(raw);
        }
    }
}

static void read_frame(const struct can_frame *f, unsigned number, struct sample *x)
{
    for (int i = 0; i < CAN0_SIGNALS; i++)
        if (can0_signals[i].message == number && can0_signals[i].scalar >= 0)
            x->scalar[can0_signals[i].scalar] = can0_get(f, (enum can0_signal)i);
    if (number == CAN0_BIU_SampleTime)
        x->utc_ms = can0_get_raw(f, 16, 48);
    if (number == CAN0_BIU_SampleBoot) {
        x->boot = (uint32_t)can0_get(f, CAN0_SIG_boot_count);
        x->cells = (uint8_t)can0_get(f, CAN0_SIG_cell_count);
        x->temps = (uint8_t)can0_get(f, CAN0_SIG_temp_count);
    }
    if (number == CAN0_BIU_SampleEnd) {
        x->no = (uint32_t)can0_get(f, CAN0_SIG_sample_no);
        x->alarms = (uint8_t)can0_get(f, CAN0_SIG_alarm_count);
    }
    read_array(f, number, x);
}

/* All frames of the next sample, in out[]. */
static size_t take_all(void)
{
    size_t n = 0, got;

    do {
        got = stream_step(&s, &sampler, out + n, 40);
        n += got;
    } while (got);
    return n;
}

static void test_sample_arrives_as_it_was(void)
{
    static const uint8_t sizes[][3] = { { 48, 12, 0 }, { 4, 0, 1 }, { 160, 64, 16 }, { 5, 3, 2 }, { 17, 5, 0 }, { 0, 0, 0 } };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sample got = { 0 };

        start();
        const struct sample *want = add(sizes[i][0], sizes[i][1], sizes[i][2]);
        size_t n = take_all();
        int last = 0;

        for (size_t k = 0; k < n; k++) {
            unsigned number;
            uint8_t address;

            CU_ASSERT_EQUAL_FATAL(can0_check(&out[k], &number, &address), 0);
            CU_ASSERT_EQUAL(address, CAN0_ADDR_BIU);
            CU_ASSERT_EQUAL(out[k].data[1], 1);
            CU_ASSERT((int)number > last); /* rising: bus priority cannot change the order */
            last = (int)number;
            read_frame(&out[k], number, &got);
        }
        CU_ASSERT_EQUAL(last, CAN0_BIU_SampleEnd);
        CU_ASSERT_EQUAL(can0_get(&out[n - 1], CAN0_SIG_frame_count), (int32_t)(n & 0xFF));
        CU_ASSERT_EQUAL(n, stream_frames(&s, want));
        CU_ASSERT(sample_is_equal(want, &got));
    }
}

static void test_reasons_travel(void)
{
    struct sample got = { 0 };

    start();
    struct sample *x = add(48, 12, 0);

    for (int why = VALIDITY_NEVER; why <= VALIDITY_NOT_FITTED; why++) {
        x->cell_mV[why] = cell_invalid((enum validity)why);
        x->temp_ddegC[why] = temp_invalid((enum validity)why);
        x->scalar[SAMPLE_pack_current_mA] = scalar_invalid((enum validity)why);
        x->scalar[SAMPLE_soc_permyriad] = scalar_invalid((enum validity)why);
    }
    size_t n = take_all();

    for (size_t k = 0; k < n; k++)
        read_frame(&out[k], out[k].id >> 8 & 0xFF, &got);
    CU_ASSERT(sample_is_equal(x, &got));
}

static const struct can_frame *find(size_t n, unsigned number)
{
    for (size_t k = 0; k < n; k++)
        if ((out[k].id >> 8 & 0xFF) == number)
            return &out[k];
    return NULL;
}

static void test_extremes_are_those_of_the_sample(void)
{
    start();
    struct sample *x = add(48, 12, 0);

    x->cell_mV[0] = cell_invalid(VALIDITY_OPEN);
    x->cell_mV[30] = x->cell_mV[31] = 4000;
    x->cell_mV[9] = x->cell_mV[8] = 2500;
    for (int i = 0; i < 12; i++)
        x->temp_ddegC[i] = temp_invalid(VALIDITY_STALE);
    size_t n = take_all();
    const struct can_frame *cells = find(n, CAN0_BIU_Extremes), *temps = find(n, CAN0_BIU_TempExtremes);

    CU_ASSERT_EQUAL(can0_get(cells, CAN0_SIG_cell_max_mV), 4000);
    CU_ASSERT_EQUAL(can0_get(cells, CAN0_SIG_cell_max_no), 31);
    CU_ASSERT_EQUAL(can0_get(cells, CAN0_SIG_cell_min_mV), 2500);
    CU_ASSERT_EQUAL(can0_get(cells, CAN0_SIG_cell_min_no), 9);
    CU_ASSERT_EQUAL(can0_get(temps, CAN0_SIG_temp_max_ddegC), scalar_invalid(VALIDITY_STALE));
    CU_ASSERT_EQUAL(can0_get(temps, CAN0_SIG_temp_min_no), scalar_invalid(VALIDITY_STALE));
}

static void test_extreme_temperatures_and_padding(void)
{
    start();
    struct sample *x = add(5, 4, 0);

    x->temp_ddegC[2] = 451;
    x->temp_ddegC[3] = -399;
    size_t n = take_all();
    const struct can_frame *temps = find(n, CAN0_BIU_TempExtremes), *cells = find(n, CAN0_BIU_CellVoltage + 1);

    CU_ASSERT_EQUAL(can0_get(temps, CAN0_SIG_temp_max_ddegC), 451);
    CU_ASSERT_EQUAL(can0_get(temps, CAN0_SIG_temp_max_no), 3);
    CU_ASSERT_EQUAL(can0_get(temps, CAN0_SIG_temp_min_ddegC), -399);
    CU_ASSERT_EQUAL(can0_get(temps, CAN0_SIG_temp_min_no), 4);
    CU_ASSERT_EQUAL(can0_get_raw(cells, 16, 16), 3003);
    CU_ASSERT_EQUAL(can0_get_raw(cells, 32, 16), 3004);
    CU_ASSERT_EQUAL(can0_get_raw(cells, 48, 16), cell_invalid(VALIDITY_NOT_FITTED)); /* there is no cell 6 */
}

static void test_room_splits_and_loses_nothing(void)
{
    start();
    add(160, 64, 3);
    add(160, 64, 3);
    size_t want = 2u * stream_frames(&s, sampler_get(&sampler, 1)), n = 0;

    CU_ASSERT_EQUAL(stream_step(&s, &sampler, out, 0), 0);
    CU_ASSERT_EQUAL(stream_step(&s, &sampler, out, 64), STREAM_FRAMES_MAX);
    n = STREAM_FRAMES_MAX;
    for (size_t room = 1; n < want; room = room % 7 + 1) {
        size_t got = stream_step(&s, &sampler, out + n, room);

        CU_ASSERT_FATAL(got > 0 && got <= room);
        n += got;
    }
    CU_ASSERT_EQUAL(n, want);
    CU_ASSERT_EQUAL(can0_get(&out[n - 1], CAN0_SIG_sample_no), 2);
    CU_ASSERT_EQUAL(stream_step(&s, &sampler, out, 40), 0);
}

static void test_resend_moves_back_only(void)
{
    start();
    for (int i = 0; i < 6; i++)
        add(4, 0, 0);
    take_all();
    CU_ASSERT_EQUAL(s.no, 7);
    stream_back(&s, 9);
    CU_ASSERT_EQUAL(s.no, 7);
    stream_back(&s, 3);
    size_t n = take_all();

    CU_ASSERT_EQUAL(n, 4u * stream_frames(&s, sampler_get(&sampler, 3)));
    CU_ASSERT_EQUAL(out[0].data[1], 3);
    CU_ASSERT_EQUAL(s.no, 7);
    add(4, 0, 0);
    stream_step(&s, &sampler, out, 3);
    stream_back(&s, 7); /* in the middle of this one: it starts afresh */
    stream_step(&s, &sampler, out, 1);
    CU_ASSERT_EQUAL(out[0].id >> 8 & 0xFF, CAN0_BIU_PackElectrical);
}

static void test_overtaken_goes_on_with_the_oldest(void)
{
    start();
    add(48, 12, 0);
    stream_step(&s, &sampler, out, 10); /* in the middle of sample 1 */
    for (int i = 0; i < 20; i++)
        add(48, 12, 0);
    CU_ASSERT_EQUAL(stream_step(&s, &sampler, out, 1), 1);
    CU_ASSERT_EQUAL(out[0].data[1], 14); /* 14 to 21 are held */
    CU_ASSERT_EQUAL(out[0].id >> 8 & 0xFF, CAN0_BIU_PackElectrical);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a sample arrives as it was, rising message numbers, the end last [FL-1]", test_sample_arrives_as_it_was },
        { "the reason for a missing value travels with it", test_reasons_travel },
        { "the extremes are those of the sample [UC-2]", test_extremes_are_those_of_the_sample },
        { "extreme temperatures are named, and what is not there is not 0", test_extreme_temperatures_and_padding },
        { "little room splits a sample and loses nothing", test_room_splits_and_loses_nothing },
        { "a resend moves back only", test_resend_moves_back_only },
        { "a cursor that was overtaken goes on with the oldest", test_overtaken_goes_on_with_the_oldest },
        CU_TEST_INFO_NULL,
    };

    return suite_run("stream", tests);
}
