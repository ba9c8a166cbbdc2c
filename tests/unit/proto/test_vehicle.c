/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/vehicle.h"

#include <string.h>

#include "proto/sample.h"
#include "proto/validity.h"
#include "tests/unit/suite.h"

static void test_crc_is_that_of_e2e_profile_1(void)
{
    /* Known answers of an independent implementation of AUTOSAR E2E profile 1, data ids 0x5A00 and 0x5800. */
    struct can_frame f = { .id = 0x300, .len = 8, .data = { 0, 0x10, 1, 2, 3, 4, 5, 6 } };
    uint8_t counter = 99;

    vehicle_protect(&f, 2);
    CU_ASSERT_EQUAL(f.data[0], 0xB9);
    CU_ASSERT_EQUAL(f.data[1], 0x12);
    CU_ASSERT(vehicle_check(&f, &counter));
    CU_ASSERT_EQUAL(counter, 2);
    f = (struct can_frame) { .id = 0x100, .len = 8 };
    vehicle_protect(&f, 15); /* counts to 14 */
    CU_ASSERT_EQUAL(f.data[0], 0x05);
    CU_ASSERT_EQUAL(f.data[1], 0x00);
}

static void test_damage_is_found(void)
{
    struct can_frame good = { .id = 0x100, .len = 8, .data = { 0, 0x20, 3, 4, 5, 6, 7, 8 } }, f;
    uint8_t counter;

    vehicle_protect(&good, 7);
    CU_ASSERT(vehicle_check(&good, &counter));
    for (int bit = 0; bit < 64; bit++) {
        f = good;
        f.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(vehicle_check(&f, &counter));
    }
    f = good;
    f.id = 0x101; /* on the bus under another identifier */
    CU_ASSERT_FALSE(vehicle_check(&f, &counter));
    f = good;
    f.len = 7;
    CU_ASSERT_FALSE(vehicle_check(&f, &counter));
    f = good;
    f.ext = true;
    CU_ASSERT_FALSE(vehicle_check(&f, &counter));
    CU_ASSERT_EQUAL(counter, 7);
}

/* No two signals of a message share a bit, and no two messages an identifier. */
static void test_rows_do_not_overlap(void)
{
    uint64_t used[VEHICLE_MESSAGES] = { 0 };
    uint8_t ids[0x800] = { 0 };

    for (int s = 0; s < VEHICLE_SIGNALS; s++) {
        const struct vehicle_signal_row *r = &vehicle_signals[s];
        uint64_t mask = (((uint64_t)1 << r->bits) - 1) << r->start_bit;

        CU_ASSERT_EQUAL(used[r->message] & mask, 0);
        used[r->message] |= mask;
        CU_ASSERT(r->source == VEHICLE_OWN || (r->source >= 0 && r->source < SAMPLE_SCALARS));
        if (r->kind == 'U') /* the top codes stay free */
            CU_ASSERT(r->max <= (int32_t)(((uint32_t)1 << r->bits) - 1 - VALIDITY_CODES));
        if (r->kind == 'S')
            CU_ASSERT(r->min >= -(int32_t)((uint32_t)1 << (r->bits - 1)) + VALIDITY_CODES &&
                      r->max < (int32_t)((uint32_t)1 << (r->bits - 1)));
    }
    for (int m = 0; m < VEHICLE_MESSAGES; m++)
        CU_ASSERT_EQUAL(ids[vehicle_messages[m].id]++, 0);
    for (int a = 0; a < VEHICLE_ARRAYS; a++)
        for (unsigned k = 0; k * vehicle_arrays[a].per_message < vehicle_arrays[a].count_max; k++)
            CU_ASSERT_EQUAL(ids[vehicle_arrays[a].first_id + k]++, 0);
}

static void test_schedule_is_even(void)
{
    int arrays = 0, last = -1;

    for (unsigned slot = 0; slot < VEHICLE_SLOTS; slot++) {
        int rows = 0, due = vehicle_array_due(slot);

        for (int m = 0; m < VEHICLE_MESSAGES; m++)
            rows += vehicle_messages[m].from == VEHICLE_BMS && vehicle_is_due((enum vehicle_message)m, slot);
        CU_ASSERT(rows >= 1 && rows <= 2); /* BMS_Safety and one more */
        CU_ASSERT(vehicle_is_due(VEHICLE_BMS_Safety, slot));
        if (due >= 0) {
            CU_ASSERT_EQUAL(due, last + 1);
            last = due;
            arrays++;
        }
    }
    CU_ASSERT_EQUAL(arrays, VEHICLE_ARRAY_MESSAGES);
    CU_ASSERT_EQUAL(vehicle_array_due(0), -1);
}

static void test_values_and_their_reasons_travel(void)
{
    struct can_frame f = vehicle_begin(0x100);

    CU_ASSERT(f.id == 0x100 && !f.ext && f.len == 8);
    vehicle_put(&f, VEHICLE_SIG_safe_voltage_dV, 6500);
    vehicle_put(&f, VEHICLE_SIG_safe_current_dA, -6000);
    vehicle_put(&f, VEHICLE_SIG_safe_mode, 4);
    CU_ASSERT_EQUAL(vehicle_get(&f, VEHICLE_SIG_safe_voltage_dV), 6500);
    CU_ASSERT_EQUAL(vehicle_get(&f, VEHICLE_SIG_safe_current_dA), -6000);
    CU_ASSERT_EQUAL(vehicle_get(&f, VEHICLE_SIG_safe_mode), 4);
    CU_ASSERT_EQUAL(f.data[0] | (f.data[1] & 0x0F), 0); /* CRC and counter are not payload */
    vehicle_put(&f, VEHICLE_SIG_safe_voltage_dV, 6501);
    vehicle_put(&f, VEHICLE_SIG_safe_current_dA, scalar_invalid(VALIDITY_STALE));
    CU_ASSERT_EQUAL(vehicle_get(&f, VEHICLE_SIG_safe_voltage_dV), scalar_invalid(VALIDITY_IMPLAUSIBLE));
    CU_ASSERT_EQUAL(vehicle_get(&f, VEHICLE_SIG_safe_current_dA), scalar_invalid(VALIDITY_STALE));
    CU_ASSERT_EQUAL(vehicle_get(&f, VEHICLE_SIG_safe_mode), 4);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the CRC is that of AUTOSAR E2E profile 1 [TA-2]", test_crc_is_that_of_e2e_profile_1 },
        { "every damaged bit, another identifier and another length are found [TA-2]", test_damage_is_found },
        { "no two rows share a bit, an identifier or a code of validity", test_rows_do_not_overlap },
        { "the schedule is even: a safety frame, one row and one array message a slot at most [TA-2]", test_schedule_is_even },
        { "values, and why there is none, come out as they went in", test_values_and_their_reasons_travel },
        CU_TEST_INFO_NULL,
    };

    return suite_run("vehicle", tests);
}
