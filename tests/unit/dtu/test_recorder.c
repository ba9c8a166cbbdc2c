/* SPDX-License-Identifier: Apache-2.0 */
/* test_recorder.c -- how samples become records. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "board_model.h"
#include "common/err.h"
#include "dtu/core/recorder.h"
#include "flash_ram.h"
#include "proto/body.h"

static struct journal journal;
static struct journal_sector index_of[64];
static struct flash_ram flash;
static struct recorder rec;
static struct sample decoded[RECORD_SAMPLES_MAX];
static uint8_t buf[RECORD_MAX];

static void begin(unsigned batch)
{
    flash_ram_init(&flash, 65536, 8, 4);
    CU_ASSERT_EQUAL_FATAL(journal_format(&journal, &flash.port, index_of, 64, 77), BMS_ERR_OK);
    CU_ASSERT_EQUAL_FATAL(recorder_init(&rec, &journal, "demo.bus-048", batch), BMS_ERR_OK);
}

static void end(void)
{
    flash_ram_free(&flash);
}

static void add(uint32_t no, uint32_t now_ms)
{
    struct sample s = board_sample(1, no, 48, 12);

    CU_ASSERT_EQUAL(recorder_add(&rec, &s, 0, now_ms), BMS_ERR_OK);
}

static uint64_t records(void)
{
    return journal.next_seq - 1;
}

/* Samples in record seq; checks that they are first_no.. of the model. */
static unsigned samples_in(uint64_t seq, uint32_t first_no)
{
    struct record r;
    int n = journal_read(&journal, seq, buf, sizeof(buf));

    if (n <= 0 || record_open(buf, (size_t)n, &r) != BMS_ERR_OK || body_decode(&r, decoded) != BMS_ERR_OK)
        return 0;
    CU_ASSERT(r.first_no == first_no && r.seq == seq && r.epoch == 77 && strcmp(r.device, "demo.bus-048") == 0);
    return r.count;
}

static void test_batch(void)
{
    begin(RECORDER_BATCH);
    for (uint32_t no = 1; no <= 25; no++)
        add(no, no * 1000);
    CU_ASSERT_EQUAL(records(), 2);
    CU_ASSERT(samples_in(1, 1) == 10 && samples_in(2, 11) == 10);
    for (unsigned i = 0; i < 10; i++) {
        struct sample s = board_sample(1, 11 + i, 48, 12);

        CU_ASSERT(sample_is_equal(&s, &decoded[i]));
    }
    CU_ASSERT_EQUAL(recorder_flush(&rec), BMS_ERR_OK);
    CU_ASSERT(samples_in(3, 21) == 5 && journal.note.no == 25 && journal.note.boot == 1);
    end();
}

static void test_watched(void)
{
    begin(10);
    add(1, 0);
    add(2, 0);
    recorder_step(&rec, true, 0);
    CU_ASSERT_EQUAL(samples_in(1, 1), 2); /* at once what was waiting */
    add(3, 0);
    CU_ASSERT_EQUAL(samples_in(2, 3), 1);
    recorder_step(&rec, false, 0);
    for (uint32_t no = 4; no <= 13; no++)
        add(no, 0);
    CU_ASSERT_EQUAL(samples_in(3, 4), 10);
    end();
}

static void test_alarm(void)
{
    struct sample s;

    begin(10);
    add(1, 0);
    s = board_sample(1, 2, 48, 12);
    s.alarms = 1;
    s.alarm[0] = (struct sample_alarm) { 1, ALARM_WARNING, 5, 4200 };
    recorder_add(&rec, &s, 0, 0);
    CU_ASSERT_EQUAL(samples_in(1, 1), 2); /* comes */
    s.no = 3;
    s.utc_ms += 1000;
    recorder_add(&rec, &s, 0, 0);
    CU_ASSERT_EQUAL(samples_in(2, 3), 1); /* stands */
    add(4, 0);
    CU_ASSERT_EQUAL(samples_in(3, 4), 1); /* goes */
    add(5, 0);
    CU_ASSERT_EQUAL(records(), 3);
    end();
}

static void test_parked(void)
{
    begin(10);
    for (uint32_t no = 1; no <= 60; no++) {
        struct sample s = board_sample(1, no, 48, 12);

        CU_ASSERT_EQUAL(records(), 0);
        s.scalar[SAMPLE_mode] = PACK_MODE_PARKED;
        recorder_add(&rec, &s, 0, no);
    }
    CU_ASSERT_EQUAL(samples_in(1, 1), 60);
    for (uint32_t no = 61; no <= 80; no++) {
        struct sample s = board_sample(1, no, 48, 12);

        s.scalar[SAMPLE_mode] = PACK_MODE_PARKED;
        recorder_add(&rec, &s, 0, no);
    }
    add(81, 81); /* drives off: more than a batch is waiting */
    CU_ASSERT_EQUAL(samples_in(2, 61), 21);
    end();
}

static void test_breaks(void)
{
    begin(10);
    add(1, 0);
    add(2, 0);
    add(4, 0); /* 3 is gone for good */
    CU_ASSERT_EQUAL(samples_in(1, 1), 2);
    struct sample s = board_sample(2, 1, 48, 12);

    recorder_add(&rec, &s, 7, 0); /* the board has started anew */
    CU_ASSERT_EQUAL(samples_in(2, 4), 1);
    s = board_sample(2, 2, 47, 12);
    recorder_add(&rec, &s, 7, 0); /* a cell less */
    CU_ASSERT_EQUAL(samples_in(3, 1), 1);
    CU_ASSERT(journal.note.boot == 2 && journal.note.no == 1 && journal.note.board_dropped == 7);
    end();
}

static void test_age(void)
{
    begin(10);
    add(1, 500);
    recorder_step(&rec, false, 500 + 2 * 10 * RECORDER_SAMPLE_MS - 1);
    CU_ASSERT_EQUAL(records(), 0);
    recorder_step(&rec, false, 500 + 2 * 10 * RECORDER_SAMPLE_MS);
    CU_ASSERT_EQUAL(samples_in(1, 1), 1);
    end();
}

/* Noise that no packing can shrink: 60 samples of 160 cells do not fit into one record. */
static void test_too_large(void)
{
    unsigned total = 0;

    begin(60);
    srand(3);
    for (uint32_t no = 1; no <= 60; no++) {
        struct sample s = board_sample(1, no, 160, 64);

        for (unsigned c = 0; c < 160; c++)
            s.cell_mV[c] = (uint16_t)rand();
        CU_ASSERT_EQUAL(recorder_add(&rec, &s, 0, 0), BMS_ERR_OK);
    }
    CU_ASSERT(records() > 1);
    for (uint64_t seq = 1; seq <= records(); seq++)
        total += samples_in(seq, total + 1);
    CU_ASSERT_EQUAL(total, 60);
    end();
}

static void test_journal_fails(void)
{
    struct sample s = board_sample(1, 61, 48, 12);

    begin(10);
    flash_ram_power(&flash, 0);
    for (uint32_t no = 1; no <= 60; no++)
        add(no, 0);
    CU_ASSERT(recorder_add(&rec, &s, 0, 0) == BMS_ERR_NOSPACE && rec.errors > 0);
    flash_ram_power(&flash, UINT64_MAX);
    recorder_step(&rec, false, 1);
    unsigned total = 0;

    for (uint64_t seq = 1; seq <= records(); seq++)
        total += samples_in(seq, total + 1);
    CU_ASSERT_EQUAL(total, 60);
    end();
}

static void test_wrong_setup(void)
{
    begin(10);
    CU_ASSERT_EQUAL(recorder_init(&rec, &journal, "", 10), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(recorder_init(&rec, &journal, "a.b", 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(recorder_init(&rec, &journal, "a.b", 61), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(recorder_init(&rec, &journal, "a.b", 60), BMS_ERR_OK);
    end();
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("recorder", NULL, NULL);

    CU_add_test(s, "ten samples make a record that decodes to what the board took [FL-1]", test_batch);
    CU_add_test(s, "while somebody watches each sample is a record, and what waited goes at once", test_watched);
    CU_add_test(s, "an alarm that comes, stands or goes is recorded at once", test_alarm);
    CU_add_test(s, "a parked pack makes a record of 60 samples, and drives off without waiting", test_parked);
    CU_add_test(s, "a gap, a new boot and another size each begin a record", test_breaks);
    CU_add_test(s, "a sample waits for twice the batch time at most", test_age);
    CU_add_test(s, "what does not fit into one record is split", test_too_large);
    CU_add_test(s, "a journal that fails for a while costs nothing that was taken", test_journal_fails);
    CU_add_test(s, "a wrong name or batch is refused", test_wrong_setup);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
