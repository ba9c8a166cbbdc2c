/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "firmware/core/biu/biu_log.h"
#include "tests/unit/firmware/io_layout.h"
#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

enum { ROOM = BIU_LOG_BLOCK_MAX };

static struct biu_log_writer to;
static struct biu_log_reader from;
static uint8_t block[ROOM];
static struct writer w;
static struct reader r;
static struct rig rig;
static uint32_t dice = 1;

static uint8_t roll(void)
{
    dice = dice * 1664525u + 1013904223u;
    return (uint8_t)(dice >> 24);
}

static void begin(void)
{
    biu_log_reader_init(&from);
    w = writer_of(block, sizeof(block));
    biu_log_put_head(&w, "1.2.3");
}

static int first_record(void)
{
    r = reader_of(block, writer_used(&w));
    return biu_log_next(&from, &r);
}

static void start_of_rig(void)
{
    struct biu_config cfg = { .params = rig.params, .boot = 7, .ring_size = RIG_RING };

    rig_init(&rig, 48, 0);
    begin();
    biu_log_put_start(&to, &w, &cfg, 1234);
    CU_ASSERT_EQUAL_FATAL(first_record(), BIU_LOG_HEAD);
    CU_ASSERT_EQUAL_FATAL(biu_log_next(&from, &r), BIU_LOG_START);
}

/* --- every field has a row --- */

/* Else: a new field of that struct (biu_io.h, biu.h) needs a row in biu_io.def. */
static void test_every_field_has_a_row(void)
{
    CU_ASSERT_EQUAL(io_layout_forgotten_in(), 0);
    CU_ASSERT_EQUAL(io_layout_forgotten_out(), 0);
    CU_ASSERT_EQUAL(io_layout_forgotten_config(), 0);
}

/* --- what is written is read --- */

/* Random values in every field, and lists of random length that point into `bytes` and `frames`. */
static void fill(struct biu_in *in, uint8_t *bytes, struct can_frame *frames)
{
    memset(in, 0, sizeof(*in));
    for (int i = 0; i < BIU_LOG_IN_ROWS; i++) {
        const struct biu_log_row *row = &biu_log_in_rows[i];
        uint8_t *p = (uint8_t *)in + row->at;
        size_t n = roll() % 8;

        if (row->kind == BIU_LOG_BYTES || row->kind == BIU_LOG_FRAMES) {
            const void *list = row->kind == BIU_LOG_BYTES ? (void *)bytes : (void *)frames;

            memcpy(p, &list, sizeof(list));
            memcpy((uint8_t *)in + row->count_at, &n, sizeof(n));
            bytes += n;
            frames += n;
            continue;
        }
        for (size_t k = 0; k < (size_t)row->size * row->count; k++)
            p[k] = row->kind == BIU_LOG_FLAG ? roll() & 1u : roll();
    }
}

static void blur(uint8_t *bytes, struct can_frame *frames, int n)
{
    for (int i = 0; i < n; i++) {
        bytes[i] = roll();
        frames[i] = (struct can_frame) { .id = (uint32_t)roll() << 21 | roll(), .ext = roll() & 1u, .len = roll() % 9 };
        for (int k = 0; k < 8; k++)
            frames[i].data[k] = roll();
    }
}

static bool is_same_list(const struct biu_log_row *row, const struct biu_in *a, const struct biu_in *b)
{
    size_t na, nb;
    const uint8_t *la, *lb;
    size_t size = row->kind == BIU_LOG_BYTES ? 1 : sizeof(struct can_frame);

    memcpy(&na, (const uint8_t *)a + row->count_at, sizeof(na));
    memcpy(&nb, (const uint8_t *)b + row->count_at, sizeof(nb));
    memcpy(&la, (const uint8_t *)a + row->at, sizeof(la));
    memcpy(&lb, (const uint8_t *)b + row->at, sizeof(lb));
    if (size == 1 || na != nb)
        return na == nb && (na == 0 || memcmp(la, lb, na) == 0);
    for (size_t i = 0; i < na; i++) {
        const struct can_frame *fa = (const struct can_frame *)(const void *)la + i, *fb = (const struct can_frame *)(const void *)lb + i;

        if (fa->id != fb->id || fa->ext != fb->ext || fa->len != fb->len || memcmp(fa->data, fb->data, 8) != 0)
            return false;
    }
    return true;
}

static bool is_same(const struct biu_in *a, const struct biu_in *b)
{
    for (int i = 0; i < BIU_LOG_IN_ROWS; i++) {
        const struct biu_log_row *row = &biu_log_in_rows[i];

        if (row->kind == BIU_LOG_BYTES || row->kind == BIU_LOG_FRAMES
                ? !is_same_list(row, a, b)
                : memcmp((const uint8_t *)a + row->at, (const uint8_t *)b + row->at, (size_t)row->size * row->count) != 0)
            return false;
    }
    return true;
}

static void test_random_inputs_come_back(void)
{
    static uint8_t bytes[8 * BIU_LOG_IN_ROWS];
    static struct can_frame frames[8 * BIU_LOG_IN_ROWS];
    struct biu_in in;

    start_of_rig();
    for (int n = 0; n < 2000; n++) {
        blur(bytes, frames, 8 * BIU_LOG_IN_ROWS);
        fill(&in, bytes, frames);
        memset(&rig.out, 0, sizeof(rig.out));
        rig.out.contactors = roll();
        rig.out.restart = roll() & 1u;
        rig.out.can_tx_count = roll() % 4;
        w = writer_of(block, sizeof(block));
        biu_log_put_step(&to, &w, &in, &rig.out);
        CU_ASSERT_FALSE_FATAL(w.bad);
        r = reader_of(block, writer_used(&w));
        CU_ASSERT_EQUAL_FATAL(biu_log_next(&from, &r), BIU_LOG_STEP);
        CU_ASSERT_EQUAL(reader_left(&r), 0);
        CU_ASSERT_FATAL(is_same(&in, &from.in));
        struct biu_log_facts facts;

        biu_log_facts_of(&rig.out, &facts);
        CU_ASSERT_EQUAL(memcmp(&facts, &from.out, sizeof(facts)), 0);
    }
}

static void test_a_start_comes_back(void)
{
    static const uint8_t codes[] = { DTC_IMAGE_VERSION, 1, 2, 3, 4, 5, 6, 7, 8, 0 };
    struct key_data key = { .boot = 6, .soc = { .left_mAms = -5, .sigma = 0.5f }, .alarms = { 1, 2, 3 } };
    struct biu_config cfg = {
        .params = rig.params, .boot = 4000000000u, .ring_size = 3600, .key = &key, .codes = codes, .codes_n = sizeof(codes)
    };

    rig_init(&rig, 48, 0);
    rig.params[PARAM_charge_over_current_limit] = -4321;
    begin();
    biu_log_put_start(&to, &w, &cfg, UINT32_MAX);
    biu_log_put_wake(&w, 77);
    biu_log_put_end(&w, 12345678901u);
    CU_ASSERT_EQUAL(first_record(), BIU_LOG_HEAD);
    CU_ASSERT_STRING_EQUAL(from.version, "1.2.3");
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_START);
    CU_ASSERT_EQUAL(from.now_ms, UINT32_MAX);
    CU_ASSERT(from.config.boot == 4000000000u && from.config.ring_size == 3600);
    CU_ASSERT_EQUAL(memcmp(from.config.params, rig.params, sizeof(rig.params)), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(from.config.key);
    CU_ASSERT(from.config.key->boot == 6 && from.config.key->soc.left_mAms == -5 && from.config.key->alarms[2] == 3);
    CU_ASSERT_FATAL(from.config.codes && from.config.codes_n == sizeof(codes));
    CU_ASSERT_EQUAL(memcmp(from.config.codes, codes, sizeof(codes)), 0);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_WAKE);
    CU_ASSERT_EQUAL(from.now_ms, 77);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_END);
    CU_ASSERT_EQUAL(from.steps, 12345678901u);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_NONE);
}

/* A log of the first format ends its START behind the key data. */
static void test_the_first_format_is_still_read(void)
{
    struct biu_config cfg = { .params = rig.params, .boot = 3, .ring_size = 2 };

    rig_init(&rig, 48, 0);
    begin();
    block[1] = BIU_LOG_FORMAT_FIRST;
    biu_log_put_start(&to, &w, &cfg, 5);
    size_t without_codes = writer_used(&w) - 1;

    w = writer_of(block + without_codes, sizeof(block) - without_codes);
    biu_log_put_wake(&w, 77);
    r = reader_of(block, without_codes + writer_used(&w));
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_HEAD);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_START);
    CU_ASSERT(from.config.boot == 3 && !from.config.codes);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_WAKE);
    CU_ASSERT_EQUAL(from.now_ms, 77);
}

/* --- outputs --- */

static uint64_t fact(const char *name)
{
    struct biu_log_facts facts;

    biu_log_facts_of(&rig.out, &facts);
    for (int i = 0; i < BIU_LOG_OUT_ROWS; i++)
        if (strcmp(biu_log_out_rows[i].name, name) == 0)
            return facts.row[i];
    return UINT64_MAX;
}

/* The fact of this output changes when this byte of it does. */
#define CHANGES(name, place)                                                                                                               \
    do {                                                                                                                                   \
        uint64_t was = fact(name);                                                                                                         \
        (place) ^= 1;                                                                                                                      \
        CU_ASSERT_NOT_EQUAL(fact(name), was);                                                                                              \
        (place) ^= 1;                                                                                                                      \
        CU_ASSERT_EQUAL(fact(name), was);                                                                                                  \
    } while (0)

static void test_no_output_changes_unseen(void)
{
    static struct sample s;

    memset(&rig.out, 0, sizeof(rig.out));
    memset(&s, 0, sizeof(s));
    CU_ASSERT(fact("sample") == 0 && fact("nvm_write") == 0 && fact("afe_tx") == 0 && fact("can_tx") == 0);
    s.cells = 48, s.temps = 3, s.alarms = 2;
    rig.out.sample = &s;
    rig.out.nvm_write = rig.params;
    rig.out.afe_tx_len = 5;
    rig.out.can_tx_count = 2;
    CU_ASSERT(fact("sample") != 0 && fact("nvm_write") != 0); /* there, even when all are 0 */
    CHANGES("contactors", rig.out.contactors);
    CHANGES("afe_tx", rig.out.afe_tx[4]);
    CHANGES("can_tx", rig.out.can_tx[1].id);
    CHANGES("can_tx", rig.out.can_tx[1].len);
    CHANGES("can_tx", rig.out.can_tx[1].data[7]);
    CHANGES("nvm_write", rig.params[PARAMS - 1]);
    CHANGES("sample", s.utc_ms);
    CHANGES("sample", s.boot);
    CHANGES("sample", s.no);
    CHANGES("sample", s.cells);
    CHANGES("sample", s.temps);
    CHANGES("sample", s.scalar[SAMPLE_SCALARS - 1]);
    CHANGES("sample", s.cell_mV[47]);
    CHANGES("sample", s.temp_ddegC[2]);
    CHANGES("sample", s.balancing[2]);
    CHANGES("sample", s.alarm[1].value);
    uint8_t program[3] = { 1, 2, 3 };

    rig.out.slot.data = program;
    CU_ASSERT_EQUAL(fact("slot.data"), 0);
    rig.out.slot.n = 3;
    CHANGES("slot.data", program[2]);
    uint64_t was = fact("afe_tx");

    rig.out.afe_tx[5] = 1; /* beyond what is sent */
    CU_ASSERT_EQUAL(fact("afe_tx"), was);
}

/* --- what is refused --- */

static void test_a_log_that_is_cut_or_spoilt_is_refused(void)
{
    size_t whole;

    start_of_rig();
    biu_log_put_step(&to, &w, &rig.in, &rig.out);
    whole = writer_used(&w);
    for (size_t n = 1; n < whole; n++) {
        int got;

        biu_log_reader_init(&from);
        r = reader_of(block, n);
        do {
            got = biu_log_next(&from, &r);
        } while (got > 0);
        CU_ASSERT(got == BMS_ERR_CORRUPT || got == BIU_LOG_NONE); /* NONE: cut between two records */
    }
    biu_log_reader_init(&from);
    r = reader_of((uint8_t[]) { BIU_LOG_STEP }, 1); /* no HEAD before */
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BMS_ERR_CORRUPT);
    begin();
    block[1] = BIU_LOG_FORMAT + 1;
    CU_ASSERT_EQUAL(first_record(), BMS_ERR_SCHEMA);
    begin();
    write_u8(&w, BIU_LOG_END + 1);
    CU_ASSERT_EQUAL(first_record(), BIU_LOG_HEAD);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BMS_ERR_CORRUPT);
    begin();
    biu_log_put_step(&to, &w, &rig.in, &rig.out); /* before a START */
    CU_ASSERT_EQUAL(first_record(), BIU_LOG_HEAD);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BMS_ERR_CORRUPT);
}

static void test_a_record_without_room_is_put_again(void)
{
    start_of_rig();
    rig.in.pack_voltage_mV = 100000;
    w = writer_of(block, 3);
    biu_log_put_step(&to, &w, &rig.in, &rig.out);
    CU_ASSERT(w.bad);
    w = writer_of(block, sizeof(block));
    biu_log_put_step(&to, &w, &rig.in, &rig.out); /* nothing was taken for written */
    r = reader_of(block, writer_used(&w));
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_STEP);
    CU_ASSERT_EQUAL(from.in.pack_voltage_mV, 100000);
}

/* A log of another firmware: its HEAD has a row that this one does not know, and lacks all others. */
static void test_rows_are_found_by_name(void)
{
    static const char *names[] = { "of_another", "supply_mV" };
    struct biu_config cfg = { .params = rig.params, .ring_size = 2 };

    rig_init(&rig, 48, 0);
    biu_log_reader_init(&from);
    w = writer_of(block, sizeof(block));
    write_bytes(&w, (uint8_t[]) { BIU_LOG_HEAD, BIU_LOG_FORMAT, 0, 2 }, 4);
    for (int i = 0; i < 2; i++) {
        write_u8(&w, (uint8_t)strlen(names[i]));
        write_bytes(&w, names[i], strlen(names[i]));
        write_bytes(&w, (uint8_t[]) { BIU_LOG_VALUE, 4, 1, 0 }, 4);
    }
    write_u8(&w, 0); /* no outputs */
    biu_log_put_start(&to, &w, &cfg, 0);
    write_bytes(&w, (uint8_t[]) { BIU_LOG_STEP, 3, 2, 0x90, 0x4E }, 5); /* +1, +5000 */
    CU_ASSERT_EQUAL(first_record(), BIU_LOG_HEAD);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_START);
    CU_ASSERT_EQUAL(biu_log_next(&from, &r), BIU_LOG_STEP);
    CU_ASSERT_EQUAL(from.in.supply_mV, 5000);
    CU_ASSERT_EQUAL(from.in.pack_voltage_mV, 0);
    CU_ASSERT_FALSE(from.has_out[0]);
    block[4 + 1 + 10 + 4 + 1 + 9 + 1] = 2; /* supply_mV of 2 bytes */
    biu_log_reader_init(&from);
    CU_ASSERT_EQUAL(first_record(), BMS_ERR_SCHEMA);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every field of a step's inputs and outputs has a row in biu_io.def", test_every_field_has_a_row },
        { "random inputs come back, bit for bit", test_random_inputs_come_back },
        { "a start comes back: parameters, key data, trouble codes, clock", test_a_start_comes_back },
        { "a log of the first format is still read", test_the_first_format_is_still_read },
        { "no output changes unseen", test_no_output_changes_unseen },
        { "a log that is cut or spoilt is refused", test_a_log_that_is_cut_or_spoilt_is_refused },
        { "a record without room is put again", test_a_record_without_room_is_put_again },
        { "rows are found by name: another firmware can read the log", test_rows_are_found_by_name },
        CU_TEST_INFO_NULL,
    };

    return suite_run("biu_log", tests);
}
