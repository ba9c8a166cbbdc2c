/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "common/err.h"
#include "sim/faults.h"
#include "tests/unit/suite.h"

static struct wiring t;
static struct world w;
static struct faults f;
static char error[FAULTS_ERROR_MAX];

/* 40 cells on chips with 14, 13 and 13; probe 2 of chip 1 is not fitted. */
static int setup(const char *text)
{
    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, 40, 0), BMS_ERR_OK);
    t.chip_probes[0] = 0x0D;
    world_init(&w, &t, 0, 1);
    return faults_parse(&f, text, &t, error);
}

static void test_each_kind_breaks_what_it_says(void)
{
    CU_ASSERT_EQUAL(setup("cell:15:4300@0,probe:2:60@0,open-wire:14@0,stuck:40@0,broken-link:3@0,broken-link:2@0,bad-crc:7@0,csu-silent@0,"
                          "weld:1@0,jam:8@0"),
                    BMS_ERR_OK);
    CU_ASSERT_EQUAL(f.count, 10);
    faults_apply(&f, &w, 0);
    CU_ASSERT_DOUBLE_EQUAL(w.chain.chip[1].sense.cell_mV[0], 4300, 0);
    CU_ASSERT_EQUAL(w.chain.chip[0].sense.aux_code[1], PROBE_OPEN); /* probe 2 of the pack is on the third channel */
    CU_ASSERT_EQUAL(w.chain.chip[0].sense.aux_code[2], probe_code(&w.probe, 60));
    CU_ASSERT_EQUAL(w.chain.chip[0].faults.open_taps, 1u << 14);
    CU_ASSERT_EQUAL(w.chain.chip[2].faults.stuck_cells, 1u << 12);
    CU_ASSERT_EQUAL(w.chain.broken_link, 1);
    CU_ASSERT_EQUAL(w.chain.bad_crc_permille, 7);
    CU_ASSERT_TRUE(w.csu.silent);
    CU_ASSERT_EQUAL(w.contactors.welded, 0x01);
    CU_ASSERT_EQUAL(w.contactors.jammed, 0x80);
}

static void test_senses_break_and_heal(void)
{
    CU_ASSERT_EQUAL(setup("insulation-pos:20@0-1,insulation-neg:0@0-1,hvil-open@0-1,inlet:2:110@0-1,cc2:6000@0-1,cc:100@0-1,latch@0.5-1"),
                    BMS_ERR_OK);
    struct senses healthy = w.senses;

    faults_apply(&f, &w, 0);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.pos_kohm, 20, 0);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.neg_kohm, 0, 0);
    CU_ASSERT_FALSE(w.senses.hvil_closed);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.inlet_C[1], 110, 0);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.cc2_V, 6, 0);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.cc_ohm, 100, 0);
    faults_apply(&f, &w, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.cc_ohm, 3520, 0);
    faults_apply(&f, &w, 1);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.pos_kohm, healthy.pos_kohm, 0);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.neg_kohm, healthy.neg_kohm, 0);
    CU_ASSERT_TRUE(w.senses.hvil_closed);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.inlet_C[1], healthy.inlet_C[1], 0);
    CU_ASSERT_DOUBLE_EQUAL(w.senses.cc2_V, healthy.cc2_V, 0);
}

static void test_a_fault_comes_and_goes(void)
{
    CU_ASSERT_EQUAL(setup("csu-silent@1.5-2,csu-silent@3"), BMS_ERR_OK);
    static const struct {
        double at_s;
        bool silent;
    } rows[] = { { 0, false }, { 1.49, false }, { 1.5, true }, { 1.99, true }, { 2, false }, { 2.99, false }, { 3, true }, { 1e6, true } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        faults_apply(&f, &w, rows[i].at_s);
        CU_ASSERT_EQUAL(w.csu.silent, rows[i].silent);
    }
}

static void test_a_reset_happens_once(void)
{
    CU_ASSERT_EQUAL(setup("chip-reset:2@1"), BMS_ERR_OK);
    w.chain.chip[1].addressed = true;
    faults_apply(&f, &w, 0.9);
    CU_ASSERT_TRUE(w.chain.chip[1].addressed);
    faults_apply(&f, &w, 1);
    CU_ASSERT_FALSE(w.chain.chip[1].addressed);
    w.chain.chip[1].addressed = true;
    faults_apply(&f, &w, 1.01);
    CU_ASSERT_TRUE(w.chain.chip[1].addressed);
}

static void test_what_cannot_be_is_refused(void)
{
    static const char *const bad[] = {
        "cell",
        "cell@1",
        "cell:1@1",
        "cell:0:3000@1",
        "cell:41:3000@1",
        "cell:1:5001@1",
        "cell:1:-1@1",
        "cell:x:1@1",
        "cell:1:3000",
        "cell:1:3000@",
        "cell:1:3000@x",
        "cell:1:3000@-1",
        "cell:1:3000@5-5",
        "cell:1:3000@5-4",
        "cell:1:3000@1-2-3",
        "probe:12:20@0",
        "probe:1:126@0",
        "probe:1:-41@0",
        "open-wire:41@0",
        "stuck:1:2@0",
        "broken-link:4@0",
        "chip-reset:0@0",
        "bad-crc:1001@0",
        "csu-silent:1@0",
        "weld:9@0",
        "sabotage@0",
        "@0",
        ":1@0",
        "csu-silent@1e3",
        "csu-silent@nan",
        "csu-silent@1,,csu-silent@2",
        "csu-silent@00000000000000000000000000000000000000000000000000000000000000000000000001",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(setup(bad[i]), BMS_ERR_RANGE);
        CU_ASSERT_TRUE(strlen(error) > 10);
    }
    char many[FAULTS_MAX * 16 + 32] = "jam:1@0";

    for (int i = 1; i < FAULTS_MAX; i++)
        strcat(many, ",jam:1@0");
    CU_ASSERT_EQUAL(setup(many), BMS_ERR_OK);
    strcat(many, ",jam:1@0");
    CU_ASSERT_EQUAL(setup(many), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(setup(""), BMS_ERR_OK);
    CU_ASSERT_EQUAL(f.count, 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "each kind breaks what it says", test_each_kind_breaks_what_it_says },
        { "faults of the senses come and heal", test_senses_break_and_heal },
        { "a fault comes and goes", test_a_fault_comes_and_goes },
        { "a reset happens once", test_a_reset_happens_once },
        { "what cannot be is refused", test_what_cannot_be_is_refused },
        CU_TEST_INFO_NULL,
    };
    return suite_run("faults", tests);
}
