/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/can0.h"

#include "common/err.h"
#include "proto/sample.h"
#include "tests/unit/suite.h"

static void test_every_signal_survives_at_its_limits(void)
{
    for (int s = 0; s < CAN0_SIGNALS; s++) {
        const struct can0_signal_row *r = &can0_signals[s];
        struct can_frame f = can0_begin(r->message, CAN0_ADDR_BIU);

        if (r->kind == 'B')
            continue;
        can0_put(&f, (enum can0_signal)s, r->min);
        CU_ASSERT_EQUAL(can0_get(&f, (enum can0_signal)s), r->min);
        can0_put(&f, (enum can0_signal)s, r->max);
        CU_ASSERT_EQUAL(can0_get(&f, (enum can0_signal)s), r->max);
        can0_put(&f, (enum can0_signal)s, r->max + 1);
        CU_ASSERT_EQUAL(can0_get(&f, (enum can0_signal)s), scalar_invalid(VALIDITY_IMPLAUSIBLE));
        can0_put(&f, (enum can0_signal)s, r->min - 1);
        CU_ASSERT_EQUAL(can0_get(&f, (enum can0_signal)s), scalar_invalid(VALIDITY_IMPLAUSIBLE));
    }
}

static void test_every_reason_survives_in_every_signal(void)
{
    for (int s = 0; s < CAN0_SIGNALS; s++) {
        struct can_frame f = can0_begin(can0_signals[s].message, CAN0_ADDR_BIU);

        for (int why = VALIDITY_NEVER; can0_signals[s].kind != 'B' && why <= VALIDITY_NOT_FITTED; why++) {
            can0_put(&f, (enum can0_signal)s, scalar_invalid((enum validity)why));
            CU_ASSERT_EQUAL(scalar_validity(can0_get(&f, (enum can0_signal)s)), why);
        }
    }
}

static void test_no_two_signals_overlap_and_all_lie_in_the_payload(void)
{
    for (int a = 0; a < CAN0_SIGNALS; a++) {
        const struct can0_signal_row *r = &can0_signals[a];

        CU_ASSERT(r->start_bit >= 16 && r->start_bit + r->bits <= 64);
        for (int b = a + 1; b < CAN0_SIGNALS; b++) {
            const struct can0_signal_row *o = &can0_signals[b];

            if (o->message == r->message)
                CU_ASSERT(o->start_bit >= r->start_bit + r->bits || r->start_bit >= o->start_bit + o->bits);
        }
    }
}

static void test_no_range_touches_the_reserved_codes(void)
{
    for (int s = 0; s < CAN0_SIGNALS; s++) {
        const struct can0_signal_row *r = &can0_signals[s];
        int64_t top = (int64_t)1 << r->bits, half = top / 2;

        if (r->kind == 'U')
            CU_ASSERT(r->min >= 0 && r->max < top - VALIDITY_CODES);
        if (r->kind == 'S')
            CU_ASSERT(r->max < half && r->min > -half + VALIDITY_CODES - 1);
    }
}

static void test_no_two_messages_share_a_number(void)
{
    uint8_t used[256] = { 0 };

    for (int m = 0; m < CAN0_MESSAGES; m++)
        CU_ASSERT_EQUAL(used[can0_messages[m].number]++, 0);
    for (int a = 0; a < CAN0_ARRAYS; a++)
        for (unsigned k = 0; k < can0_arrays[a].count_max; k += can0_arrays[a].per_message)
            CU_ASSERT_EQUAL(used[can0_arrays[a].first_number + k / can0_arrays[a].per_message]++, 0);
}

static void test_any_damaged_bit_of_a_frame_is_found(void)
{
    struct can_frame f = can0_begin(CAN0_BIU_PackElectrical, CAN0_ADDR_BIU);
    unsigned number;
    uint8_t address;

    can0_put(&f, CAN0_SIG_pack_voltage_mV, 352123);
    can0_finish(&f, 200);
    CU_ASSERT_EQUAL(can0_check(&f, &number, &address), BMS_ERR_OK);
    CU_ASSERT(number == CAN0_BIU_PackElectrical && address == CAN0_ADDR_BIU && f.data[1] == 200);
    for (unsigned bit = 0; bit < 64; bit++) {
        f.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(can0_check(&f, &number, &address), BMS_ERR_CORRUPT);
        f.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    f.id += 0x100; /* right bytes under another identifier */
    CU_ASSERT_EQUAL(can0_check(&f, &number, &address), BMS_ERR_CORRUPT);
}

static void test_neighbours_are_left_alone(void)
{
    struct can_frame f = can0_begin(CAN0_BIU_PackState, CAN0_ADDR_BIU);

    can0_put(&f, CAN0_SIG_soc_permyriad, 5400);
    can0_put(&f, CAN0_SIG_soh_permyriad, 9876);
    can0_put(&f, CAN0_SIG_mode, PACK_MODE_CHARGING);
    can0_put(&f, CAN0_SIG_soc_permyriad, 1);
    CU_ASSERT_EQUAL(can0_get(&f, CAN0_SIG_soc_permyriad), 1);
    CU_ASSERT_EQUAL(can0_get(&f, CAN0_SIG_soh_permyriad), 9876);
    CU_ASSERT_EQUAL(can0_get(&f, CAN0_SIG_mode), PACK_MODE_CHARGING);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "every signal survives at its limits, one past is implausible [TA-1]", test_every_signal_survives_at_its_limits },
        { "every reason survives in every signal", test_every_reason_survives_in_every_signal },
        { "no two signals overlap and all lie in the payload", test_no_two_signals_overlap_and_all_lie_in_the_payload },
        { "no range touches the reserved codes", test_no_range_touches_the_reserved_codes },
        { "no two messages share a number", test_no_two_messages_share_a_number },
        { "any damaged bit of a frame is found [TA-1]", test_any_damaged_bit_of_a_frame_is_found },
        { "neighbours are left alone", test_neighbours_are_left_alone },
        CU_TEST_INFO_NULL,
    };
    return suite_run("can0", tests);
}
