/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "firmware/app/nvm.h"
#include "sim/nvm_file.h"
#include "sim/truth_file.h"
#include "tests/unit/suite.h"

static char path[] = "/tmp/test_sim_files.XXXXXX";

static struct sample a_sample(uint32_t no)
{
    struct sample s = { .utc_ms = 1000 * no, .boot = 3, .no = no, .cells = 5, .temps = 2 };

    for (int i = 0; i < 5; i++)
        s.cell_mV[i] = (uint16_t)(3700 + i);
    s.temp_ddegC[0] = -125;
    s.temp_ddegC[1] = 250;
    return s;
}

static const uint16_t world[5] = { 3700, 3701, 0xFFFF, 3703, 3704 };
enum { ENTRY = 20 + 4 * 5 + 2 * 2 };

static off_t size_of_file(void)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void test_each_sample_is_one_entry_as_written_down(void)
{
    static const uint8_t want[] = { 'C', 'W',  'T',  'R', 'U', 'T', 'H', '1', 3, 0, 0, 0, 7, 0,    0,
                                    0,   0x58, 0x1B, 0,   0,   0,   0,   0,   0, 5, 0, 2, 0, 0x74, 0x0E };
    uint8_t got[8 + ENTRY];
    struct truth_file t;
    struct sample s = a_sample(7);

    unlink(path);
    CU_ASSERT_EQUAL_FATAL(truth_file_open(&t, path), BMS_ERR_OK);
    CU_ASSERT_EQUAL(truth_file_append(&t, &s, world), BMS_ERR_OK);
    truth_file_close(&t);
    int fd = open(path, O_RDONLY);

    CU_ASSERT_EQUAL(read(fd, got, sizeof(got)), sizeof(got));
    close(fd);
    CU_ASSERT_EQUAL(memcmp(got, want, sizeof(want)), 0);
    CU_ASSERT_EQUAL(memcmp(got + 8 + ENTRY - 4, (const uint8_t[]) { 0x83, 0xFF, 0xFA, 0x00 }, 4), 0);
    CU_ASSERT_EQUAL(size_of_file(), 8 + ENTRY);
}

static void test_a_torn_entry_is_cut_off_on_opening(void)
{
    for (off_t cut = 0; cut <= ENTRY; cut++) {
        struct truth_file t;
        struct sample s = a_sample(1);

        unlink(path);
        CU_ASSERT_EQUAL_FATAL(truth_file_open(&t, path), BMS_ERR_OK);
        CU_ASSERT_EQUAL(truth_file_append(&t, &s, world), BMS_ERR_OK);
        CU_ASSERT_EQUAL(truth_file_append(&t, &s, world), BMS_ERR_OK);
        truth_file_close(&t);
        CU_ASSERT_EQUAL(truncate(path, 8 + ENTRY + cut), 0);
        CU_ASSERT_EQUAL_FATAL(truth_file_open(&t, path), BMS_ERR_OK);
        CU_ASSERT_EQUAL(truth_file_append(&t, &s, world), BMS_ERR_OK);
        CU_ASSERT_EQUAL(size_of_file(), 8 + (cut == ENTRY ? 3 : 2) * ENTRY);
        truth_file_close(&t);
    }
}

static void test_another_file_is_not_overwritten(void)
{
    struct truth_file t;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CU_ASSERT_EQUAL(write(fd, "something else", 14), 14);
    close(fd);
    CU_ASSERT_EQUAL(truth_file_open(&t, path), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(size_of_file(), 14);
    CU_ASSERT_EQUAL(truth_file_open(&t, "/nowhere/truth"), BMS_ERR_IO);
    CU_ASSERT_EQUAL(truth_file_append(&t, NULL, NULL), BMS_ERR_OK); /* none is written */
}

static void test_memory_is_erased_at_first_and_keeps_what_is_written(void)
{
    struct nvm_file n;
    uint8_t buf[16];

    unlink(path);
    CU_ASSERT_EQUAL_FATAL(nvm_file_open(&n, path), BMS_ERR_OK);
    CU_ASSERT_EQUAL(n.port.size, NVM_SIZE);
    CU_ASSERT_EQUAL(n.port.read(n.port.ctx, NVM_SIZE - 16, buf, 16), BMS_ERR_OK);
    for (int i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(buf[i], 0xFF);
    CU_ASSERT_EQUAL(n.port.write(n.port.ctx, 100, (const uint8_t *)"0123456789ABCDEF", 16), BMS_ERR_OK);
    nvm_file_close(&n);
    CU_ASSERT_EQUAL_FATAL(nvm_file_open(&n, path), BMS_ERR_OK);
    CU_ASSERT_EQUAL(n.port.read(n.port.ctx, 98, buf, 16), BMS_ERR_OK);
    CU_ASSERT_EQUAL(memcmp(buf,
                           "\xFF\xFF"
                           "0123456789ABCD",
                           16),
                    0);
    CU_ASSERT_EQUAL(n.port.read(n.port.ctx, NVM_SIZE - 8, buf, 16), BMS_ERR_IO); /* beyond the end */
    nvm_file_close(&n);
    CU_ASSERT_EQUAL(nvm_file_open(&n, "/nowhere/nvm"), BMS_ERR_IO);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "each sample is one entry as written down", test_each_sample_is_one_entry_as_written_down },
        { "a torn entry is cut off on opening", test_a_torn_entry_is_cut_off_on_opening },
        { "another file is not overwritten", test_another_file_is_not_overwritten },
        { "memory is erased at first and keeps what is written", test_memory_is_erased_at_first_and_keeps_what_is_written },
        CU_TEST_INFO_NULL,
    };
    int fd = mkstemp(path);

    if (fd < 0)
        return 2;
    close(fd);
    int failed = suite_run("sim_files", tests);

    unlink(path);
    return failed;
}
