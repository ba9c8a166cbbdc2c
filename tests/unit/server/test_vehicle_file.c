/* SPDX-License-Identifier: Apache-2.0 */
#include "server/history/vehicle_file.h"

#include "common/err.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct {
    uint8_t bytes[256 * 1024];
    size_t size, at;
} file;

static struct vehicle_reader reader;

static int put(void *ctx, const void *data, size_t n)
{
    (void)ctx;
    if (file.size + n > sizeof file.bytes)
        return BMS_ERR_NOSPACE;
    memcpy(file.bytes + file.size, data, n);
    file.size += n;
    return 0;
}

static size_t take(void *ctx, void *out, size_t n)
{
    size_t left = file.size - file.at, k = n < left ? n : left;

    (void)ctx;
    memcpy(out, file.bytes + file.at, k);
    file.at += k;
    return k;
}

/* Two tables, the first longer than a block. */
static void write_one(size_t n)
{
    static uint8_t rows[VEHICLE_BLOCK_MAX + 1];
    struct vehicle_writer w;

    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = (uint8_t)(i * 31);
    file.size = 0;
    CU_ASSERT_EQUAL_FATAL(vehicle_file_begin(&w, put, NULL, "demo.bus-048"), 0);
    CU_ASSERT_EQUAL(vehicle_file_table(&w, 1), 0);
    CU_ASSERT_EQUAL(vehicle_file_data(&w, rows, n), 0);
    CU_ASSERT_EQUAL(vehicle_file_table(&w, VEHICLE_TABLES_MAX), 0);
    CU_ASSERT_EQUAL(vehicle_file_data(&w, rows, 3), 0);
    CU_ASSERT_EQUAL(vehicle_file_end(&w), 0);
}

/* Reads all; returns what the reader ended with. */
static int read_all(size_t *data)
{
    file.at = 0;
    *data = 0;
    int got = vehicle_file_open(&reader, take, NULL);

    if (got == 0)
        while ((got = vehicle_file_next(&reader)) > 0)
            *data += reader.kind == VEHICLE_DATA ? reader.length : 0;
    return got;
}

static void test_what_was_written_is_read(void)
{
    static const size_t sizes[] = { 1, VEHICLE_BLOCK_MAX - 1, VEHICLE_BLOCK_MAX, VEHICLE_BLOCK_MAX + 1 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t data;

        write_one(sizes[i]);
        CU_ASSERT_EQUAL(read_all(&data), 0);
        CU_ASSERT_EQUAL(data, sizes[i] + 3);
        CU_ASSERT_STRING_EQUAL(reader.device, "demo.bus-048");
        CU_ASSERT_EQUAL(reader.table, VEHICLE_TABLES_MAX);
    }
}

static void test_every_changed_byte_is_noticed(void)
{
    size_t data;

    write_one(20);
    for (size_t i = 0; i < file.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            file.bytes[i] ^= (uint8_t)(1u << bit);
            CU_ASSERT(read_all(&data) < 0);
            file.bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    CU_ASSERT_EQUAL(read_all(&data), 0);
}

static void test_every_cut_and_what_follows_the_end_is_noticed(void)
{
    size_t data, whole;

    write_one(20);
    whole = file.size;
    for (file.size = 0; file.size < whole; file.size++)
        CU_ASSERT(read_all(&data) < 0);
    file.bytes[file.size++] = 0;
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_CORRUPT);
}

static void test_a_block_that_is_missing_or_doubled_is_noticed(void)
{
    static uint8_t was[1024];
    size_t data, block = 5 + 20 + 4, at = 8 + 3 + 12 + 4 + 5 + 1 + 4; /* the first DATA */

    write_one(20);
    memcpy(was, file.bytes, file.size);
    size_t size = file.size;

    memmove(file.bytes + at, file.bytes + at + block, size - at - block);
    file.size = size - block;
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_CORRUPT);
    memcpy(file.bytes, was, at + block);
    memcpy(file.bytes + at + block, was + at, size - at);
    file.size = size + block;
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_CORRUPT);
}

static void test_other_files_and_versions_are_named(void)
{
    size_t data;

    write_one(1);
    file.bytes[8]++;
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_SCHEMA);
    file.bytes[0] = 'X';
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_UNKNOWN);
    file.size = 0;
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_UNKNOWN);
}

static void test_tables_rise_and_names_are_names(void)
{
    struct vehicle_writer w;
    size_t data;

    file.size = 0;
    CU_ASSERT_EQUAL(vehicle_file_begin(&w, put, NULL, "no-dot"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(vehicle_file_begin(&w, put, NULL, "a.b"), 0);
    CU_ASSERT_EQUAL(vehicle_file_table(&w, 0), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(vehicle_file_table(&w, VEHICLE_TABLES_MAX + 1), BMS_ERR_RANGE);
    vehicle_file_table(&w, 2);
    vehicle_file_table(&w, 2);
    vehicle_file_end(&w);
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_CORRUPT);
    file.size = 0;
    vehicle_file_begin(&w, put, NULL, "a.b");
    vehicle_file_data(&w, "x", 1); /* of no table */
    vehicle_file_end(&w);
    CU_ASSERT_EQUAL(read_all(&data), BMS_ERR_CORRUPT);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "what was written is read", test_what_was_written_is_read },
        { "every changed bit is noticed", test_every_changed_byte_is_noticed },
        { "every cut, and what follows the end, is noticed", test_every_cut_and_what_follows_the_end_is_noticed },
        { "a block that is missing or doubled is noticed", test_a_block_that_is_missing_or_doubled_is_noticed },
        { "other files and versions are named", test_other_files_and_versions_are_named },
        { "tables rise and names are names", test_tables_rise_and_names_are_names },
        CU_TEST_INFO_NULL,
    };

    return suite_run("vehicle_file", tests);
}
