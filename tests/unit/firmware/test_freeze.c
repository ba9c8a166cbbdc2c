/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"
#include "firmware/core/protection/freeze.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

static struct freeze f;
static struct rig r;

/* So many points; each is numbered by its pack voltage. */
static void run(int points)
{
    static uint16_t no;

    if (f.count == 0)
        no = 0;
    for (int i = 0; i < points * FREEZE_PERIOD_MS / 10; i++) {
        struct freeze_point p = { .pack_dV = no, .current_dA = -3, .cell_max_mV = 4000, .alarms = 2 };
        uint32_t before = f.since_ms;

        freeze_step(&f, &p, 10);
        no = (uint16_t)(no + (f.since_ms == 0 && before != 0));
    }
}

static void test_keeps_the_last_ten_seconds(void)
{
    uint8_t out[FREEZE_PER_SECOND * FREEZE_POINT_SIZE];

    freeze_init(&f);
    run(250);
    freeze_take(&f, 7, true);
    const struct freeze_slot *s = freeze_of(&f, 7);

    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->count, FREEZE_POINTS);
    for (int i = 0; i < FREEZE_POINTS; i++)
        CU_ASSERT_EQUAL(s->point[i].pack_dV, 150 + i);
    run(50); /* what comes later does not change it */
    CU_ASSERT_EQUAL(s->point[99].pack_dV, 249);
    for (int ago = 0; ago < FREEZE_SECONDS; ago++) {
        CU_ASSERT_EQUAL(freeze_pack(s, ago, out), FREEZE_PER_SECOND);
        CU_ASSERT_EQUAL(get_be16(out), 240 - 10 * ago);
        CU_ASSERT_EQUAL(get_be16(out + 9 * FREEZE_POINT_SIZE), 249 - 10 * ago);
    }
    CU_ASSERT(get_be16(out + 2) == 0xFFFD && get_be16(out + 4) == 4000 && out[15] == 2);
    CU_ASSERT_EQUAL(freeze_pack(s, FREEZE_SECONDS, out), 0);
}

static void test_a_young_board_has_fewer_points(void)
{
    uint8_t out[FREEZE_PER_SECOND * FREEZE_POINT_SIZE];

    freeze_init(&f);
    freeze_take(&f, 1, true);
    CU_ASSERT_PTR_NULL(freeze_of(&f, 1)); /* nothing before it */
    run(13);
    freeze_take(&f, 1, true);
    CU_ASSERT_EQUAL(freeze_pack(freeze_of(&f, 1), 0, out), 10);
    CU_ASSERT_EQUAL(freeze_pack(freeze_of(&f, 1), 1, out), 3);
    CU_ASSERT_EQUAL(freeze_pack(freeze_of(&f, 1), 2, out), 0);
    for (int i = 0; i < 13; i++)
        CU_ASSERT_EQUAL(freeze_of(&f, 1)->point[i].pack_dV, i);
    freeze_wake(&f);
    freeze_take(&f, 2, true);
    CU_ASSERT_PTR_NULL(freeze_of(&f, 2));
    CU_ASSERT_PTR_NOT_NULL(freeze_of(&f, 1));
}

static void test_warnings_give_way_to_major_alarms(void)
{
    freeze_init(&f);
    run(10);
    for (uint16_t row = 0; row < FREEZE_SLOTS; row++)
        freeze_take(&f, row, row >= FREEZE_SLOTS - 1);
    freeze_take(&f, 20, false); /* the oldest warning goes */
    CU_ASSERT(!freeze_of(&f, 0) && freeze_of(&f, 1) && freeze_of(&f, 20));
    for (uint16_t row = 30; row < 30 + FREEZE_SLOTS - 1; row++)
        freeze_take(&f, row, true);
    CU_ASSERT(freeze_of(&f, FREEZE_SLOTS - 1) && !freeze_of(&f, 1) && !freeze_of(&f, 20));
    freeze_take(&f, 40, false); /* no room for a warning */
    CU_ASSERT(!freeze_of(&f, 40) && freeze_of(&f, FREEZE_SLOTS - 1));
    freeze_take(&f, 41, true); /* the oldest of the major ones */
    CU_ASSERT(freeze_of(&f, 41) && !freeze_of(&f, FREEZE_SLOTS - 1));
    freeze_forget(&f, 41);
    CU_ASSERT_PTR_NULL(freeze_of(&f, 41));
    freeze_take(&f, 42, false);
    CU_ASSERT_PTR_NOT_NULL(freeze_of(&f, 42));
}

static size_t ask(uint8_t record, uint8_t *out, size_t size)
{
    const uint8_t request[] = { 0x19, 0x04, 0x11, 0x00, 0x02, record };

    return rig_ask(&r, request, sizeof(request), out, size);
}

static void test_an_alarm_leaves_its_cell_its_value_and_ten_seconds(void)
{
    uint8_t out[2048];

    rig_init(&r, 48, 0);
    rig_start(&r);
    rig_run(&r, 12000);
    rig_set_cell(&r, 20, 4300);
    rig_run(&r, 500);
    CU_ASSERT(rig_has_alarm(&r, ALARM_cell_over_voltage));
    size_t n = ask(0x01, out, sizeof(out));

    CU_ASSERT_EQUAL(n, 46);
    CU_ASSERT(get_be16(out + 10) == 20 && get_be16(out + 14) == 4300);
    n = ask(0x10, out, sizeof(out));
    CU_ASSERT_EQUAL(n, 6 + 4 + 160);
    CU_ASSERT(out[6] == 0x10 && out[7] == 1 && get_be16(out + 8) == 0x1008);
    CU_ASSERT_EQUAL(get_be16(out + 10), 1776);     /* 177.6 V */
    CU_ASSERT_EQUAL(get_be16(out + 10 + 4), 3700); /* before the cell rose */
    CU_ASSERT_EQUAL(get_be16(out + 10 + 9 * 16 + 4), 4300);
    n = ask(0x19, out, sizeof(out));
    CU_ASSERT_EQUAL(n, 170);
    n = ask(0xFF, out, sizeof(out));
    CU_ASSERT_EQUAL(n, 46 + 10 * 164);
    n = ask(0x1A, out, sizeof(out));
    CU_ASSERT(n == 3 && out[0] == 0x7F && out[2] == 0x31);
}

/* Slots are filled, one is freed and taken again: from then on the oldest is not where it was. */
static void test_the_oldest_goes_wherever_it_is(void)
{
    for (int kind = 0; kind < 4; kind++) {
        bool major = kind & 1;

        freeze_init(&f);
        run(kind & 2 ? 10 : 1); /* one point is enough for a copy */
        for (uint16_t row = 0; row < FREEZE_SLOTS; row++)
            freeze_take(&f, row, major);
        for (uint16_t row = 0; row < FREEZE_SLOTS; row++)
            CU_ASSERT_PTR_NOT_NULL(freeze_of(&f, row));
        freeze_forget(&f, 0);
        freeze_forget(&f, 3);
        CU_ASSERT(!freeze_of(&f, 0) && !freeze_of(&f, 3));
        freeze_take(&f, 20, major);
        freeze_take(&f, 21, major); /* the two free ones */
        for (uint16_t row = 1; row < FREEZE_SLOTS; row++)
            CU_ASSERT_EQUAL(freeze_of(&f, row) != NULL, row != 3);
        freeze_take(&f, 22, major);
        CU_ASSERT(!freeze_of(&f, 1) && freeze_of(&f, 2) && freeze_of(&f, 20) && freeze_of(&f, 21) && freeze_of(&f, 22));
        freeze_wake(&f); /* nothing to copy: nothing gives way */
        freeze_take(&f, 23, true);
        CU_ASSERT(!freeze_of(&f, 23) && freeze_of(&f, 2) && freeze_of(&f, 22));
    }
}

static void test_every_field_has_its_place(void)
{
    static const uint8_t wanted[FREEZE_POINT_SIZE] = { 0x01, 0x02, 0xFE, 0xFD, 0x0F, 0xA0, 0x0E, 0x74,
                                                       0x01, 0x2C, 0xFF, 0x9C, 0x13, 0x88, 0x05, 0x02 };
    struct freeze_point p = { .pack_dV = 0x0102,
                              .current_dA = -0x0103,
                              .cell_max_mV = 4000,
                              .cell_min_mV = 3700,
                              .temp_max_ddegC = 300,
                              .temp_min_ddegC = -100,
                              .soc_permyriad = 5000,
                              .relays = 5,
                              .alarms = 2 };
    uint8_t out[FREEZE_PER_SECOND * FREEZE_POINT_SIZE] = { 0 };

    freeze_init(&f);
    freeze_step(&f, &p, 10); /* the first point at once, also after a sleep */
    freeze_wake(&f);
    freeze_step(&f, &p, 10);
    freeze_take(&f, 1, true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(freeze_of(&f, 1));
    CU_ASSERT_EQUAL(freeze_pack(freeze_of(&f, 1), 0, out), 1);
    CU_ASSERT_EQUAL(memcmp(out, wanted, sizeof(wanted)), 0);
    CU_ASSERT_EQUAL(out[FREEZE_POINT_SIZE], 0); /* and no more */
}

static void test_a_point_every_100_ms_to_the_millisecond(void)
{
    struct freeze_point p = { 0 };

    freeze_init(&f);
    freeze_step(&f, &p, 1);
    for (uint8_t point = 1; point <= 3; point++) {
        CU_ASSERT_EQUAL(f.count, point);
        for (int ms = 1; ms < FREEZE_PERIOD_MS; ms++)
            freeze_step(&f, &p, 1);
        CU_ASSERT_EQUAL(f.count, point);
        freeze_step(&f, &p, 1);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "keeps the last ten seconds, ten points each [AC-6]", test_keeps_the_last_ten_seconds },
        { "a young board has fewer points, and a sleep ends them [AC-6]", test_a_young_board_has_fewer_points },
        { "warnings give way to major alarms, never the other way [AC-6]", test_warnings_give_way_to_major_alarms },
        { "an alarm leaves its cell, its value and the ten seconds before [AC-6]",
          test_an_alarm_leaves_its_cell_its_value_and_ten_seconds },
        { "the oldest copy goes, wherever it is [AC-6]", test_the_oldest_goes_wherever_it_is },
        { "every field of a point has its place on the wire [AC-6]", test_every_field_has_its_place },
        { "a point every 100 ms, to the millisecond [AC-6]", test_a_point_every_100_ms_to_the_millisecond },
        CU_TEST_INFO_NULL,
    };

    return suite_run("freeze", tests);
}
