/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/record.h"

#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "telemetry.pb-c.h"
#include "tests/unit/suite.h"

static const uint8_t body[] = { 1, 2, 3, 4, 5 };

static struct record example(void)
{
    return (struct record) { .device = "demo.bus-048",
                             .epoch = 0x0123456789ABCDEFu,
                             .seq = 300,
                             .boot = 3,
                             .first_no = 100,
                             .count = 10,
                             .first_utc_ms = 1767225600000u,
                             .last_utc_ms = 1767225609000u,
                             .cells = 48,
                             .temps = 12,
                             .body = body,
                             .body_len = sizeof(body) };
}

static bool same(const struct record *a, const struct record *b)
{
    return strcmp(a->device, b->device) == 0 && a->epoch == b->epoch && a->seq == b->seq && a->boot == b->boot &&
           a->first_no == b->first_no && a->count == b->count && a->first_utc_ms == b->first_utc_ms && a->last_utc_ms == b->last_utc_ms &&
           a->cells == b->cells && a->temps == b->temps && a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0;
}

static void test_sealed_and_opened_it_is_the_same(void)
{
    uint8_t out[RECORD_MAX];
    struct record r = example(), got;
    int n = record_seal(&r, out, sizeof(out));

    CU_ASSERT(n > 0);
    CU_ASSERT_EQUAL_FATAL(record_open(out, (size_t)n, &got), BMS_ERR_OK);
    CU_ASSERT_TRUE(same(&r, &got));
}

/* The same bytes are protobuf for any other reader, and what another writer makes is a record here. */
static void test_it_is_plain_protobuf(void)
{
    uint8_t out[RECORD_MAX], theirs[RECORD_MAX];
    struct record r = example(), got;
    int n = record_seal(&r, out, sizeof(out));
    Cw__Record *m = cw__record__unpack(NULL, (size_t)n, out);

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT(m->schema == 1 && strcmp(m->device, "demo.bus-048") == 0 && m->epoch == r.epoch && m->seq == 300 && m->boot == 3);
    CU_ASSERT(m->first_no == 100 && m->count == 10 && m->first_utc_ms == r.first_utc_ms && m->last_utc_ms == r.last_utc_ms);
    CU_ASSERT(m->cells == 48 && m->temps == 12 && m->body.len == sizeof(body) && memcmp(m->body.data, body, sizeof(body)) == 0);
    CU_ASSERT_EQUAL(m->crc32c, crc32c(0, out, (size_t)n - 5));
    size_t len = cw__record__pack(m, theirs);

    CU_ASSERT(len == (size_t)n && memcmp(theirs, out, len) == 0);
    CU_ASSERT_EQUAL(record_open(theirs, len, &got), BMS_ERR_OK);
    cw__record__free_unpacked(m, NULL);
}

/* Golden vector of record-body.md. */
static void test_golden_vector(void)
{
    uint8_t out[RECORD_MAX];
    struct record r = example();
    int n = record_seal(&r, out, sizeof(out));
    static const char golden[] = "0801120c64656d6f2e6275732d30343819efcdab896745230120ac0228033064380a"
                                 "4080d0eab6b73348a896ebb6b7335030580c620501020304057d47783e16";
    char hex[2 * RECORD_MAX + 1];

    for (int i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", out[i]);
    CU_ASSERT_STRING_EQUAL(hex, golden);
}

static void test_every_flipped_bit_and_every_truncation_is_found(void)
{
    uint8_t out[RECORD_MAX];
    struct record r = example(), got;
    int n = record_seal(&r, out, sizeof(out));

    for (int bit = 0; bit < n * 8; bit++) {
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_NOT_EQUAL(record_open(out, (size_t)n, &got), BMS_ERR_OK);
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (int len = 0; len < n; len++)
        CU_ASSERT_NOT_EQUAL(record_open(out, (size_t)len, &got), BMS_ERR_OK);
}

static size_t seal_by_hand(struct writer *w)
{
    uint32_t crc = crc32c(0, w->start, writer_used(w));

    write_u8(w, 0x7D);
    write_le32(w, crc);
    return writer_used(w);
}

static void test_unknown_schema_is_named_and_says_who_sent_it(void)
{
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));
    struct record got;

    write_bytes(&w, "\x08\x02\x12\x03\x61\x2e\x62\x20\x07", 9); /* schema 2, device a.b, seq 7 */
    CU_ASSERT_EQUAL(record_open(out, seal_by_hand(&w), &got), BMS_ERR_SCHEMA);
    CU_ASSERT_STRING_EQUAL(got.device, "a.b");
    CU_ASSERT_EQUAL(got.seq, 7);
}

static void test_unknown_fields_of_a_later_writer_are_skipped(void)
{
    uint8_t out[RECORD_MAX];
    struct record r = example(), got;
    int n = record_seal(&r, out, sizeof(out));
    struct writer w = writer_of(out, sizeof(out));

    w.p += n - 5;
    write_bytes(&w, "\xA0\x01\x05\xAA\x01\x02hi\xB5\x01\x01\x02\x03\x04", 14); /* fields 20 varint, 21 bytes, 22 fixed32 */
    CU_ASSERT_EQUAL(record_open(out, seal_by_hand(&w), &got), BMS_ERR_OK);
    CU_ASSERT_TRUE(same(&r, &got));
}

static void test_fields_exactly_at_their_limit_and_one_past(void)
{
    uint8_t out[RECORD_MAX + 16];
    static uint8_t big[RECORD_BODY_MAX + 1];
    struct record r = example();

    r.count = RECORD_SAMPLES_MAX;
    r.cells = 160;
    r.temps = 64;
    r.first_no = UINT32_MAX - RECORD_SAMPLES_MAX;
    r.boot = UINT32_MAX;
    r.seq = r.epoch = r.first_utc_ms = r.last_utc_ms = UINT64_MAX;
    memset(r.device, 'x', DEVICE_NAME_MAX);
    r.body = big;
    r.body_len = RECORD_BODY_MAX;
    CU_ASSERT(record_seal(&r, out, sizeof(out)) > 0);
    r.body_len++;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
    r.body_len--;
    r.first_no++;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
    r.first_no--;
    r.cells++;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
    r.cells--;
    r.temps++;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
    r.temps--;
    r.count = 61;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
    r.count = 0;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
    r.count = 1;
    r.seq = 0;
    CU_ASSERT_EQUAL(record_seal(&r, out, sizeof(out)), BMS_ERR_RANGE);
}

static void test_too_small_a_buffer_is_an_error(void)
{
    uint8_t out[RECORD_MAX];
    struct record r = example();
    int n = record_seal(&r, out, sizeof(out));

    for (int size = 0; size < n; size++)
        CU_ASSERT_EQUAL(record_seal(&r, out, (size_t)size), BMS_ERR_NOSPACE);
    CU_ASSERT_EQUAL(record_seal(&r, out, (size_t)n), n);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "sealed and opened it is the same [FL-2]", test_sealed_and_opened_it_is_the_same },
        { "it is plain protobuf [FL-2]", test_it_is_plain_protobuf },
        { "golden vector", test_golden_vector },
        { "every flipped bit and every truncation is found", test_every_flipped_bit_and_every_truncation_is_found },
        { "an unknown schema is named and says who sent it", test_unknown_schema_is_named_and_says_who_sent_it },
        { "unknown fields of a later writer are skipped", test_unknown_fields_of_a_later_writer_are_skipped },
        { "fields exactly at their limit, and one past", test_fields_exactly_at_their_limit_and_one_past },
        { "too small a buffer is an error", test_too_small_a_buffer_is_an_error },
        CU_TEST_INFO_NULL,
    };
    return suite_run("record", tests);
}
