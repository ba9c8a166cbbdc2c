/* SPDX-License-Identifier: Apache-2.0 */
/* A board is recorded while things go wrong; the file, played again, gives every output again; and a file that was tampered with is found out. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crc.h"
#include "common/err.h"
#include "proto/can0.h"
#include "sim/biu_replay.h"
#include "sim/board.h"
#include "tests/unit/suite.h"

enum { CELLS = 48, FILE_MAX = 8 << 20, HEAD = 16 };

static struct world w;
static struct board b;
static struct can_bus bus;
static uint8_t memory[NVM_SIZE];
static struct record_file to;
static struct record_reader from;
static struct biu_replay_result x;
static uint8_t bytes[FILE_MAX];
static size_t size;
static char path[] = "/tmp/cellwarden-record.XXXXXX";
static uint64_t utc_ms;
static unsigned came, gone;
static struct biu_replay_alarm first; /* cell over-voltage */

static int memory_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    (void)ctx;
    memcpy(buf, memory + offset, n);
    return BMS_ERR_OK;
}

static int memory_write(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    (void)ctx;
    memcpy(memory + offset, data, n);
    return BMS_ERR_OK;
}

static const struct nvm_port nvm = { .size = NVM_SIZE, .read = memory_read, .write = memory_write };

static void live(int ms)
{
    for (; ms > 0; ms -= WORLD_STEP_MS) {
        struct can_frame f;

        world_step(&w);
        if (csu_step(&w.csu, w.current_A, &f))
            can_bus_send(&bus, CAN_BUS_NODES_MAX, &f);
        utc_ms += WORLD_STEP_MS;
        board_step(&b, utc_ms);
    }
}

static void power_on(void)
{
    struct wiring t;
    int32_t factory[PARAMS];

    CU_ASSERT_EQUAL_FATAL(wiring_init(&t, CELLS, 0), BMS_ERR_OK);
    wiring_params(&t, CHEMISTRY_NMC, factory);
    world_init(&w, &t, 0.2, 5);
    for (int i = 0; i < CELLS; i++)
        world_set_cell(&w, i, 3600 + i);
    world_set_pack_V(&w, 3.62 * CELLS);
    w.inputs.inputs |= BIU_INPUT_KEYON;
    bus = (struct can_bus) { 0 };
    CU_ASSERT_EQUAL_FATAL(board_init(&b, &w, &bus, &nvm, factory, utc_ms, &to.port), BMS_ERR_OK);
}

static void read_file(void)
{
    FILE *f = fopen(path, "rb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
}

static void write_file(size_t n)
{
    FILE *f = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void note_alarm(void *ctx, const struct biu_replay_alarm *a)
{
    (void)ctx;
    if (a->came && a->row == &alarm_rows[ALARM_cell_over_voltage] && !first.row)
        first = *a;
    came += a->came;
    gone += !a->came;
}

static int play(void)
{
    struct biu_replay_watch watch = { NULL, note_alarm };
    int err = record_reader_open(&from, path);

    came = gone = 0;
    first.row = NULL;
    if (err)
        return err;
    biu_replay(&from, &watch, &x);
    record_reader_close(&from);
    return BMS_ERR_OK;
}

/* Driving, a cell that goes over, a sleep, a second start with what the first has stored. */
static void record_an_incident(void)
{
    int fd = mkstemp(strcpy(path, "/tmp/cellwarden-record.XXXXXX"));

    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    memset(memory, 0xFF, sizeof(memory));
    utc_ms = 1700000000000;
    CU_ASSERT_EQUAL_FATAL(record_file_create(&to, path, "9.8"), BMS_ERR_OK);
    power_on();
    w.current_A = 12.5;
    live(5000);
    world_set_cell(&w, 16, 4300);
    live(1000);
    world_set_cell(&w, 16, 3700);
    live(8000);
    board_sleep(&b, 3600000);
    live(2000);
    power_on();
    live(2000);
    CU_ASSERT_EQUAL(record_file_close(&to), BMS_ERR_OK);
    read_file();
}

static void test_every_output_comes_again(void)
{
    record_an_incident();
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT(biu_replay_is_equal(&x));
    CU_ASSERT(x.steps == 1800 && x.starts == 2 && x.wakes == 1 && x.differing == 0);
    CU_ASSERT_STRING_EQUAL(from.log.version, "9.8");
    unlink(path);
}

static void test_names_every_alarm_with_cell_value_and_time(void)
{
    record_an_incident();
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT(came >= 3 && gone >= 3 && came == x.alarms);
    CU_ASSERT_EQUAL(first.row, &alarm_rows[ALARM_cell_over_voltage]);
    CU_ASSERT(first.what.number == 17 && first.what.value >= 4295 && first.what.value <= 4305);
    CU_ASSERT(first.t_ms > 5100 && first.t_ms <= 5300);
    CU_ASSERT(first.utc_ms - 1700000000000 > 5100 && first.utc_ms - 1700000000000 <= 5300);
    unlink(path);
}

/* The block that starts at `at`, sealed again. */
static void seal(size_t at)
{
    uint32_t n = get_le32(bytes + at);

    put_le32(bytes + at + 4, crc32c(0, bytes + at + 8, n));
}

/* A board with one parameter another does something else: it warns of a cell at 4,000 mV. Its value is changed in the log, with a right checksum. */
static void test_names_the_first_output_that_differs(void)
{
    uint8_t was[8], now[8];
    struct writer a = writer_of(was, sizeof(was)), c = writer_of(now, sizeof(now));

    record_an_incident();
    write_varint(&a, param_rows[PARAM_cell_over_voltage_limit].id);
    write_varint(&a, zigzag32(4250));
    write_varint(&c, param_rows[PARAM_cell_over_voltage_limit].id);
    write_varint(&c, zigzag32(3640)); /* cell 41 and those above have more */
    for (size_t i = HEAD; i < 20000; i++)
        if (memcmp(bytes + i, was, writer_used(&a)) == 0)
            memcpy(bytes + i, now, writer_used(&c));
    seal(8);
    write_file(size);
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT(x.error == BMS_ERR_OK && x.complete && !biu_replay_is_equal(&x));
    CU_ASSERT(x.differing > 0 && x.differing < x.steps);
    CU_ASSERT(x.first_step > 1 && x.first_step < 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x.first_row);
    CU_ASSERT_NOT_EQUAL(x.recorded, x.replayed);
    CU_ASSERT_EQUAL(first.row, &alarm_rows[ALARM_cell_over_voltage]);
    CU_ASSERT_EQUAL(first.what.number, 48);
    unlink(path);
}

static void test_a_file_that_is_not_whole_is_told(void)
{
    record_an_incident();
    bytes[size / 2] ^= 1;
    write_file(size);
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT(x.error == BMS_ERR_CORRUPT && !biu_replay_is_equal(&x));
    bytes[size / 2] ^= 1;
    write_file(size - 1);
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT(x.error == BMS_ERR_TRUNCATED && x.differing == 0 && !biu_replay_is_equal(&x));
    write_file(8); /* the recorder was cut off at once */
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT(x.error == BMS_ERR_OK && !x.complete && !biu_replay_is_equal(&x));
    write_file(11);
    CU_ASSERT_EQUAL(play(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(x.error, BMS_ERR_TRUNCATED);
    write_file(7);
    CU_ASSERT_EQUAL(play(), BMS_ERR_CORRUPT);
    bytes[0] = 'X';
    write_file(size);
    CU_ASSERT_EQUAL(play(), BMS_ERR_CORRUPT);
    unlink(path);
    CU_ASSERT_EQUAL(play(), BMS_ERR_IO);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a recorded board, played again, gives every output again: over alarms, a sleep, a second start", test_every_output_comes_again },
        { "names every alarm with cell, value and time [AC-6]", test_names_every_alarm_with_cell_value_and_time },
        { "names the first output that differs", test_names_the_first_output_that_differs },
        { "a file that is not whole is told", test_a_file_that_is_not_whole_is_told },
        CU_TEST_INFO_NULL,
    };

    return suite_run("biu_record", tests);
}
