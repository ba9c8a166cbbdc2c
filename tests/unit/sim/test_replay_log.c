/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/err.h"
#include "sim/replay_log.h"
#include "tests/unit/suite.h"

#define HEAD "t_s,i_A,pack_V,c1_mV,c2_mV,c3_mV,c4_mV,t1_C\n"
#define ROW0 "0,1.5,14.8,3700,3701,3702,3703,20\n"

static struct replay_log log_;
static char path[] = "/tmp/test_replay_log.XXXXXX";

static void put(const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(text, 1, n, f), n);
    fclose(f);
}

static int open_text(const char *text)
{
    put(text, strlen(text));
    return replay_open(&log_, path);
}

static void test_rows_are_read_as_they_stand(void)
{
    CU_ASSERT_EQUAL_FATAL(open_text("speed,t_s,c2_mV,c1_mV,c3_mV,c4_mV,note,i_A,t2_C,t1_C\n"
                                    "fast,0.5,3702,3701,3703,3704,\xC3\xA4,-12.25,21.5,-39.9\r\n"
                                    ",1.5,3712,3711,3713,3714,x y,600,,\n"),
                          BMS_ERR_OK);
    CU_ASSERT_EQUAL(log_.cells, 4);
    CU_ASSERT_EQUAL(log_.temps, 2);
    CU_ASSERT_EQUAL(log_.rows, 2);
    CU_ASSERT_DOUBLE_EQUAL(log_.first_s, 0.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.last_s, 1.5, 0);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.t_s, 0.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.current_A, -12.25, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.pack_V, 14.810, 1e-9); /* the sum, as there is no column */
    CU_ASSERT_DOUBLE_EQUAL(log_.row.cell_mV[1], 3702, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.temp_C[0], -39.9, 0);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.temp_C[1], 21.5, 0); /* held */
    CU_ASSERT_EQUAL(log_.holes, 2);
    CU_ASSERT_EQUAL(replay_next(&log_), 0);
    replay_close(&log_);
}

static void test_holes_are_held_and_counted(void)
{
    CU_ASSERT_EQUAL_FATAL(open_text(HEAD ",,14.8,,3701,3702,3703,\n"), BMS_ERR_CORRUPT); /* no time */
    CU_ASSERT_EQUAL_FATAL(open_text(HEAD "0,,14.8,,3701,3702,3703,\n"
                                         "1,2,14.8,3700,-1,66535,,20\n"
                                         "2,,,3710,5001,5000,0,\n"),
                          BMS_ERR_OK);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.cell_mV[0], 3700, 0); /* nothing before: the first one */
    CU_ASSERT_DOUBLE_EQUAL(log_.row.current_A, 2, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.temp_C[0], 20, 0);
    CU_ASSERT_TRUE(log_.row.hole[0] && !log_.row.hole[1]);
    CU_ASSERT_EQUAL(log_.holes, 3);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_TRUE(!log_.row.hole[0] && log_.row.hole[1] && log_.row.hole[2] && log_.row.hole[3]);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.cell_mV[1], 3701, 0);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_TRUE(log_.row.hole[1] && !log_.row.hole[2] && !log_.row.hole[3]); /* 5,000 and 0 are values */
    CU_ASSERT_DOUBLE_EQUAL(log_.row.cell_mV[2], 5000, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.cell_mV[3], 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.row.pack_V, 14.8, 0);
    CU_ASSERT_EQUAL(log_.holes, 3 + 3 + 4);
    replay_close(&log_);
}

static void test_a_probe_without_values_is_not_fitted(void)
{
    CU_ASSERT_EQUAL_FATAL(
        open_text("t_s,i_A,c1_mV,c2_mV,c3_mV,c4_mV,t1_C,t2_C,t4_C\n0,1,3700,3700,3700,3700,20,,21\n1,1,3700,3700,3700,3700,20,,\n"),
        BMS_ERR_OK);
    CU_ASSERT_EQUAL(log_.temps, 4);
    CU_ASSERT_TRUE(log_.fitted[0] && !log_.fitted[1] && !log_.fitted[2] && log_.fitted[3]);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_EQUAL(replay_next(&log_), 1);
    CU_ASSERT_EQUAL(log_.holes, 1); /* t4 of the second row; t2 is no hole */
    replay_close(&log_);
}

static void test_files_that_are_refused_are_named_with_line_and_column(void)
{
    static const struct {
        const char *text;
        int err;
        const char *says;
    } rows[] = {
        { "", BMS_ERR_CORRUPT, "is empty" },
        { "this is no log\nat all\n", BMS_ERR_CORRUPT, "line 1: there is no column t_s" },
        { HEAD, BMS_ERR_CORRUPT, "has no rows" },
        { "i_A,c1_mV,c2_mV,c3_mV,c4_mV\n1,2,3,4,5\n", BMS_ERR_CORRUPT, "line 1: there is no column t_s" },
        { "t_s,c1_mV,c2_mV,c3_mV,c4_mV\n1,2,3,4,5\n", BMS_ERR_CORRUPT, "line 1: there is no column i_A" },
        { "t_s,i_A\n0,1\n", BMS_ERR_CORRUPT, "line 1: there is no column c1_mV" },
        { "t_s,i_A,c1_mV,c2_mV,c4_mV\n0,1,1,1,1\n", BMS_ERR_CORRUPT, "line 1: there is no column c3_mV" },
        { "t_s,i_A,c1_mV,c2_mV,c3_mV\n0,1,1,1,1\n", BMS_ERR_RANGE, "at least 4 cells" },
        { "t_s,i_A,c161_mV\n0,1,1\n", BMS_ERR_RANGE, "column c161_mV: a pack has at most 160 cells" },
        { "t_s,i_A,c1_mV,c2_mV,c3_mV,c4_mV,t65_C\n0,1,1,1,1,1,1\n", BMS_ERR_RANGE, "column t65_C" },
        { "t_s,i_A,c1_mV,c2_mV,c3_mV,c4_mV,c2_mV\n0,1,1,1,1,1,1\n", BMS_ERR_CORRUPT, "column c2_mV (7) is there twice" },
        { HEAD ROW0 "1,1.5,14.8,3700,high,3702,3703,20\n", BMS_ERR_CORRUPT, "line 3, column c2_mV (5): 'high' is not a number" },
        { HEAD "0,1.5,14.8,3700,0x10,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column c2_mV (5): '0x10'" },
        { HEAD "0,1.5,14.8,3700,3700 ,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column c2_mV (5)" },
        { HEAD "0,nan,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column i_A (2): 'nan'" },
        { HEAD "0,1e999,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column i_A (2)" },
        { HEAD "0,1,14.8,3700,3700,3702,3703,warm\n", BMS_ERR_CORRUPT, "line 2, column t1_C (8): 'warm'" },
        { HEAD "soon,1,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column t_s (1): 'soon'" },
        { HEAD ",1,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column t_s: there is no time" },
        { HEAD "2e10,1,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT, "line 2, column t_s: there is no time" },
        { HEAD "5,1,14.8,3700,3700,3702,3703,20\n4.9,1,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT,
          "line 3, column t_s: time goes back from 5 to 4.9" },
        { HEAD ROW0 "1,1.5,14.8,3700,3701,3702,3703\n", BMS_ERR_CORRUPT, "line 3: 7 columns, not 8" },
        { HEAD ROW0 "1,1.5,14.8,3700,3701,3702,3703,20,9\n", BMS_ERR_CORRUPT, "line 3: 9 columns, not 8" },
        { HEAD ROW0 "\n", BMS_ERR_CORRUPT, "line 3: 1 columns, not 8" },
        { HEAD "0,1,14.8,3700,,3702,3703,20\n1,1,14.8,3700,9999,3702,3703,20\n", BMS_ERR_CORRUPT, "column c2_mV (5) never has a value" },
        { HEAD "0,,14.8,3700,3700,3702,3703,20\n", BMS_ERR_CORRUPT, "column i_A (2) never has a value" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int err = open_text(rows[i].text);

        if (err != rows[i].err || !strstr(log_.error, rows[i].says))
            fprintf(stderr, "  row %zu: %d '%s', want '%s'\n", i, err, log_.error, rows[i].says);
        CU_ASSERT_EQUAL(err, rows[i].err);
        CU_ASSERT_PTR_NOT_NULL(strstr(log_.error, rows[i].says));
        CU_ASSERT_EQUAL(strncmp(log_.error, path, strlen(path)), 0);
        CU_ASSERT_PTR_NULL(log_.file);
    }
    CU_ASSERT_EQUAL(replay_open(&log_, "/nowhere/log.csv"), BMS_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_.error, "/nowhere/log.csv: cannot be opened: No such file"));
}

static void test_a_line_may_be_long_but_not_without_end(void)
{
    char *text = calloc(1, 3 * REPLAY_LINE_MAX);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    strcpy(text, HEAD);
    memset(text + strlen(HEAD), '1', REPLAY_LINE_MAX + 10);
    CU_ASSERT_EQUAL(open_text(text), BMS_ERR_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_.error, "line 2 is longer"));
    for (size_t i = 0; i < 2 * (REPLAY_COLUMNS_MAX + 1); i += 2)
        memcpy(text + i, "x,", 3);
    CU_ASSERT_EQUAL(open_text(text), BMS_ERR_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_.error, "more than 1024 columns"));
    free(text);
}

/* A compressed log cut at any byte is refused, and never read beyond its end. */
static void test_a_compressed_file_cut_short_is_refused(void)
{
    static char whole[4096];
    char text[] = HEAD ROW0 "1,1.5,14.8,3700,3701,3702,3703,20\n";
    gzFile z = gzopen(path, "wb9");

    CU_ASSERT_PTR_NOT_NULL_FATAL(z);
    CU_ASSERT_TRUE(gzwrite(z, text, sizeof(text) - 1) > 0);
    gzclose(z);
    FILE *f = fopen(path, "rb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size_t n = fread(whole, 1, sizeof(whole), f);

    fclose(f);
    CU_ASSERT_EQUAL(replay_open(&log_, path), BMS_ERR_OK);
    CU_ASSERT_EQUAL(log_.rows, 2);
    replay_close(&log_);
    for (size_t cut = 0; cut < n; cut++) {
        put(whole, cut);
        CU_ASSERT_NOT_EQUAL(replay_open(&log_, path), BMS_ERR_OK);
        CU_ASSERT_TRUE(strlen(log_.error) > strlen(path));
    }
    put(whole, n - 5);
    CU_ASSERT_EQUAL(replay_open(&log_, path), BMS_ERR_TRUNCATED);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_.error, "cut short"));
    whole[n / 2] ^= 0x55;
    put(whole, n);
    CU_ASSERT_NOT_EQUAL(replay_open(&log_, path), BMS_ERR_OK);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "rows are read as they stand", test_rows_are_read_as_they_stand },
        { "holes are held and counted", test_holes_are_held_and_counted },
        { "a probe without values is not fitted", test_a_probe_without_values_is_not_fitted },
        { "files that are refused are named, with line and column", test_files_that_are_refused_are_named_with_line_and_column },
        { "a line may be long, but not without end", test_a_line_may_be_long_but_not_without_end },
        { "a compressed file cut short is refused", test_a_compressed_file_cut_short_is_refused },
        CU_TEST_INFO_NULL,
    };
    int fd = mkstemp(path);

    if (fd < 0)
        return 2;
    close(fd);
    int failed = suite_run("replay_log", tests);

    unlink(path);
    return failed;
}
