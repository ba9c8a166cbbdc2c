/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of recorded logs on small files of our own; then, where CELLWARDEN_DATA names a folder of recorded data, on a real log. */
#include "tests/bench/cell_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char path[64];
static struct cell_log log_;

static void put(const char *text)
{
    snprintf(path, sizeof path, "/tmp/cell_log_%ld.csv", (long)getpid());
    FILE *file = fopen(path, "w");

    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    fclose(file);
}

static void drop(void)
{
    cell_log_free(&log_);
    remove(path);
}

static void test_columns_are_found_by_name(void)
{
    put("v_V,extra,t_s,ah_Ah,i_A\n3.7,x,0,0,1\n3.6,x,1,-1.45,\n");
    CU_ASSERT_EQUAL_FATAL(cell_log_read(&log_, path), 0);
    CU_ASSERT_EQUAL(log_.rows, 2);
    CU_ASSERT_DOUBLE_EQUAL(log_.value[LOG_V][1], 3.6, 0);
    CU_ASSERT(isnan(log_.value[LOG_I][1])); /* an empty field */
    CU_ASSERT_PTR_NULL(log_.value[LOG_TEMP]);
    CU_ASSERT_EQUAL(cell_log_refer(&log_, 2.9, 1), 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.soc[1], 0.5, 1e-12);
    drop();
}

static void test_other_references_are_taken(void)
{
    put("t_s,i_A,v_V,soc_ref\n0,1,3.7,0.25\n");
    CU_ASSERT_EQUAL_FATAL(cell_log_read(&log_, path), 0);
    CU_ASSERT_EQUAL(cell_log_refer(&log_, 1, 1), 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.soc[0], 0.25, 0);
    drop();
    put("t_s,i_A,v_V,chg_Ah,dis_Ah\n0,1,3.7,1,1.5\n");
    CU_ASSERT_EQUAL_FATAL(cell_log_read(&log_, path), 0);
    CU_ASSERT_EQUAL(cell_log_refer(&log_, 2, 0.9), 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.soc[0], 0.7, 1e-12);
    drop();
}

static void test_what_is_no_log_is_refused(void)
{
    put("t_s,i_A\n0,1\n");
    CU_ASSERT_EQUAL(cell_log_read(&log_, path), -1);
    drop();
    put("t_s,i_A,v_V\n");
    CU_ASSERT_EQUAL(cell_log_read(&log_, path), -1);
    drop();
    CU_ASSERT_EQUAL(cell_log_read(&log_, path), -1); /* not there */
    put("t_s,i_A,v_V\n0,1,3.7\nx,1,3.7\n");
    CU_ASSERT_EQUAL_FATAL(cell_log_read(&log_, path), 0);
    CU_ASSERT_EQUAL(log_.rows, 1); /* a row without a time */
    CU_ASSERT_EQUAL(cell_log_refer(&log_, 2, 1), -1);
    drop();
}

static void test_a_recorded_log_is_read(void)
{
    const char *data = getenv("CELLWARDEN_DATA");
    char real[1024];

    if (data == NULL) {
        printf("skipped: CELLWARDEN_DATA names no folder of recorded data ");
        return;
    }
    snprintf(real, sizeof real, "%s/panasonic_nca/drive_25degC_US06.csv.gz", data);
    CU_ASSERT_EQUAL_FATAL(cell_log_read(&log_, real), 0);
    CU_ASSERT(log_.rows > 1000);
    CU_ASSERT_EQUAL(cell_log_refer(&log_, 2.9, 1), 0);
    CU_ASSERT_DOUBLE_EQUAL(log_.soc[0], 1, 0.01);
    cell_log_free(&log_);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "columns are found by name", test_columns_are_found_by_name },
        { "other references are taken", test_other_references_are_taken },
        { "what is no log is refused", test_what_is_no_log_is_refused },
        { "a recorded log is read, where there is one", test_a_recorded_log_is_read },
        CU_TEST_INFO_NULL,
    };
    return suite_run("cell_log", tests);
}
