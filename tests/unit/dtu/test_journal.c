/* SPDX-License-Identifier: Apache-2.0 */
/* test_journal.c -- the journal keeps every record until it is acknowledged, wherever the power is cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <CUnit/Basic.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "dtu/core/journal.h"
#include "dtu/core/journal_layout.h"
#include "flash_ram.h"

enum { SECTORS = 4096, BUF = 20000 };

static struct journal_sector index_of[SECTORS];
static uint8_t buf[BUF], want[BUF];
static const struct flash_geometry geometries[] = { { 1024, 4, 1 }, { 1024, 3, 4 }, { 2048, 5, 8 }, { 4096, 3, 16 }, { 512, 8, 32 } };

/* A record whose bytes say which one it is. */
static size_t make(uint8_t *out, uint64_t seq, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(seq * 31 + i * 7 + (i >> 8));
    return n;
}

static size_t length_of(uint64_t seq)
{
    return 20 + seq * 37 % 150;
}

static int append(struct journal *j, uint32_t no)
{
    struct journal_note note = { .boot = 7, .no = no, .board_dropped = no / 2 };
    uint64_t seq = j->next_seq;

    return journal_append(j, buf, make(buf, seq, length_of(seq)), &note);
}

static bool reads_right(struct journal *j, uint64_t seq)
{
    int n = journal_read(j, seq, buf, sizeof(buf));

    return n == (int)make(want, seq, length_of(seq)) && memcmp(buf, want, (size_t)n) == 0;
}

static void format(struct journal *j, struct flash_ram *f, const struct flash_geometry *g)
{
    flash_ram_init(f, g->sector_size, g->sector_count, g->write_size);
    CU_ASSERT_EQUAL_FATAL(journal_format(j, &f->port, index_of, SECTORS, 0xE0C1), BMS_ERR_OK);
}

static void test_order(void)
{
    struct journal j;
    struct flash_ram f;
    uint64_t seq = 0;

    format(&j, &f, &(struct flash_geometry) { 1024, 8, 4 });
    CU_ASSERT_EQUAL(journal_next(&j, 0, &seq), 0);
    CU_ASSERT_EQUAL(journal_prev(&j, UINT64_MAX, &seq), 0);
    for (uint32_t i = 1; i <= 20; i++)
        CU_ASSERT_EQUAL(append(&j, i), BMS_ERR_OK);
    CU_ASSERT_EQUAL(j.next_seq, 21);
    CU_ASSERT_EQUAL(j.unacked, 20);
    for (uint64_t from = 0, i = 1; i <= 20; i++, from = seq + 1)
        CU_ASSERT(journal_next(&j, from, &seq) == 1 && seq == i);
    for (uint64_t below = UINT64_MAX, i = 20; i >= 1; i--, below = seq)
        CU_ASSERT(journal_prev(&j, below, &seq) == 1 && seq == i);
    CU_ASSERT_EQUAL(journal_prev(&j, 1, &seq), 0);
    CU_ASSERT_EQUAL(journal_ack(&j, 2, 19), 18);
    CU_ASSERT_EQUAL(j.unacked, 2);
    CU_ASSERT(journal_next(&j, 2, &seq) == 1 && seq == 20);
    CU_ASSERT(journal_prev(&j, 20, &seq) == 1 && seq == 1);
    CU_ASSERT(reads_right(&j, 1) && reads_right(&j, 20));
    CU_ASSERT_EQUAL(journal_read(&j, 2, buf, sizeof(buf)), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(journal_read(&j, 20, buf, 3), BMS_ERR_NOSPACE);
    flash_ram_free(&f);
}

static void test_remount(void)
{
    for (size_t k = 0; k < sizeof(geometries) / sizeof(geometries[0]); k++) {
        struct journal j;
        struct flash_ram f;
        uint64_t seq = 0;

        format(&j, &f, &geometries[k]);
        for (uint32_t i = 1; i <= 5; i++)
            append(&j, 100 + i);
        journal_ack(&j, 2, 2);
        CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
        CU_ASSERT(j.epoch == 0xE0C1 && j.next_seq == 6 && j.safe_seq == 6 && j.unacked == 4);
        CU_ASSERT(j.note.boot == 7 && j.note.no == 105 && j.note.board_dropped == 52);
        CU_ASSERT(journal_next(&j, 2, &seq) == 1 && seq == 3);
        CU_ASSERT(append(&j, 106) == BMS_ERR_OK && j.next_seq == 7);
        CU_ASSERT(reads_right(&j, 1) && reads_right(&j, 6));
        CU_ASSERT_EQUAL(f.violations, 0);
        flash_ram_free(&f);
    }
}

static void test_nothing_there(void)
{
    struct journal j;
    struct flash_ram f;

    flash_ram_init(&f, 1024, 4, 4);
    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_UNKNOWN);
    memset(f.bytes, 0x5A, 4096);
    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, 3), BMS_ERR_RANGE);
    f.port.geometry.write_size = 3;
    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_RANGE);
    f.port.geometry = (struct flash_geometry) { 1024, 2, 4 };
    CU_ASSERT_EQUAL(journal_format(&j, &f.port, index_of, SECTORS, 1), BMS_ERR_RANGE);
    flash_ram_free(&f);
}

static void test_limits(void)
{
    struct journal j;
    struct flash_ram f;
    struct journal_note note = { 1, 1, 0 };

    format(&j, &f, &(struct flash_geometry) { 1024, 4, 8 });
    size_t max = journal_record_max(&j);

    memset(buf, 0x11, sizeof(buf));
    CU_ASSERT_EQUAL(journal_append(&j, buf, 0, &note), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(journal_append(&j, buf, max + 1, &note), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(journal_append(&j, buf, max, &note), BMS_ERR_OK);
    CU_ASSERT_EQUAL(journal_append(&j, buf, max, &note), BMS_ERR_OK);
    CU_ASSERT_EQUAL(journal_read(&j, 2, buf, sizeof(buf)), (int)max);
    flash_ram_free(&f);
}

static void test_full(void)
{
    struct journal j;
    struct flash_ram f;
    uint64_t seq = 0;

    format(&j, &f, &(struct flash_geometry) { 1024, 4, 4 });
    for (uint32_t i = 1; i <= 200; i++)
        CU_ASSERT_EQUAL(append(&j, i), BMS_ERR_OK);
    CU_ASSERT(j.dropped > 0 && j.unacked + j.dropped == 200);
    CU_ASSERT(journal_next(&j, 0, &seq) == 1 && seq == j.dropped + 1);
    uint64_t dropped = j.dropped;

    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
    CU_ASSERT(j.dropped == dropped && j.unacked + j.dropped == 200);
    for (uint32_t s = 0; s < 4; s++) /* all wear alike */
        CU_ASSERT(f.erased[s] + 1 >= f.erased[0] && f.erased[s] <= f.erased[0] + 1);
    flash_ram_free(&f);
}

/* One record that is never acknowledged stays while sectors around it are used again. */
static void test_reclaims_acked(void)
{
    struct journal j;
    struct flash_ram f;

    format(&j, &f, &(struct flash_geometry) { 1024, 4, 4 });
    for (uint32_t i = 1; i <= 300; i++) {
        CU_ASSERT_EQUAL(append(&j, i), BMS_ERR_OK);
        if (i != 1)
            journal_ack(&j, i, i);
    }
    CU_ASSERT(j.dropped == 0 && j.unacked == 1);
    CU_ASSERT(reads_right(&j, 1));
    flash_ram_free(&f);
}

static void test_acked_records_can_be_read_until_their_sector_is_used(void)
{
    struct journal j;
    struct flash_ram f;
    uint64_t seq = 0, there = 0;

    format(&j, &f, &(struct flash_geometry) { 1024, 4, 4 });
    for (uint32_t i = 1; i <= 300; i++) {
        CU_ASSERT_EQUAL(append(&j, i), BMS_ERR_OK);
        journal_ack(&j, i, i);
    }
    CU_ASSERT_EQUAL(journal_next(&j, 0, &seq), 0);
    for (uint64_t from = 0; journal_next_any(&j, from, &seq) == 1; from = seq + 1, there++) {
        int n = journal_read_any(&j, seq, buf, sizeof(buf));

        CU_ASSERT(seq >= from && n == (int)make(want, seq, length_of(seq)) && memcmp(buf, want, (size_t)n) == 0);
    }
    CU_ASSERT(seq == 300 && there > 20 && there < 300);
    CU_ASSERT_EQUAL(journal_read_any(&j, 1, buf, sizeof(buf)), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(journal_read_any(&j, 301, buf, sizeof(buf)), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(journal_read_any(&j, 300, buf, 1), BMS_ERR_NOSPACE);
    flash_ram_free(&f);
}

static void test_hostile_acks(void)
{
    struct journal j;
    struct flash_ram f;

    format(&j, &f, &(struct flash_geometry) { 1024, 8, 4 });
    for (uint32_t i = 1; i <= 10; i++)
        append(&j, i);
    CU_ASSERT_EQUAL(journal_ack(&j, 9, 3), 0);
    CU_ASSERT_EQUAL(journal_ack(&j, 11, UINT64_MAX), 0);
    CU_ASSERT_EQUAL(journal_ack(&j, UINT64_MAX, UINT64_MAX), 0);
    CU_ASSERT_EQUAL(journal_ack(&j, UINT64_MAX, 0), 0);
    CU_ASSERT_EQUAL(j.unacked, 10);
    CU_ASSERT_EQUAL(journal_ack(&j, 0, 1), 1);
    CU_ASSERT_EQUAL(journal_ack(&j, 0, UINT64_MAX), 9);
    CU_ASSERT_EQUAL(journal_ack(&j, 0, UINT64_MAX), 0);
    CU_ASSERT(append(&j, 11) == BMS_ERR_OK && j.unacked == 1);
    flash_ram_free(&f);
}

/* Flip one bit at every byte in turn: the other records stay readable, the flash is never programmed twice. */
static void test_bit_rot(void)
{
    struct journal j;
    struct flash_ram f;

    format(&j, &f, &(struct flash_geometry) { 1024, 4, 4 });
    for (uint32_t i = 1; i <= 12; i++)
        append(&j, i);
    uint8_t *clean = malloc(4096);

    memcpy(clean, f.bytes, 4096);
    for (uint32_t at = 0; at < 2048; at++) {
        unsigned good = 0;
        uint64_t seq = 0;

        memcpy(f.bytes, clean, 4096);
        f.bytes[at] ^= 0x10;
        CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
        for (uint64_t from = 0; journal_next(&j, from, &seq) == 1; from = seq + 1)
            good += reads_right(&j, seq) ? 1 : 0;
        if (at >= 44 && !(at >= 1024 && at < 1024 + 44)) /* a rotten sector head takes its sector with it */
            CU_ASSERT(good >= 11 && good + j.corrupt >= 11 && j.corrupt <= 1);
        CU_ASSERT(append(&j, 13) == BMS_ERR_OK && j.next_seq > 13);
        CU_ASSERT(reads_right(&j, j.next_seq - 1));
    }
    CU_ASSERT_EQUAL(f.violations, 0);
    free(clean);
    flash_ram_free(&f);
}

static void test_rot_is_counted_once(void)
{
    struct journal j;
    struct flash_ram f;
    uint64_t seq = 0;

    format(&j, &f, &(struct flash_geometry) { 4096, 4, 4 });
    for (uint32_t i = 1; i <= 5; i++)
        append(&j, i);
    f.bytes[48 + 32 + 4 + 3] ^= 1; /* a byte of record 1 */
    CU_ASSERT_EQUAL(journal_read(&j, 1, buf, sizeof(buf)), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(j.corrupt, 1);
    CU_ASSERT_EQUAL(journal_read(&j, 1, buf, sizeof(buf)), BMS_ERR_UNKNOWN);
    CU_ASSERT(journal_next(&j, 0, &seq) == 1 && seq == 2);
    CU_ASSERT(j.unacked == 4 && j.corrupt == 1);
    flash_ram_free(&f);
}

/* One bit is rot, not an acknowledgement. */
static void test_rot_does_not_acknowledge(void)
{
    struct journal j;
    struct flash_ram f;

    format(&j, &f, &(struct flash_geometry) { 4096, 4, 4 });
    append(&j, 1);
    f.bytes[44 + 32] ^= 1;
    CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
    CU_ASSERT(j.unacked == 1 && reads_right(&j, 1));
    CU_ASSERT_EQUAL(journal_ack(&j, 1, 1), 1);
    CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
    CU_ASSERT_EQUAL(j.unacked, 0);
    flash_ram_free(&f);
}

/* The story told to the journal again and again, with the power cut one byte later each time. */
struct story {
    uint64_t stored; /* highest number whose append returned 0 */
    bool acked[64];  /* ack returned for it */
};

enum { STEPS = 40 };

static void tell(struct journal *j, struct story *s)
{
    memset(s, 0, sizeof(*s));
    for (uint32_t i = 1; i <= STEPS; i++) {
        if (append(j, i) != BMS_ERR_OK)
            return;
        s->stored = j->next_seq - 1;
        if (i % 3 == 0 && i > 4) {
            if (journal_ack(j, i - 4, i - 3) < 0)
                return;
            s->acked[i - 4] = s->acked[i - 3] = true;
        }
    }
}

/* After the cut: all that was stored and neither acknowledged nor dropped reads right; what was not stored is not there. */
static void check_after_cut(struct flash_ram *f, const struct story *s, uint64_t cut)
{
    struct journal j;
    uint64_t seq = 0, oldest = 0;

    flash_ram_power(f, UINT64_MAX);
    CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f->port, index_of, SECTORS), BMS_ERR_OK);
    CU_ASSERT(j.next_seq > s->stored);
    CU_ASSERT_EQUAL(j.corrupt, 0);
    CU_ASSERT(j.note.no == s->stored || j.note.no == s->stored + 1);
    journal_next(&j, 0, &oldest);
    for (uint64_t i = 1; i <= s->stored; i++) {
        bool there = journal_next(&j, i, &seq) == 1 && seq == i;
        bool due = !s->acked[i] && i >= oldest;

        if (there ? !reads_right(&j, i) : due && i + 6 < s->stored)
            fprintf(stderr, "  cut %llu: record %llu is %s\n", (unsigned long long)cut, (unsigned long long)i, there ? "wrong" : "gone");
        CU_ASSERT(!there || reads_right(&j, i));
        CU_ASSERT(there || s->acked[i] || i < oldest || s->stored - i < 6); /* an ack that was under way */
    }
    for (uint64_t from = 0; journal_next(&j, from, &seq) == 1; from = seq + 1)
        CU_ASSERT(reads_right(&j, seq)); /* what was cut is not offered */
    uint64_t next = j.next_seq;

    CU_ASSERT(append(&j, 99) == BMS_ERR_OK && reads_right(&j, next));
    CU_ASSERT(append(&j, 100) == BMS_ERR_OK && journal_mount(&j, &f->port, index_of, SECTORS) == BMS_ERR_OK && j.note.no == 100);
    CU_ASSERT_EQUAL(f->violations, 0);
}

static void test_power_cut_at_every_byte(void)
{
    for (size_t k = 0; k < sizeof(geometries) / sizeof(geometries[0]); k++) {
        for (uint64_t cut = 0;; cut += geometries[k].write_size > 4 ? 3 : 1) {
            struct journal j;
            struct flash_ram f;
            struct story s;

            format(&j, &f, &geometries[k]);
            flash_ram_power(&f, cut);
            tell(&j, &s);
            bool finished = !f.off;

            check_after_cut(&f, &s, cut);
            flash_ram_free(&f);
            if (finished || CU_get_number_of_failures() > 20)
                break;
        }
    }
}

/* Record 10 is stored, those after it are cut, one after another, with two mounts after each: the note says 10, or the record whose last byte came through. */
static void test_note_names_what_is_stored(void)
{
    for (size_t k = 0; k < sizeof(geometries) / sizeof(geometries[0]); k++) {
        for (uint64_t cut = 0; cut < 400; cut++) {
            struct journal j;
            struct flash_ram f;
            uint32_t stored = 10;

            format(&j, &f, &geometries[k]);
            CU_ASSERT_EQUAL(append(&j, 10), BMS_ERR_OK);
            for (uint32_t no = 20; no <= 40; no += 10) {
                uint64_t seq = j.next_seq;

                flash_ram_power(&f, cut);
                stored = append(&j, no) == BMS_ERR_OK ? no : stored;
                for (int mounts = 0; mounts < 2; mounts++) {
                    flash_ram_power(&f, UINT64_MAX);
                    CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
                    if (mounts == 0 && j.note.no == no && reads_right(&j, seq))
                        stored = no; /* all its bytes are there, only the writer was not told */
                    CU_ASSERT_EQUAL(j.note.no, stored);
                }
            }
            flash_ram_free(&f);
        }
    }
}

/* Cut, mount, write a little, cut again: no state is a trap. */
static void test_many_cuts(void)
{
    struct journal j;
    struct flash_ram f;
    uint64_t last = 0;

    srand(11);
    format(&j, &f, &(struct flash_geometry) { 1024, 4, 4 });
    for (unsigned round = 0; round < 3000; round++) {
        flash_ram_power(&f, (uint64_t)(rand() % 1500));
        if (journal_mount(&j, &f.port, index_of, SECTORS) == BMS_ERR_OK) {
            CU_ASSERT(j.next_seq > last);
            while (append(&j, round) == BMS_ERR_OK) {
                last = j.next_seq - 1;
                if (rand() % 3 == 0)
                    journal_ack(&j, last - (uint64_t)(rand() % 4), last);
            }
        }
    }
    flash_ram_power(&f, UINT64_MAX);
    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
    CU_ASSERT(j.next_seq > last && last > 500);
    CU_ASSERT_EQUAL(j.corrupt, 0);
    CU_ASSERT_EQUAL(f.violations, 0);
    flash_ram_free(&f);
}

/* A write unit that fails is left alone: the next attempt goes to another sector. */
static void test_worn_place(void)
{
    struct journal j;
    struct flash_ram f;

    format(&j, &f, &(struct flash_geometry) { 1024, 4, 4 });
    append(&j, 1);
    f.bytes[j.at + 36] = 0; /* under the bytes of the next record */
    CU_ASSERT_EQUAL(append(&j, 2), BMS_ERR_STATE);
    CU_ASSERT_EQUAL(append(&j, 2), BMS_ERR_OK);
    CU_ASSERT(reads_right(&j, 1) && reads_right(&j, j.next_seq - 1) && j.unacked == 2);
    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
    CU_ASSERT_EQUAL(j.unacked, 2);
    flash_ram_free(&f);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_large(void)
{
    struct journal j;
    struct flash_ram f;
    struct journal_note note = { 1, 1, 0 };

    format(&j, &f, &(struct flash_geometry) { 65536, 1024, 4 });
    double t0 = seconds();

    for (uint32_t i = 0; i < 100000; i++)
        CU_ASSERT_EQUAL(journal_append(&j, buf, 500, &note), BMS_ERR_OK);
    double t1 = seconds();

    CU_ASSERT_EQUAL(journal_mount(&j, &f.port, index_of, SECTORS), BMS_ERR_OK);
    double t2 = seconds();

    CU_ASSERT_EQUAL(j.unacked, 100000);
    CU_ASSERT(t2 - t1 < 1.0);
    CU_ASSERT(100000 / (t1 - t0) > 2000);
    printf("(%.0f appends/s, mount of 100,000 in %.0f ms) ", 100000 / (t1 - t0), (t2 - t1) * 1000);
    flash_ram_free(&f);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("journal", NULL, NULL);

    CU_add_test(s, "records are found in their order, both ways, until they are acknowledged [FL-2]", test_order);
    CU_add_test(s, "a mount finds the records, their acknowledgements and the last sample", test_remount);
    CU_add_test(s, "flash without a journal and geometries that cannot be are refused", test_nothing_there);
    CU_add_test(s, "the longest record fits, one byte more does not", test_limits);
    CU_add_test(s, "when full the oldest records go, counted, and all sectors wear alike", test_full);
    CU_add_test(s, "acknowledged sectors are used again before anything is dropped", test_reclaims_acked);
    CU_add_test(s, "acknowledged records can be read until their sector is used again",
                test_acked_records_can_be_read_until_their_sector_is_used);
    CU_add_test(s, "reversed, future and huge acknowledgements are harmless", test_hostile_acks);
    CU_add_test(s, "one rotten bit anywhere costs one record at most, or a sector when it is in its head", test_bit_rot);
    CU_add_test(s, "a rotten record is counted once and skipped", test_rot_is_counted_once);
    CU_add_test(s, "a rotten bit does not acknowledge a record", test_rot_does_not_acknowledge);
    CU_add_test(s, "a power cut at any byte of any write loses nothing that was stored [AC-7]", test_power_cut_at_every_byte);
    CU_add_test(s, "the newest note names what is stored, however often it is mounted after a cut [AC-7]", test_note_names_what_is_stored);
    CU_add_test(s, "three thousand power cuts in a row never end in a trap", test_many_cuts);
    CU_add_test(s, "a place that cannot be programmed is stepped over", test_worn_place);
    CU_add_test(s, "100,000 records mount within a second", test_large);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
