/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/core/charge/gbt27930.h"
#include "firmware/core/charge/j1939_tp.h"
#include "tests/unit/firmware/can_log.h"
#include "tests/unit/suite.h"

static struct can_log_line lines[CAN_LOG_MAX];

static int32_t get(enum gbt_field field, const uint8_t *data, size_t n)
{
    int32_t v;

    CU_ASSERT(gbt_get(field, data, n, &v));
    return v;
}

static void test_identifiers(void)
{
    static const struct {
        enum gbt_msg msg;
        uint32_t id;
    } rows[] = { { GBT_CHM, 0x1826F456 }, { GBT_BHM, 0x182756F4 }, { GBT_CRM, 0x1801F456 }, { GBT_CTS, 0x1807F456 },
                 { GBT_CML, 0x1808F456 }, { GBT_BRO, 0x100956F4 }, { GBT_CRO, 0x100AF456 }, { GBT_BCL, 0x181056F4 },
                 { GBT_CCS, 0x1812F456 }, { GBT_BSM, 0x181356F4 }, { GBT_BST, 0x101956F4 }, { GBT_CST, 0x101AF456 },
                 { GBT_BSD, 0x181C56F4 }, { GBT_CSD, 0x181DF456 }, { GBT_BEM, 0x081E56F4 }, { GBT_CEM, 0x081FF456 } };
    uint8_t data[8] = { 0 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct can_frame f = gbt_frame(rows[i].msg, data, gbt_msgs[rows[i].msg].longest);

        CU_ASSERT_EQUAL(f.id, rows[i].id);
        CU_ASSERT_EQUAL(gbt_of_frame(&f), rows[i].msg);
        f.id ^= 0x0000A2A2u; /* from the wrong side */
        CU_ASSERT_EQUAL(gbt_of_frame(&f), -1);
    }
}

/* Bytes of recorded frames, values worked out by hand. */
static void test_values(void)
{
    const uint8_t bhm[] = { 0x8E, 0x17 }, bcl[] = { 0x52, 0x17, 0x82, 0x0F, 2 }, bcs[] = { 0x25, 0x13, 0xA0, 0x0F, 0x73, 0x11, 0x61, 0, 0 };
    const uint8_t bcp[] = { 0x9E, 1, 0xB8, 0xB, 0x4E, 0, 0x8E, 0x17, 0x6E, 0xCA, 3, 0x24, 0x13 };
    const uint8_t cml[] = { 0x1C, 0x25, 0x7C, 1, 0xDC, 5, 0xA0, 0xF }, bsm[] = { 0x42, 0x4B, 1, 0x4A, 0x1B, 0, 0xD0 };

    CU_ASSERT_EQUAL(get(GBT_BHM_max_mV, bhm, 2), 603000);
    CU_ASSERT_EQUAL(get(GBT_BCL_demand_mV, bcl, 5), 597000);
    CU_ASSERT_EQUAL(get(GBT_BCL_demand_mA, bcl, 5), -3000);
    CU_ASSERT_EQUAL(get(GBT_BCL_mode, bcl, 5), 2);
    CU_ASSERT_EQUAL(get(GBT_BCS_pack_mV, bcs, 9), 490100);
    CU_ASSERT_EQUAL(get(GBT_BCS_pack_mA, bcs, 9), 0);
    CU_ASSERT_EQUAL(get(GBT_BCS_cell_max_mV, bcs, 9), 3710);
    CU_ASSERT_EQUAL(get(GBT_BCS_cell_max_group, bcs, 9), 1);
    CU_ASSERT_EQUAL(get(GBT_BCS_soc_percent, bcs, 9), 97);
    CU_ASSERT_EQUAL(get(GBT_BCP_cell_max_mV, bcp, 13), 4140);
    CU_ASSERT_EQUAL(get(GBT_BCP_max_mA, bcp, 13), -100000);
    CU_ASSERT_EQUAL(get(GBT_BCP_energy_Wh, bcp, 13), 7800);
    CU_ASSERT_EQUAL(get(GBT_BCP_max_degC, bcp, 13), 60);
    CU_ASSERT_EQUAL(get(GBT_BCP_soc_permille, bcp, 13), 970);
    CU_ASSERT_EQUAL(get(GBT_CML_max_mV, cml, 8), 950000);
    CU_ASSERT_EQUAL(get(GBT_CML_min_mV, cml, 8), 38000);
    CU_ASSERT_EQUAL(get(GBT_CML_max_mA, cml, 8), -250000);
    CU_ASSERT_EQUAL(get(GBT_CML_min_mA, cml, 8), 0);
    CU_ASSERT_EQUAL(get(GBT_BSM_cell_max_no, bsm, 7), 67);
    CU_ASSERT_EQUAL(get(GBT_BSM_temp_max_degC, bsm, 7), 25);
    CU_ASSERT_EQUAL(get(GBT_BSM_temp_min_degC, bsm, 7), 24);
    CU_ASSERT_EQUAL(get(GBT_BSM_permitted, bsm, 7), 1);
}

static void test_lengths(void)
{
    uint8_t ccs[8] = { 0x2A, 0, 0xA0, 0xF, 0, 0, 0xFD, 0xFF };
    size_t size;
    int32_t v;
    uint8_t brm[GBT_BRM_LONG] = { 0 };

    for (size_t n = 0; n <= 600; n++) {
        CU_ASSERT_EQUAL(gbt_is_length(GBT_CCS, n), n == 7 || n == 8);
        CU_ASSERT_EQUAL(gbt_is_length(GBT_BRM, n), n >= 41 && n <= 49);
        CU_ASSERT_EQUAL(gbt_is_length(GBT_BSM, n), n == 7);
    }
    CU_ASSERT_EQUAL(get(GBT_CCS_permitted, ccs, 7), 1);
    CU_ASSERT_EQUAL(get(GBT_CCS_permitted, ccs, 8), 1);
    CU_ASSERT_FALSE(gbt_get(GBT_CCS_permitted, ccs, 6, &v));
    CU_ASSERT_EQUAL(v, 0);
    CU_ASSERT_PTR_NOT_NULL(gbt_text(GBT_BRM_vin, brm, 41, &size));
    CU_ASSERT_EQUAL(size, 17);
    CU_ASSERT_PTR_NULL(gbt_text(GBT_BRM_vin, brm, 40, &size));
    CU_ASSERT_PTR_NULL(gbt_text(GBT_BRM_software, brm, 48, &size));
    CU_ASSERT_PTR_NOT_NULL(gbt_text(GBT_BRM_software, brm, 49, &size));
    gbt_put_text(GBT_BRM_vin, brm, sizeof(brm), "TESTVIN");
    CU_ASSERT_EQUAL(memcmp(brm + 24, "TESTVIN\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0", 18), 0);
}

/* What is written is read back, saturated, and nothing beside it changes. */
static void test_round_trip(void)
{
    for (int field = 0; field < GBT_FIELDS; field++) {
        size_t n = gbt_msgs[gbt_message_of((enum gbt_field)field)].longest;
        int32_t v, lo, hi;
        uint8_t data[GBT_MESSAGE_MAX], back[GBT_MESSAGE_MAX];

        memset(data, 0, n);
        gbt_put((enum gbt_field)field, data, n, INT32_MAX);
        CU_ASSERT(gbt_get((enum gbt_field)field, data, n, &hi));
        gbt_put((enum gbt_field)field, data, n, INT32_MIN);
        CU_ASSERT(gbt_get((enum gbt_field)field, data, n, &lo));
        CU_ASSERT(lo < hi);
        memset(data, 0xFF, n);
        gbt_put((enum gbt_field)field, data, n, 0);
        gbt_get((enum gbt_field)field, data, n, &v);
        CU_ASSERT_EQUAL(v, lo > 0 ? lo : 0);
        memcpy(back, data, n);
        gbt_put((enum gbt_field)field, data, n, v);
        CU_ASSERT_EQUAL(memcmp(back, data, n), 0);
    }
}

struct tally {
    int message[GBT_MSGS], fields, transport, foreign, wrong;
};

static void decode(struct tally *t, int msg, const uint8_t *data, size_t n)
{
    if (msg < 0 || !gbt_is_length((enum gbt_msg)msg, n)) {
        t->wrong++;
        return;
    }
    t->message[msg]++;
    for (int field = 0; field < GBT_FIELDS; field++) {
        int32_t v;

        if (gbt_message_of((enum gbt_field)field) == (enum gbt_msg)msg)
            t->fields += gbt_get((enum gbt_field)field, data, n, &v);
    }
}

/* Every frame of the session: a message, a part of a message by transport, or somebody else's. */
static int read_session(const char *name, struct tally *t)
{
    static uint8_t buf[2][GBT_MESSAGE_MAX];
    struct j1939_tp from_bms, from_charger;
    int n = can_log_read(name, lines);
    const uint8_t *data;
    uint32_t pgn;
    size_t len;

    *t = (struct tally) { 0 };
    j1939_tp_init(&from_bms, &(struct j1939_tp_config) { GBT_CHARGER, GBT_BMS, true, NULL, buf[0], 0, GBT_MESSAGE_MAX });
    j1939_tp_init(&from_charger, &(struct j1939_tp_config) { GBT_BMS, GBT_CHARGER, true, NULL, buf[1], 0, GBT_MESSAGE_MAX });
    for (int i = 0; i < n; i++) {
        const struct can_frame *f = &lines[i].frame;
        int msg = gbt_of_frame(f);

        if (j1939_tp_receive(&from_bms, f, lines[i].at_ms) || j1939_tp_receive(&from_charger, f, lines[i].at_ms)) {
            t->transport++;
            if ((len = j1939_tp_take(&from_bms, &pgn, &data)) != 0)
                decode(t, gbt_by_pgn(pgn, GBT_BMS), data, len);
        } else if (msg >= 0) {
            decode(t, msg, f->data, f->len);
        } else {
            t->foreign++;
        }
    }
    t->wrong += (int)(from_bms.counts.sequence_errors + from_bms.counts.timeouts);
    if (n > 0)
        printf("\n    %s: %d frames, %d of transport, %d foreign, %d wrong, %d fields ", name, n, t->transport, t->foreign, t->wrong,
               t->fields);
    return n;
}

static void test_session_lfp(void)
{
    struct tally t;

    CU_ASSERT_FATAL(read_session("lfp152Ah_full_session.log.gz", &t) > 0);
    CU_ASSERT_EQUAL(t.wrong, 0);
    CU_ASSERT_EQUAL(t.foreign, 43); /* 0070F4B5 and 0073F4B5 */
    CU_ASSERT_EQUAL(t.message[GBT_BRM], 1);
    CU_ASSERT_EQUAL(t.message[GBT_BCP], 1);
    CU_ASSERT_EQUAL(t.message[GBT_BCS], 110);
    CU_ASSERT_EQUAL(t.message[GBT_CHM], 66);
    CU_ASSERT_EQUAL(t.message[GBT_BCL], 548);
    CU_ASSERT_EQUAL(t.message[GBT_CCS], 396);
    CU_ASSERT_EQUAL(t.message[GBT_CST], 26);
    CU_ASSERT_EQUAL(t.message[GBT_CSD], 4);
}

static void test_session_measured(void)
{
    struct tally t;

    CU_ASSERT_FATAL(read_session("charger_measured_fs_team.log.gz", &t) > 0);
    CU_ASSERT_EQUAL(t.wrong, 0);
    CU_ASSERT_EQUAL(t.foreign, 0);
    CU_ASSERT_EQUAL(t.message[GBT_BRM], 1);
    CU_ASSERT_EQUAL(t.message[GBT_BEM], 45);
    CU_ASSERT_EQUAL(t.message[GBT_CCS], 329);
    CU_ASSERT_EQUAL(t.message[GBT_BCL], 353);
}

/* With the word "recorded": the recorded sessions alone. */
int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "identifiers are those of the standard, both ways", test_identifiers },
        { "values of recorded frames come out right", test_values },
        { "BRM has 41 to 49 bytes and CCS 7 or 8, nothing else", test_lengths },
        { "every field is written, saturated and read back", test_round_trip },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo recorded[] = {
        { "a recorded LFP session decodes completely", test_session_lfp },
        { "a recorded session with a measured charger decodes completely", test_session_measured },
        CU_TEST_INFO_NULL,
    };

    if (argc == 2 && strcmp(argv[1], "recorded") == 0)
        return can_log_is_there() ? suite_run("gbt27930_recorded", recorded) : CAN_LOG_SKIPPED;
    return suite_run("gbt27930", tests);
}
