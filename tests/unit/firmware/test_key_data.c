/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "firmware/core/store/key_data.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

static struct rig r;
static struct key_data k;
static int32_t params[PARAMS];

static void test_extremes_keep_their_cells(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    rig_run(&r, 500);
    rig_set_cell(&r, 7, 4100);
    rig_set_cell(&r, 40, 3200);
    rig_run(&r, 100);
    rig_set_cell(&r, 7, 3700);
    rig_set_cell(&r, 40, 3700);
    rig_set_cell(&r, 9, 4100); /* not higher, not lower: the first stays */
    rig_set_cell(&r, 10, 3200);
    rig_run(&r, 100);
    k = r.biu.key;
    CU_ASSERT(k.cell_max.known && k.cell_max.value == 4100 && k.cell_max.number == 7);
    CU_ASSERT(k.cell_min.known && k.cell_min.value == 3200 && k.cell_min.number == 40);
    CU_ASSERT(k.temp_max.known && k.temp_max.value == 250 && k.temp_min.value == 250);
}

static void test_charge_is_counted_both_ways(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    r.current_mA = 36000;
    rig_run(&r, 10000);
    r.current_mA = -18000;
    rig_run(&r, 10000);
    CU_ASSERT_EQUAL(r.biu.key.discharged_mAms, 360000000); /* 100 mAh */
    CU_ASSERT_EQUAL(r.biu.key.charged_mAms, 180000000);
    CU_ASSERT_EQUAL(r.biu.key.discharge_max_mA, 36000);
    CU_ASSERT_EQUAL(r.biu.key.charge_max_mA, 18000);
    r.csu_silent = true;
    rig_run(&r, 1000);
    CU_ASSERT(r.biu.key.charged_mAms <= 180000000 + 18000 * 200); /* nothing is counted that is not measured */
}

static bool due(struct key_saving *s, int32_t supply_mV, uint32_t dt_ms)
{
    return key_data_is_due(s, supply_mV, dt_ms, params);
}

static void test_saves_once_when_the_supply_falls_and_every_so_often(void)
{
    struct key_saving s = { 0 };

    params_defaults(CHEMISTRY_NMC, params);
    CU_ASSERT_FALSE(due(&s, 8001, 10));
    CU_ASSERT(due(&s, 8000, 10)); /* exactly the limit */
    CU_ASSERT_FALSE(due(&s, 7000, 10));
    CU_ASSERT_FALSE(due(&s, 8499, 10)); /* too little to be back */
    CU_ASSERT_FALSE(due(&s, 8000, 10));
    CU_ASSERT_FALSE(due(&s, 8500, 10));
    CU_ASSERT(due(&s, 8000, 10));
    CU_ASSERT_FALSE(due(&s, 8000, 700000)); /* no writes while the power goes */
    CU_ASSERT(due(&s, 12000, 10));          /* it was long ago */
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FALSE(due(&s, 12000, 599999));
        CU_ASSERT(due(&s, 12000, 1));
    }
    CU_ASSERT_FALSE(due(&s, scalar_invalid(VALIDITY_STALE), 10)); /* a reading that is not there is not low */
}

static void test_a_falling_supply_saves_in_the_same_step(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    rig_run(&r, 2000);
    CU_ASSERT_FALSE(r.out.key_save);
    r.in.supply_mV = 7900;
    rig_step(&r);
    CU_ASSERT(r.out.key_save);
    rig_step(&r);
    CU_ASSERT_FALSE(r.out.key_save);
}

static void test_bytes_hold_everything(void)
{
    uint8_t bytes[KEY_DATA_SIZE], again[KEY_DATA_SIZE];

    for (int i = 0; i < KEY_DATA_SIZE; i++)
        bytes[i] = (uint8_t)(i * 37 + 1);
    bytes[28] = bytes[33] = bytes[38] = 1; /* known */
    bytes[43] = 0;
    memset(&k, 0, sizeof(k));
    key_data_unpack(&k, bytes, sizeof(bytes));
    key_data_pack(&k, again);
    CU_ASSERT_EQUAL(memcmp(bytes, again, sizeof(bytes)), 0);
}

/* SOC, counters and wear go on where they were; SOC not when the cells say that they are others. */
static void test_boot_goes_on_where_it_was(void)
{
    rig_init(&r, 48, 0);
    rig_start(&r);
    r.biu.params.running[PARAM_output5_role] = OUTPUT_AUX;
    r.biu.params.running[PARAM_output5_load_dA] = 30;
    r.in.inputs = BIU_INPUT_KEYON;
    r.current_mA = 100000;
    rig_run(&r, 60000);
    soc_filter_set(&r.biu.soc.mean, 0.5f, 0.01f); /* the rig's cells do not follow the current */
    rig_set_cell(&r, 3, 4250);
    rig_run(&r, 500);
    k = r.biu.key;
    CU_ASSERT_EQUAL(k.wear[0].closed, 1);
    CU_ASSERT_EQUAL(k.wear[0].load_A, 100);
    CU_ASSERT(k.wear[4].closed == 1 && k.wear[4].load_A == 3); /* RL5, with the contactors */
    CU_ASSERT_EQUAL(k.alarms[2], 1);
    int32_t soc = soc_permyriad(&r.biu.soc), band = soc_band_permyriad(&r.biu.soc);
    struct biu_config cfg = { .params = r.params, .boot = 8, .ring = r.ring, .ring_size = RIG_RING, .key = &k };

    rig_init(&r, 48, 0);
    biu_init(&r.biu, &cfg, 0);
    rig_run(&r, 500);
    CU_ASSERT(abs(soc_permyriad(&r.biu.soc) - soc) <= 20); /* what 500 ms at rest tell */
    CU_ASSERT(soc_band_permyriad(&r.biu.soc) >= band && soc_band_permyriad(&r.biu.soc) <= band + 150);
    CU_ASSERT_EQUAL(r.biu.contactor.wear[0].closed, 1);
    CU_ASSERT(r.biu.outputs.wear[1].closed == 1 && r.biu.outputs.wear[1].load_A == 3);
    CU_ASSERT_EQUAL(r.biu.key.discharged_mAms, k.discharged_mAms);
    CU_ASSERT_EQUAL(r.biu.alarms.row[ALARM_cell_over_voltage].count, 1);
    CU_ASSERT_EQUAL(r.biu.key.boot, 8);

    rig_init(&r, 48, 0);
    fake_chain_init(&r.chain, 3, 4050); /* other cells */
    biu_init(&r.biu, &cfg, 0);
    rig_run(&r, 500);
    CU_ASSERT(abs(soc_permyriad(&r.biu.soc) - soc_of_ocv(CHEMISTRY_NMC, 4050)) <= 10);
}

/* RL1 to RL8 in order, as a tester reads them. */
static void test_a_tester_reads_the_wear(void)
{
    static const uint8_t request[] = { 0x22, 0x10, 0x12 };
    uint8_t answer[80];

    rig_init(&r, 48, 0);
    rig_start(&r);
    for (uint32_t i = 0; i < KEY_RELAYS; i++) {
        struct relay_wear *w = i < CONTACTOR_RELAYS ? &r.biu.contactor.wear[i] : &r.biu.outputs.wear[i - CONTACTOR_RELAYS];

        *w = (struct relay_wear) { 0x01020300 + i, 0x0A0B0C00 + i };
    }
    rig_run(&r, 20);
    CU_ASSERT_EQUAL_FATAL(rig_ask(&r, request, sizeof(request), answer, sizeof(answer)), 3 + 8 * KEY_RELAYS);
    CU_ASSERT(answer[0] == 0x62 && answer[1] == 0x10 && answer[2] == 0x12);
    for (uint32_t i = 0; i < KEY_RELAYS; i++) {
        CU_ASSERT_EQUAL(get_be32(answer + 3 + 8 * i), 0x01020300 + i);
        CU_ASSERT_EQUAL(get_be32(answer + 7 + 8 * i), 0x0A0B0C00 + i);
    }
    r.biu.uds.wear = NULL; /* a board that does not tell */
    CU_ASSERT_EQUAL(rig_ask(&r, request, sizeof(request), answer, sizeof(answer)), 3);
    CU_ASSERT_EQUAL(answer[0], 0x7F);
}

static void test_extremes_of_temperature_go_both_ways(void)
{
    struct measure x = { .temp = { .max = { true, 300, 2 }, .min = { true, 100, 3 } } };

    memset(&k, 0, sizeof(k));
    key_data_note(&k, &x, 0, 10);
    x.temp.max.value = 299;
    x.temp.min.value = 101;
    key_data_note(&k, &x, 0, 10);
    CU_ASSERT(k.temp_max.value == 300 && k.temp_min.value == 100);
    x.temp.max = (struct measure_extreme) { true, 301, 5 };
    x.temp.min = (struct measure_extreme) { true, 99, 6 };
    key_data_note(&k, &x, 0, 10);
    CU_ASSERT(k.temp_max.value == 301 && k.temp_max.number == 5 && k.temp_min.value == 99 && k.temp_min.number == 6);
}

static void test_a_milliampere_for_a_millisecond_counts_once(void)
{
    struct measure nothing = { 0 };

    memset(&k, 0, sizeof(k));
    key_data_note(&k, &nothing, 0, 1000);
    CU_ASSERT(k.discharged_mAms == 0 && k.charged_mAms == 0 && k.discharge_max_mA == 0 && k.charge_max_mA == 0);
    key_data_note(&k, &nothing, 1, 1);
    CU_ASSERT(k.discharged_mAms == 1 && k.charged_mAms == 0 && k.discharge_max_mA == 1 && k.charge_max_mA == 0);
    key_data_note(&k, &nothing, -1, 1);
    CU_ASSERT(k.discharged_mAms == 1 && k.charged_mAms == 1 && k.discharge_max_mA == 1 && k.charge_max_mA == 1);
    CU_ASSERT_FALSE(k.cell_max.known || k.temp_min.known);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "extremes keep their cells [AC-7]", test_extremes_keep_their_cells },
        { "charge is counted both ways [AC-7]", test_charge_is_counted_both_ways },
        { "saves once when the supply falls, and every so often [AC-7]", test_saves_once_when_the_supply_falls_and_every_so_often },
        { "a falling supply saves in the same step [AC-7]", test_a_falling_supply_saves_in_the_same_step },
        { "the bytes hold everything [AC-7]", test_bytes_hold_everything },
        { "a boot goes on where it was, but not with other cells [AC-7]", test_boot_goes_on_where_it_was },
        { "a tester reads the wear of RL1 to RL8 [AC-1]", test_a_tester_reads_the_wear },
        { "extremes of temperature go both ways [AC-7]", test_extremes_of_temperature_go_both_ways },
        { "a milliampere for a millisecond counts once, on its side [AC-7]", test_a_milliampere_for_a_millisecond_counts_once },
        CU_TEST_INFO_NULL,
    };

    return suite_run("key_data", tests);
}
