/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "firmware/core/talk/modbus.h"
#include "proto/catalogue.h"
#include "tests/unit/firmware/tester_rig.h"
#include "tests/unit/suite.h"

static struct tester_rig t;
static uint8_t out[MODBUS_PDU_MAX];
static size_t n;
static struct sample *s; /* the newest */

static void start(void)
{
    tester_rig_init(&t);
    s = sampler_add(&t.sampler);

    s->cells = 20;
    s->temps = 4;
    s->alarms = 1;
    s->alarm[0] = (struct sample_alarm) { .alarm = 2, .level = ALARM_MAJOR, .number = 7, .value = -5 };
    for (int i = 0; i < SAMPLE_SCALARS; i++)
        s->scalar[i] = scalar_invalid(VALIDITY_NOT_FITTED);
    for (int i = 0; i < 20; i++)
        s->cell_mV[i] = (uint16_t)(3700 + i);
    for (int i = 0; i < 4; i++)
        s->temp_ddegC[i] = (int16_t)(-20 + i);
    s->scalar[SAMPLE_pack_voltage_mV] = 370099;
    s->scalar[SAMPLE_pack_current_mA] = -12350;
}

static void ask(const uint8_t *pdu, size_t len)
{
    memset(out, 0xEE, sizeof(out));
    n = modbus_answer(&t.uds, pdu, len, out);
}
#define ASK(...) ask((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static bool refused(uint8_t function, uint8_t why)
{
    return n == 2 && out[0] == (function | 0x80) && out[1] == why;
}

static void ask_16(uint8_t function, unsigned address, unsigned value)
{
    uint8_t pdu[5] = { function };

    put_be16(pdu + 1, (uint16_t)address);
    put_be16(pdu + 3, (uint16_t)value);
    ask(pdu, sizeof(pdu));
}

/* One register, or 0xDEAD when the answer is no value. */
static unsigned reading(uint8_t function, unsigned address)
{
    ask_16(function, address, 1);
    return n == 4 && out[0] == function && out[1] == 2 ? get_be16(out + 2) : 0xDEAD;
}

static void write_many(unsigned address, const uint16_t *values, unsigned count)
{
    uint8_t pdu[6 + 2 * MODBUS_WRITE_MAX] = { MODBUS_WRITE_MANY };

    put_be16(pdu + 1, (uint16_t)address);
    put_be16(pdu + 3, (uint16_t)count);
    pdu[5] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++)
        put_be16(pdu + 6 + 2 * i, values[i]);
    ask(pdu, 6 + 2 * count);
}

static void test_what_a_display_shows(void)
{
    start();
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_pack_voltage), 3700);
    CU_ASSERT_EQUAL((int16_t)reading(4, MODBUS_AT_pack_current), -123);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_soc), cell_invalid(VALIDITY_NOT_FITTED));
    s->scalar[SAMPLE_pack_current_mA] = scalar_invalid(VALIDITY_STALE);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_pack_current), (uint16_t)temp_invalid(VALIDITY_STALE));
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cells), 20);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell_max), 3719);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell_max_no), 20);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell_min), 3700);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell_min_no), 1);
    CU_ASSERT_EQUAL((int16_t)reading(4, MODBUS_AT_temp_max), -17);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_temp_min_no), 1);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_catalogue_high), board_catalogue.hash >> 16);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_catalogue_low), (uint16_t)board_catalogue.hash);
    ask_16(4, MODBUS_AT_alarm, 5);
    CU_ASSERT(n == 12 && get_be16(out + 2) == 2 && get_be16(out + 4) == ALARM_MAJOR && get_be16(out + 6) == 7);
    CU_ASSERT(get_be16(out + 8) == 0xFFFB && get_be16(out + 10) == 0);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell + 19), 3719);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell + 20), cell_invalid(VALIDITY_NOT_FITTED));
    CU_ASSERT_EQUAL((int16_t)reading(4, MODBUS_AT_temp + 3), -17);
}

static void test_before_the_first_sample(void)
{
    tester_rig_init(&t);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_pack_voltage), cell_invalid(VALIDITY_NEVER));
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell_max_no), 0);
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell_max), cell_invalid(VALIDITY_NOT_FITTED));
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cells), 0);
}

static void test_too_large_a_value(void)
{
    start();
    s->scalar[SAMPLE_pack_voltage_mV] = 100 * 0xFFF9;
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_pack_voltage), 0xFFF8); /* the codes above it mean something else */
    s->scalar[SAMPLE_pack_current_mA] = -100 * 32768;
    CU_ASSERT_EQUAL((int16_t)reading(4, MODBUS_AT_pack_current), INT16_MIN + VALIDITY_CODES);
}

static void test_reading_bounds(void)
{
    start();
    ask_16(4, MODBUS_AT_cell, 125);
    CU_ASSERT(n == 252 && out[1] == 250);
    ask_16(4, MODBUS_AT_cell, 126);
    CU_ASSERT(refused(4, MODBUS_ILLEGAL_VALUE));
    ask_16(4, MODBUS_AT_cell, 0);
    CU_ASSERT(refused(4, MODBUS_ILLEGAL_VALUE));
    ask_16(4, MODBUS_AT_cell + 159, 2);
    CU_ASSERT(refused(4, MODBUS_ILLEGAL_ADDRESS));
    CU_ASSERT_EQUAL(reading(4, MODBUS_AT_cell + 159), cell_invalid(VALIDITY_NOT_FITTED));
    ask_16(4, 0xFFFF, 2);
    CU_ASSERT(refused(4, MODBUS_ILLEGAL_ADDRESS));
    ask_16(3, 3, 1);
    CU_ASSERT(refused(3, MODBUS_ILLEGAL_ADDRESS));
    ASK(4, 0, 0, 0);
    CU_ASSERT(refused(4, MODBUS_ILLEGAL_VALUE));
    ASK(4, 0, 0, 0, 1, 0);
    CU_ASSERT(refused(4, MODBUS_ILLEGAL_VALUE));
    for (unsigned f = 0; f < 0x80; f++) {
        if (f == 3 || f == 4 || f == 6 || f == 0x10 || f == 0x2B)
            continue;
        ask_16((uint8_t)f, 0, 1);
        CU_ASSERT(refused((uint8_t)f, MODBUS_ILLEGAL_FUNCTION));
    }
}

static void test_parameters_of_16_bits(void)
{
    start();
    unsigned balance = MODBUS_PARAM_16 + param_rows[PARAM_balance_start_mV].id,
             cold = MODBUS_PARAM_16 + param_rows[PARAM_under_temperature_limit].id;

    CU_ASSERT_EQUAL(reading(3, balance), 50);
    ask_16(6, balance, 77);
    CU_ASSERT(n == 5 && out[0] == 6 && get_be16(out + 1) == balance && get_be16(out + 3) == 77);
    CU_ASSERT_EQUAL(t.params.running[PARAM_balance_start_mV], 77);
    CU_ASSERT_EQUAL(t.params.stored[PARAM_balance_start_mV], 50);
    ask_16(6, balance, 29);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_VALUE));
    ask_16(6, cold, (uint16_t)-150);
    CU_ASSERT_EQUAL(t.params.running[PARAM_under_temperature_limit], -150);
    CU_ASSERT_EQUAL((int16_t)reading(3, cold), -150);
    ask_16(6, MODBUS_PARAM_16 + 99, 1); /* there is no such parameter */
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_ADDRESS));
    ask_16(6, MODBUS_PARAM_16 + param_rows[PARAM_capacity_mAh].id, 1); /* its values do not fit */
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_ADDRESS));
    CU_ASSERT_EQUAL(reading(3, MODBUS_PARAM_16 + param_rows[PARAM_capacity_mAh].id), 0xDEAD);
    ASK(6, 0, 0, 0);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_VALUE));
}

static void test_parameters_of_32_bits(void)
{
    start();
    unsigned capacity = MODBUS_PARAM_RUNNING + 2u * param_rows[PARAM_capacity_mAh].id,
             stored = capacity - MODBUS_PARAM_RUNNING + MODBUS_PARAM_STORED;
    int32_t was = t.params.running[PARAM_capacity_mAh];

    ask_16(3, capacity, 2);
    CU_ASSERT(n == 6 && (int32_t)get_be32(out + 2) == was);
    write_many(capacity, (const uint16_t[]) { 1, 0x86A0 }, 2);
    CU_ASSERT(n == 5 && out[0] == 0x10 && get_be16(out + 1) == capacity && get_be16(out + 3) == 2);
    CU_ASSERT_EQUAL(t.params.running[PARAM_capacity_mAh], 100000);
    ask_16(3, stored, 2);
    CU_ASSERT_EQUAL((int32_t)get_be32(out + 2), was);
    write_many(capacity, (const uint16_t[]) { 1 }, 1);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_ADDRESS)); /* half a value */
    write_many(capacity + 1, (const uint16_t[]) { 1, 1 }, 2);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_ADDRESS));
    write_many(stored, (const uint16_t[]) { 1, 0x86A0 }, 2);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_ADDRESS)); /* read only */
    ask_16(6, capacity, 1);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_ADDRESS));
    write_many(capacity, (const uint16_t[]) { 0xFFFF, 0xFFFF }, 2);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_VALUE));
}

static void test_all_or_nothing(void)
{
    start();
    unsigned limit = MODBUS_PARAM_RUNNING + 2u * param_rows[PARAM_cell_over_voltage_limit].id; /* the row behind it is its clear value */

    write_many(limit, (const uint16_t[]) { 0, 4240, 0, 4200 }, 4);
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT(t.params.running[PARAM_cell_over_voltage_limit] == 4240 && t.params.running[PARAM_cell_over_voltage_clear] == 4200);
    write_many(limit, (const uint16_t[]) { 0, 4230, 0xFFFF, 4190 }, 4);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_VALUE));
    CU_ASSERT_EQUAL(t.params.running[PARAM_cell_over_voltage_limit], 4240);
    ASK(0x10, 0, 2, 0, 1, 4, 0, 1, 0, 1);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_VALUE));
    ASK(0x10, 0, 2, 0, 1, 2, 0);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_VALUE));
    ASK(0x10, 0, 2, 0, 0, 0);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_VALUE));
    ASK(0x10, 0xFF, 0xFF, 0, 2, 4, 0, 1, 0, 1);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_ADDRESS));
    write_many(MODBUS_HOLD_soc_set, (const uint16_t[]) { 1, 1 }, 2);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_ADDRESS));
}

static void test_store(void)
{
    start();
    CU_ASSERT_EQUAL(reading(3, MODBUS_HOLD_result), 0);
    ask_16(6, MODBUS_HOLD_command, 2);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_VALUE));
    ask_16(6, MODBUS_HOLD_command, 1);
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT(t.uds.store);
    CU_ASSERT_EQUAL(reading(3, MODBUS_HOLD_result), 1);
    ask_16(6, MODBUS_HOLD_command, 1);
    CU_ASSERT(refused(6, MODBUS_BUSY));
    ask_16(6, MODBUS_PARAM_16 + param_rows[PARAM_balance_start_mV].id, 77);
    CU_ASSERT(refused(6, MODBUS_BUSY));                          /* no value changes while all are being stored */
    CU_ASSERT_EQUAL(uds_poll(&t.uds, 10, BIU_NVM_DONE, out), 0); /* no tester waits for it */
    CU_ASSERT_EQUAL(reading(3, MODBUS_HOLD_result), 2);
    ask_16(6, MODBUS_HOLD_command, 1);
    uds_poll(&t.uds, 10, BIU_NVM_FAILED, out);
    CU_ASSERT_EQUAL(reading(3, MODBUS_HOLD_result), 3);
    params_set(&t.params, PARAM_bmu02_devices, 1);
    ask_16(6, MODBUS_HOLD_command, 1);
    CU_ASSERT(refused(6, MODBUS_FAILURE)); /* that pack cannot be */
    ask_16(6, MODBUS_HOLD_result, 0);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_ADDRESS));
}

static void test_soc(void)
{
    start();
    CU_ASSERT_EQUAL(reading(3, MODBUS_HOLD_soc_set), 65535);
    ask_16(6, MODBUS_HOLD_soc_set, 10001);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_VALUE));
    ask_16(6, MODBUS_HOLD_soc_set, 4200);
    CU_ASSERT_EQUAL(n, 5);
    CU_ASSERT_EQUAL(reading(3, MODBUS_HOLD_soc_set), 4200);
    CU_ASSERT_EQUAL(soc_permyriad(&t.soc), 4200);
}

static void test_locked(void)
{
    start();
    params_set(&t.params, PARAM_write_needs_key, 1);
    ask_16(6, MODBUS_PARAM_16 + param_rows[PARAM_balance_start_mV].id, 77);
    CU_ASSERT(refused(6, MODBUS_ILLEGAL_FUNCTION));
    write_many(MODBUS_HOLD_soc_set, (const uint16_t[]) { 1 }, 1);
    CU_ASSERT(refused(0x10, MODBUS_ILLEGAL_FUNCTION));
    CU_ASSERT_EQUAL(reading(3, MODBUS_PARAM_16 + param_rows[PARAM_balance_start_mV].id), 50);
}

static void test_identification(void)
{
    start();
    ASK(0x2B, 0x0E, 1, 0);
    CU_ASSERT_EQUAL(memcmp(out,
                           "\x2B\x0E\x01\x82\x00\x00\x03\x00\x0A"
                           "Cellwarden\x01\x03"
                           "BIU\x02\x05"
                           "0.1.0",
                           7 + 12 + 5 + 7),
                    0);
    CU_ASSERT_EQUAL(n, 7 + 12 + 5 + 7);
    ASK(0x2B, 0x0E, 2, 1);
    CU_ASSERT(out[6] == 3 && out[7] == 1);
    ASK(0x2B, 0x0E, 1, 0x50); /* an object that is not there: from the first */
    CU_ASSERT(out[6] == 3 && out[7] == 0);
    ASK(0x2B, 0x0E, 4, 4);
    CU_ASSERT(out[6] == 1 && out[7] == 4);
    ASK(0x2B, 0x0E, 4, 3);
    CU_ASSERT(refused(0x2B, MODBUS_ILLEGAL_ADDRESS));
    ASK(0x2B, 0x0E, 5, 0);
    CU_ASSERT(refused(0x2B, MODBUS_ILLEGAL_VALUE));
    ASK(0x2B, 0x0E, 1);
    CU_ASSERT(refused(0x2B, MODBUS_ILLEGAL_VALUE));
    ASK(0x2B, 0x0D, 1, 0);
    CU_ASSERT(refused(0x2B, MODBUS_ILLEGAL_FUNCTION));
    ASK(0x2B);
    CU_ASSERT(refused(0x2B, MODBUS_ILLEGAL_VALUE));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a display reads voltage, current, extremes, cells and alarms [TA-5]", test_what_a_display_shows },
        { "before the first sample nothing is 0 that is not known", test_before_the_first_sample },
        { "what does not fit into a register is at its end, below the codes", test_too_large_a_value },
        { "reading: 1 to 125 registers that are all there; other functions are refused [TA-4]", test_reading_bounds },
        { "06 edits a parameter of 16 bits inside its row [TA-5]", test_parameters_of_16_bits },
        { "16 edits parameters of 32 bits, never half of one [TA-5]", test_parameters_of_32_bits },
        { "a write is done as a whole or not at all", test_all_or_nothing },
        { "the command register stores, and its end can be read [TA-5]", test_store },
        { "the SOC can be set, and reads 65535 before that [ES-5]", test_soc },
        { "with write_needs_key nothing can be written", test_locked },
        { "43/14 says who we are", test_identification },
        CU_TEST_INFO_NULL,
    };

    return suite_run("modbus", tests);
}
