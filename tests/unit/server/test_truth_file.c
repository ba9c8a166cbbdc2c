/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"
#include "common/err.h"
#include "sim/truth.h"
#include "tests/unit/suite.h"
#include "tools/truth_file.h"

#include <stdlib.h>
#include <string.h>

static struct truth_file t;

/* A file of entries with 2 cells and 1 probe; numbers as given. */
static void make(const uint32_t (*numbers)[2], size_t count)
{
    struct writer w;

    memset(&t, 0, sizeof t);
    t.bytes = malloc(4096);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t.bytes);
    if (t.bytes == NULL)
        return;
    w = writer_of(t.bytes, 4096);
    write_bytes(&w, TRUTH_MAGIC, TRUTH_HEAD);
    for (size_t i = 0; i < count; i++) {
        write_le32(&w, numbers[i][0]);
        write_le32(&w, numbers[i][1]);
        write_le64(&w, 1000);
        write_le16(&w, 2);
        write_le16(&w, 1);
        write_le16(&w, 3700);
        write_le16(&w, 0xFFFF);
        write_le16(&w, 3701);
        write_le16(&w, (uint16_t)(4000 + i));
        write_le16(&w, 250);
    }
    t.size = writer_used(&w);
}

static void test_entries_are_found_whatever_their_order(void)
{
    static const uint32_t numbers[][2] = { { 2, 1 }, { 1, 2 }, { 1, 1 }, { 2, 9 } };

    make(numbers, 4);
    CU_ASSERT_EQUAL_FATAL(truth_parse(&t), 0);
    CU_ASSERT_EQUAL(t.count, 4);
    const struct truth_entry *e = truth_find(&t, 1, 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_EQUAL(get_le16(e->measured_mV + 2), 4002);
    CU_ASSERT_EQUAL(get_le16(e->world_mV), 3700);
    CU_ASSERT_PTR_NULL(truth_find(&t, 1, 3));
    CU_ASSERT_PTR_NULL(truth_find(&t, 3, 1));
    truth_free(&t);
}

static void test_a_torn_last_entry_is_left_out(void)
{
    static const uint32_t numbers[][2] = { { 1, 1 }, { 1, 2 } };

    make(numbers, 2);
    size_t whole = t.size, one = (whole - TRUTH_HEAD) / 2;

    for (size_t cut = 1; cut <= one; cut++) {
        free(t.entries);
        t.entries = NULL;
        t.count = 0;
        t.size = whole - cut;
        CU_ASSERT_EQUAL(truth_parse(&t), 0);
        CU_ASSERT_EQUAL(t.count, 1);
    }
    truth_free(&t);
}

static void test_a_repeated_entry_counts_once(void)
{
    static const uint32_t numbers[][2] = { { 1, 1 }, { 1, 2 }, { 1, 1 } };

    make(numbers, 3);
    CU_ASSERT_EQUAL(truth_parse(&t), 0);
    CU_ASSERT_EQUAL(t.count, 2);
    CU_ASSERT_EQUAL(t.repeated, 1);
    truth_free(&t);
}

static void test_another_file_is_refused(void)
{
    static const uint32_t numbers[][2] = { { 1, 1 } };

    make(numbers, 1);
    t.bytes[3] ^= 1;
    CU_ASSERT_EQUAL(truth_parse(&t), BMS_ERR_CORRUPT);
    truth_free(&t);
    make(numbers, 1);
    put_le16(t.bytes + TRUTH_HEAD + 16, 161); /* more cells than the largest pack */
    CU_ASSERT_EQUAL(truth_parse(&t), BMS_ERR_CORRUPT);
    truth_free(&t);
    CU_ASSERT_EQUAL(truth_load(&t, "/no/such/file"), BMS_ERR_IO);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "entries are found whatever their order", test_entries_are_found_whatever_their_order },
        { "a torn last entry is left out", test_a_torn_last_entry_is_left_out },
        { "a repeated entry counts once", test_a_repeated_entry_counts_once },
        { "another file is refused", test_another_file_is_refused },
        CU_TEST_INFO_NULL,
    };
    return suite_run("truth_file", tests);
}
