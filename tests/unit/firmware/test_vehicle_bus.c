/* SPDX-License-Identifier: Apache-2.0 */
/* The vehicle bus: orders by themselves, then a whole BIU with a vehicle at its other end. */
#include "firmware/core/talk/vehicle_bus.h"

#include <string.h>

#include "proto/can0.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

static struct vehicle_bus v;
static int32_t params[PARAMS];

static struct can_frame orders(int drive, int charge, int off, uint8_t counter)
{
    struct can_frame f = vehicle_begin(0x300);

    vehicle_put(&f, VEHICLE_SIG_drive_request, drive);
    vehicle_put(&f, VEHICLE_SIG_charge_permission, charge);
    vehicle_put(&f, VEHICLE_SIG_hv_off, off);
    vehicle_protect(&f, counter);
    return f;
}

static void hear(struct can_frame f)
{
    vehicle_bus_take(&v, &f, 1, 10);
}

/* Orders are needed, and the sender's counter is known. */
static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    params[PARAM_vcu_orders] = 1;
    vehicle_bus_init(&v);
    hear(orders(0, 0, 0, 4));
}

static void test_orders_are_followed(void)
{
    start();
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), 0); /* the first frame only says where the counter is */
    hear(orders(1, 0, 0, 5));
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), BIU_INPUT_KEYON);
    hear(orders(0, 1, 0, 6));
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), BIU_INPUT_CHARGER);
    hear(orders(1, 1, 1, 7));
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), 0);
    hear(orders(1, 1, 0, 8));
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), BIU_INPUT_KEYON | BIU_INPUT_CHARGER);
    params[PARAM_vcu_orders] = 0; /* a vehicle without a VCU */
    vehicle_bus_init(&v);
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), BIU_INPUT_KEYON | BIU_INPUT_CHARGER);
    CU_ASSERT_FALSE(vehicle_bus_is_lost(&v, params));
}

static void test_counter(void)
{
    static const struct {
        uint8_t counter;
        bool good;
        const char *why;
    } rows[] = {
        { 5, true, "the next" },       { 5, false, "repeated" },  { 8, true, "two lost" },    { 12, false, "three lost" },
        { 13, true, "the one after" }, { 0, true, "14 is lost" }, { 14, false, "backwards" }, { 0, true, "14 is followed by 0" },
    };

    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t good = v.good, bad = v.bad_counter;

        hear(orders(1, 1, 0, rows[i].counter));
        if ((v.good == good + 1) != rows[i].good || (v.bad_counter == bad + 1) == rows[i].good)
            printf("\n    counter %u: %s ", rows[i].counter, rows[i].why);
        CU_ASSERT_EQUAL(v.good - good, rows[i].good);
        CU_ASSERT_EQUAL(v.bad_counter - bad, !rows[i].good);
    }
}

static void test_time_out(void)
{
    start();
    hear(orders(1, 1, 0, 5));
    vehicle_bus_take(&v, NULL, 0, 499);
    CU_ASSERT(vehicle_bus_allows(&v, params) && !vehicle_bus_is_lost(&v, params));
    vehicle_bus_take(&v, NULL, 0, 1);
    CU_ASSERT(!vehicle_bus_allows(&v, params) && vehicle_bus_is_lost(&v, params));
    hear(orders(1, 1, 0, 6)); /* it is there again */
    CU_ASSERT(vehicle_bus_allows(&v, params) && !vehicle_bus_is_lost(&v, params));
    for (int i = 0; i < 50; i++) /* one frame for ever is silence */
        hear(orders(1, 1, 0, 6));
    CU_ASSERT(!vehicle_bus_allows(&v, params) && vehicle_bus_is_lost(&v, params));
    vehicle_bus_take(&v, NULL, 0, UINT32_MAX);
    vehicle_bus_take(&v, NULL, 0, UINT32_MAX);
    CU_ASSERT_EQUAL(v.age_ms, INT32_MAX);
}

static void test_bad_input(void)
{
    start();
    hear(orders(1, 1, 0, 5));
    struct can_frame f = orders(0, 0, 1, 6);

    f.data[0] ^= 1;
    hear(f);
    f = orders(0, 0, 1, 6);
    f.len = 7;
    hear(f);
    CU_ASSERT_EQUAL(v.bad_crc, 2);
    f = orders(0, 0, 1, 6);
    f.ext = true;
    hear(f);
    f = orders(0, 0, 1, 6);
    f.id = 0x301;
    hear(f);
    CU_ASSERT_EQUAL(v.bad_crc, 2); /* somebody else's */
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), BIU_INPUT_KEYON | BIU_INPUT_CHARGER);
    hear(orders(2, 3, 0, 6)); /* values that are none */
    CU_ASSERT_EQUAL(vehicle_bus_allows(&v, params), 0);
    CU_ASSERT_EQUAL(v.bad_value, 2);
    hear(orders(1, 1, 2, 7)); /* an off that cannot be read is one */
    CU_ASSERT(v.orders.hv_off);
    CU_ASSERT_EQUAL(v.bad_value, 3);
}

/* --- a whole BIU --- */

enum { CELLS = 160, CAN1_IDS = 0x800 };

static struct rig rig;
static unsigned got[CAN1_IDS], most_in_a_step;
static uint32_t last_ms[CAN1_IDS], longest_ms[CAN1_IDS];
static uint8_t counter_of[CAN1_IDS];
static struct can_frame last[CAN1_IDS];
static struct can_frame from_vcu[1];
static bool vcu_talks;
static uint8_t vcu_counter;

static void note(void)
{
    if (rig.out.can1_tx_count > most_in_a_step)
        most_in_a_step = (unsigned)rig.out.can1_tx_count;
    for (size_t i = 0; i < rig.out.can1_tx_count; i++) {
        const struct can_frame *f = &rig.out.can1_tx[i];
        uint8_t counter = 0;

        CU_ASSERT_FATAL(f->id < CAN1_IDS && vehicle_check(f, &counter));
        if (got[f->id]++) {
            CU_ASSERT_EQUAL(counter, (counter_of[f->id] + 1) % VEHICLE_COUNTERS);
            if (rig.in.now_ms - last_ms[f->id] > longest_ms[f->id])
                longest_ms[f->id] = rig.in.now_ms - last_ms[f->id];
        }
        counter_of[f->id] = counter;
        last_ms[f->id] = rig.in.now_ms;
        last[f->id] = *f;
    }
}

static void live(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += BIU_STEP_MS) {
        rig.in.can1_rx_count = 0;
        if (vcu_talks && t % 20 == 0) {
            from_vcu[0] = orders(1, 1, 0, vcu_counter);
            vcu_counter = (uint8_t)((vcu_counter + 1) % VEHICLE_COUNTERS);
            rig.in.can1_rx = from_vcu;
            rig.in.can1_rx_count = 1;
        }
        rig_step(&rig);
        note();
    }
}

static void board(int cells)
{
    memset(got, 0, sizeof(got));
    memset(longest_ms, 0, sizeof(longest_ms));
    most_in_a_step = 0;
    rig_init(&rig, cells, 1000);
    rig.in.can1_room = 35;
}

static int32_t told(enum vehicle_signal sig)
{
    return vehicle_get(&last[vehicle_messages[vehicle_signals[sig].message].id], sig);
}

static int32_t told_cell(unsigned cell)
{
    const struct can_frame *f = &last[0x200 + (cell - 1) / 4];

    return can0_value_of(can0_get_raw(f, 12 + (cell - 1) % 4 * 13, 13), 13, 'U', 0, 5000);
}

static void test_schedule_on_the_bus(void)
{
    board(CELLS);
    CU_ASSERT_EQUAL(rig_start(&rig), 0);
    live(3000);
    CU_ASSERT_EQUAL(most_in_a_step, 3);
    for (int m = 0; m < VEHICLE_MESSAGES; m++) {
        const struct vehicle_message_row *r = &vehicle_messages[m];

        CU_ASSERT_EQUAL(got[r->id], r->from == VEHICLE_BMS ? 3000u / r->period_ms : 0);
        CU_ASSERT_EQUAL(longest_ms[r->id], r->from == VEHICLE_BMS ? r->period_ms : 0);
    }
    for (unsigned k = 0; k < CELLS / 4; k++) {
        CU_ASSERT_EQUAL(got[0x200 + k], 3);
        CU_ASSERT_EQUAL(longest_ms[0x200 + k], 1000);
    }
}

static void test_what_is_told(void)
{
    board(CELLS);
    rig_start(&rig);
    live(500);
    rig_set_cell(&rig, 1, 3601);
    rig_set_cell(&rig, 77, 3999);
    rig_set_cell(&rig, 160, 3812);
    live(1200);
    for (unsigned cell = 1; cell <= CELLS; cell++)
        CU_ASSERT_EQUAL(told_cell(cell), rig.biu.measure.cell_mV[cell - 1]);
    CU_ASSERT(told_cell(77) >= 3998 && told_cell(77) <= 4000);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_x_cell_max_no), 77);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_x_cell_min_no), 1);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_voltage_dV), 3700 * CELLS / 100);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_fitted_cells), CELLS);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_al_25_48), 0);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_al_1_24), 1 << 8); /* cell_spread_warning */
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_al_count), 1);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_al_worst_id), 9);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_al_worst_no), 77);
    rig.csu_silent = true;
    live(400);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_current_dA), scalar_invalid(VALIDITY_STALE));
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_mode), PACK_MODE_FAULT);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_alarm_level), ALARM_MAJOR);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_al_worst_id), 11);
    board(9); /* what is not fitted is not sent, or says so */
    rig_start(&rig);
    live(1200);
    CU_ASSERT(got[0x202] > 0 && got[0x203] == 0 && got[0x260] > 0 && got[0x261] == 0);
    CU_ASSERT(told_cell(9) > 3690);
    CU_ASSERT_EQUAL(told_cell(10), scalar_invalid(VALIDITY_NOT_FITTED));
}

static void test_no_room(void)
{
    board(CELLS);
    rig_start(&rig);
    rig.in.can1_room = 0;
    live(100);
    CU_ASSERT_EQUAL(rig.out.can1_tx_count, 0);
    rig.in.can1_room = 1; /* the safety frame first */
    live(100);
    CU_ASSERT_EQUAL(got[0x100], 10);
    CU_ASSERT_EQUAL(most_in_a_step, 1);
}

static bool drives(const struct rig *r)
{
    return r->out.contactors == BIU_RELAY_DISCHARGE;
}

static void test_orders_move_contactors(void)
{
    board(CELLS);
    rig.params[PARAM_vcu_orders] = 1;
    rig_start(&rig);
    rig.in.inputs = BIU_INPUT_KEYON;
    vcu_talks = false;
    live(400);
    CU_ASSERT_FALSE(rig_has_alarm(&rig, ALARM_vcu_silent));
    live(1600);
    CU_ASSERT(rig_has_alarm(&rig, ALARM_vcu_silent));
    CU_ASSERT_EQUAL(rig.out.contactors, 0); /* KeyOn alone is not enough */
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_orders_lost), 1);
    vcu_talks = true;
    live(3000);
    CU_ASSERT(drives(&rig));
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_orders_lost), 0);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_may_drive), 1);
    CU_ASSERT_EQUAL(told(VEHICLE_SIG_safe_relays), BIU_RELAY_DISCHARGE);
    CU_ASSERT_FALSE(rig_has_alarm(&rig, ALARM_vcu_silent));
    rig.current_mA = 50000; /* it is under way, and the vehicle's computer falls silent */
    vcu_talks = false;
    live(480); /* the last order is 10 ms old already */
    CU_ASSERT(drives(&rig) && !rig.out.no_power);
    live(10);
    CU_ASSERT(rig_has_alarm(&rig, ALARM_vcu_silent) && rig.out.less_power && rig.out.no_power);
    CU_ASSERT(drives(&rig)); /* not under load while the power can still be brought down */
    live(500);
    CU_ASSERT_EQUAL(rig.out.contactors, 0);
    CU_ASSERT_EQUAL(rig.biu.mode, PACK_MODE_DRIVING); /* until parked_after_ms */
}

static void test_sleep_forgets_orders(void)
{
    board(CELLS);
    rig.params[PARAM_vcu_orders] = 1;
    rig_start(&rig);
    rig.in.inputs = BIU_INPUT_KEYON;
    vcu_talks = true;
    live(3000);
    CU_ASSERT(drives(&rig));
    biu_wake(&rig.biu, rig.in.now_ms);
    memset(got, 0, sizeof(got));
    vcu_talks = false;
    live(490);
    CU_ASSERT_EQUAL(rig.out.contactors, 0); /* though it is not a time-out yet */
    CU_ASSERT_FALSE(rig_has_alarm(&rig, ALARM_vcu_silent));
    vcu_talks = true;
    live(3000);
    CU_ASSERT(drives(&rig));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "orders of the vehicle are followed where they are needed [TA-2]", test_orders_are_followed },
        { "an order counts only with a counter that goes on [TA-2]", test_counter },
        { "without an order for 500 ms the safe defaults hold, not at 499 ms [TA-2]", test_time_out },
        { "wrong CRC, length, identifier and values do not connect anything [TA-2]", test_bad_input },
        { "every row comes in its period, 160 cells within 1 s, three frames a slot at most [TA-2]", test_schedule_on_the_bus },
        { "what is told is what was measured, or why not [TA-2]", test_what_is_told },
        { "with little room the safety frame comes first", test_no_room },
        { "orders from before a sleep are none [TA-2]", test_sleep_forgets_orders },
        { "lost orders bring the power down, raise an alarm and open the contactors [TA-2] [AC-6]", test_orders_move_contactors },
        CU_TEST_INFO_NULL,
    };

    return suite_run("vehicle_bus", tests);
}
