/* SPDX-License-Identifier: Apache-2.0 */
/* test_flash_file.c -- the file is as strict as the chip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include "common/err.h"
#include "dtu/core/journal.h"
#include "dtu/port/posix/flash_file.h"

static char path[64];
static const struct flash_geometry geometry = { 4096, 8, 4 };

static void new_path(void)
{
    int fd;

    snprintf(path, sizeof(path), "/tmp/test_flash_file.XXXXXX");
    fd = mkstemp(path);
    close(fd);
    unlink(path);
}

static void test_new_file(void)
{
    struct flash_file f;
    struct stat st;
    uint8_t b[4096];
    bool fresh = false;

    new_path();
    CU_ASSERT_EQUAL_FATAL(flash_file_open(&f, path, &geometry, &fresh), BMS_ERR_OK);
    CU_ASSERT(fresh);
    CU_ASSERT_EQUAL(f.port.read(f.port.ctx, 7 * 4096, b, 4096), BMS_ERR_OK);
    for (size_t i = 0; i < sizeof(b); i++)
        CU_ASSERT_EQUAL(b[i], 0xFF);
    CU_ASSERT_EQUAL(f.port.read(f.port.ctx, 8 * 4096 - 1, b, 2), BMS_ERR_RANGE);
    CU_ASSERT(stat(path, &st) == 0 && st.st_blocks == 0); /* a hole takes no space */
    for (uint32_t s = 0; s < 8; s++)
        CU_ASSERT_EQUAL(f.port.erase(f.port.ctx, s), BMS_ERR_OK);
    CU_ASSERT(stat(path, &st) == 0 && st.st_blocks <= 8); /* and stays one: only the counts are there */
    flash_file_close(&f);
    unlink(path);
}

static void test_program_once(void)
{
    struct flash_file f;
    uint8_t a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, zero[8] = { 0 }, b[8];
    bool fresh;

    new_path();
    CU_ASSERT_EQUAL_FATAL(flash_file_open(&f, path, &geometry, &fresh), BMS_ERR_OK);
    const struct flash_port *p = &f.port;

    CU_ASSERT_EQUAL(p->program(p->ctx, 4096, a, 8), BMS_ERR_OK);
    CU_ASSERT(p->read(p->ctx, 4096, b, 8) == BMS_ERR_OK && memcmp(a, b, 8) == 0);
    CU_ASSERT_EQUAL(p->program(p->ctx, 4100, a, 4), BMS_ERR_STATE);
    CU_ASSERT_EQUAL(p->program(p->ctx, 4100, zero, 4), BMS_ERR_OK);
    CU_ASSERT_EQUAL(p->program(p->ctx, 4098, a, 4), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(p->program(p->ctx, 4104, a, 3), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(p->program(p->ctx, 8 * 4096, a, 4), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(p->erase(p->ctx, 8), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(p->erase(p->ctx, 1), BMS_ERR_OK);
    CU_ASSERT(p->read(p->ctx, 4096, b, 8) == BMS_ERR_OK && b[0] == 0xFF && b[7] == 0xFF);
    CU_ASSERT_EQUAL(p->program(p->ctx, 4100, a, 4), BMS_ERR_OK);
    CU_ASSERT_EQUAL(p->sync(p->ctx), BMS_ERR_OK);
    CU_ASSERT(flash_file_erased(&f, 1) == 1 && flash_file_erased(&f, 0) == 0);
    flash_file_close(&f);
    unlink(path);
}

static void test_open_again(void)
{
    struct flash_geometry larger = { 4096, 100, 4 };
    struct journal_sector index[8];
    struct journal_note note = { 3, 9, 0 };
    struct journal j;
    struct flash_file f;
    uint8_t b[16];
    bool fresh;

    new_path();
    CU_ASSERT_EQUAL_FATAL(flash_file_open(&f, path, &geometry, &fresh), BMS_ERR_OK);
    journal_format(&j, &f.port, index, 8, 5);
    CU_ASSERT(journal_append(&j, (const uint8_t *)"a record", 8, &note) == BMS_ERR_OK && journal_sync(&j) == BMS_ERR_OK);
    flash_file_close(&f);
    CU_ASSERT_EQUAL_FATAL(flash_file_open(&f, path, &larger, &fresh), BMS_ERR_OK);
    CU_ASSERT(!fresh && f.port.geometry.sector_count == 8); /* the file keeps its size */
    CU_ASSERT_EQUAL_FATAL(journal_mount(&j, &f.port, index, 8), BMS_ERR_OK);
    CU_ASSERT(j.epoch == 5 && j.note.no == 9 && journal_read(&j, 1, b, sizeof(b)) == 8 && memcmp(b, "a record", 8) == 0);
    flash_file_close(&f);
    unlink(path);
}

/* A lock is the process's: another one must not get it. */
static void test_one_user(void)
{
    struct flash_file f, other;
    bool fresh;
    int status = 0;

    new_path();
    CU_ASSERT_EQUAL_FATAL(flash_file_open(&f, path, &geometry, &fresh), BMS_ERR_OK);
    pid_t pid = fork();

    if (pid == 0)
        _exit(flash_file_open(&other, path, &geometry, &fresh) == BMS_ERR_STATE ? 0 : 1);
    CU_ASSERT(waitpid(pid, &status, 0) == pid && status == 0);
    flash_file_close(&f);
    unlink(path);
}

static void test_wrong_files(void)
{
    struct flash_geometry bad = { 4096, 0, 4 };
    struct flash_file f;
    bool fresh;

    new_path();
    CU_ASSERT_EQUAL(flash_file_open(&f, path, &bad, &fresh), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(flash_file_open(&f, "/nowhere/at/all", &geometry, &fresh), BMS_ERR_IO);
    FILE *x = fopen(path, "w");

    fputs("no journal", x);
    fclose(x);
    CU_ASSERT_EQUAL(flash_file_open(&f, path, &geometry, &fresh), BMS_ERR_RANGE);
    unlink(path);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("flash_file", NULL, NULL);

    CU_add_test(s, "a new file is erased flash and takes no space", test_new_file);
    CU_add_test(s, "a write unit is programmed once, again only with zeros, and anew after an erase", test_program_once);
    CU_add_test(s, "a file that is there keeps its size and its journal", test_open_again);
    CU_add_test(s, "two programs cannot have one journal", test_one_user);
    CU_add_test(s, "what is no journal file is refused", test_wrong_files);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
