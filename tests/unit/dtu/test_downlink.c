/* SPDX-License-Identifier: Apache-2.0 */
/* test_downlink.c -- a command runs once, is proved by reading back, and always gets its Result. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "board_model.h"
#include "common/err.h"
#include "dtu/core/downlink.h"
#include "proto/downlink.pb-c.h"
#include "proto/telemetry.pb-c.h"

static struct downlink dl;
static struct uds_client uds;
static struct board board;
static uint8_t bytes[8192];
static uint32_t now;

enum { OVER_VOLTAGE = 104, UNKNOWN_ID = 3999 };
static const uint64_t utc = 1800000000000u;

static void begin(void)
{
    now = 0xFFFFF000u; /* the clock wraps on the way */
    downlink_init(&dl, "demo.bus-048");
    uds_client_init(&uds);
    board_init(&board, 3, 16, 48, 12);
    dl.boot = 3;
}

static void poll_board(void)
{
    enum uds_outcome o = uds_client_step(&uds, now);

    if (o > UDS_BUSY)
        downlink_outcome(&dl, o, uds.answer, uds.answer_n, uds.nrc, now);
}

/* Let the bus run for so long. */
static void run(uint32_t ms)
{
    for (uint32_t end = now + ms; now != end; now += 10) {
        uint8_t request[UDS_REQUEST_MAX];
        struct can_frame f;
        size_t n = uds.busy ? 0 : downlink_request(&dl, request, now, utc);

        if (n > 0)
            CU_ASSERT_EQUAL(uds_ask(&uds, request, n, now), BMS_ERR_OK);
        for (unsigned i = 0; i < 100; i++) {
            while (uds_client_output(&uds, now, &f))
                board_hear(&board, &f, now);
            while (board_say(&board, now, &f)) {
                uds_client_feed(&uds, &f, now);
                poll_board();
            }
        }
        poll_board();
    }
}

static Cw__Command base(uint64_t id)
{
    Cw__Command m = CW__COMMAND__INIT;

    m.schema = 1;
    m.device = (char *)(uintptr_t) "demo.bus-048";
    m.id = id;
    m.expires_utc_ms = utc + 1000;
    return m;
}

static void send(const Cw__Command *m)
{
    downlink_command(&dl, bytes, cw__command__pack(m, bytes), now, utc);
}

static void send_read(uint64_t id)
{
    Cw__Command m = base(id);
    Cw__ReadParams r = CW__READ_PARAMS__INIT;

    m.act_case = CW__COMMAND__ACT_READ_PARAMS;
    m.read_params = &r;
    send(&m);
}

static void send_restart(uint64_t id)
{
    Cw__Command m = base(id);
    Cw__Restart r = CW__RESTART__INIT;

    m.act_case = CW__COMMAND__ACT_RESTART;
    m.restart = &r;
    send(&m);
}

static void send_watch(uint64_t id, uint32_t seconds)
{
    Cw__Command m = base(id);
    Cw__Watch w = CW__WATCH__INIT;

    m.act_case = CW__COMMAND__ACT_WATCH;
    m.watch = &w;
    w.seconds = seconds;
    send(&m);
}

/* n pairs of id and value. */
static void send_write(uint64_t id, bool store, size_t n, const int32_t (*pairs)[2])
{
    static Cw__Write write[COMMAND_WRITES_MAX + 1];
    static Cw__Write *list[COMMAND_WRITES_MAX + 1];
    Cw__Command m = base(id);
    Cw__WriteParams w = CW__WRITE_PARAMS__INIT;

    for (size_t i = 0; i < n; i++) {
        cw__write__init(&write[i]);
        write[i].id = (uint32_t)pairs[i][0];
        write[i].value = pairs[i][1];
        list[i] = &write[i];
    }
    m.act_case = CW__COMMAND__ACT_WRITE_PARAMS;
    m.write_params = &w;
    w.n_writes = n;
    w.writes = list;
    w.store = store;
    send(&m);
}

/* The next Result; NULL when there is none. Given back to the downlink at once. */
static Cw__Result *next_result(void)
{
    const uint8_t *p;
    size_t n;
    int token = downlink_result(&dl, &p, &n);

    if (token < 0)
        return NULL;
    Cw__Result *r = cw__result__unpack(NULL, n, p);

    downlink_published(&dl, (uint32_t)token);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->schema == 1 && strcmp(r->device, "demo.bus-048") == 0 && r->boot == 3);
    return r;
}

static void expect(uint64_t id, Cw__Status status)
{
    Cw__Result *r = next_result();

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_EQUAL(r->command, id);
    CU_ASSERT_EQUAL(r->status, status);
    cw__result__free_unpacked(r, NULL);
    CU_ASSERT_PTR_NULL(next_result());
}

static void test_read_all(void)
{
    begin();
    board.stored[PARAM_cell_over_voltage_limit] = 4000;
    send_read(1);
    run(500);
    Cw__Result *r = next_result();

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->command == 1 && r->status == CW__STATUS__STATUS_OK && r->n_values == PARAMS);
    for (size_t i = 0; i < r->n_values; i++)
        CU_ASSERT(r->values[i]->id == param_rows[i].id && r->values[i]->has_running && r->values[i]->running == board.running[i] &&
                  r->values[i]->has_stored && r->values[i]->stored == board.stored[i]);
    CU_ASSERT(r->running_hash == param_hash(board.running) && r->stored_hash == param_hash(board.stored));
    cw__result__free_unpacked(r, NULL);
}

static void test_calibrate(void)
{
    static const int32_t pairs[][2] = { { OVER_VOLTAGE, 4260 } };

    begin();
    int32_t before = board.stored[PARAM_cell_over_voltage_limit];

    send_write(2, false, 1, pairs);
    run(500);
    Cw__Result *r = next_result();

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->status == CW__STATUS__STATUS_OK && r->n_values == 1);
    CU_ASSERT(r->values[0]->id == OVER_VOLTAGE && r->values[0]->running == 4260 && r->values[0]->stored == before &&
              r->values[0]->nrc == 0);
    CU_ASSERT(r->running_hash == param_hash(board.running) && board.stores == 0);
    cw__result__free_unpacked(r, NULL);
}

static void test_flash(void)
{
    static const int32_t pairs[][2] = { { OVER_VOLTAGE, 4260 } };

    begin();
    board.pendings = 3; /* writing the memory takes its time */
    send_write(3, true, 1, pairs);
    run(1000);
    Cw__Result *r = next_result();

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->values[0]->running == 4260 && r->values[0]->stored == 4260 && board.stores == 1);
    CU_ASSERT(r->running_hash == r->stored_hash);
    cw__result__free_unpacked(r, NULL);
    send_write(4, true, 0, NULL); /* store only: all is read back */
    run(500);
    r = next_result();
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->n_values == PARAMS && board.stores == 2);
    cw__result__free_unpacked(r, NULL);
}

static void test_refused_values(void)
{
    static const int32_t pairs[][2] = { { OVER_VOLTAGE, 5001 }, { OVER_VOLTAGE + 1, 4100 }, { UNKNOWN_ID, 1 }, { 5000, 1 }, { -1, 1 } };

    begin();
    send_write(5, true, 5, pairs);
    run(1000);
    Cw__Result *r = next_result();

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->status == CW__STATUS__STATUS_REJECTED && r->n_values == 5 && board.stores == 0);
    CU_ASSERT(r->values[0]->nrc == UDS_NRC_RANGE && r->values[0]->running == 4250);
    CU_ASSERT(r->values[1]->nrc == 0 && r->values[1]->running == 4100);
    for (size_t i = 2; i < 5; i++)
        CU_ASSERT(r->values[i]->nrc == UDS_NRC_RANGE && !r->values[i]->has_running);
    CU_ASSERT(strstr(r->detail, "parameter 104") != NULL);
    cw__result__free_unpacked(r, NULL);
}

static void test_limits_of_a_command(void)
{
    static int32_t pairs[COMMAND_WRITES_MAX + 1][2];

    begin();
    for (size_t i = 0; i <= COMMAND_WRITES_MAX; i++) {
        pairs[i][0] = OVER_VOLTAGE;
        pairs[i][1] = (int32_t)(4000 + i);
    }
    send_write(6, false, COMMAND_WRITES_MAX, (const int32_t(*)[2])pairs);
    run(4000);
    expect(6, CW__STATUS__STATUS_OK);
    CU_ASSERT_EQUAL(board.running[PARAM_cell_over_voltage_limit], 4000 + COMMAND_WRITES_MAX - 1);
    send_write(7, false, COMMAND_WRITES_MAX + 1, (const int32_t(*)[2])pairs);
    expect(7, CW__STATUS__STATUS_REJECTED);
}

static void test_deaf_board(void)
{
    begin();
    board.deaf = true;
    send_read(8);
    send_restart(9);
    run(COMMAND_TRIES * (UDS_P2_MS + 100));
    expect(8, CW__STATUS__STATUS_TIMEOUT);
    run(UDS_P2_MS + 100);
    expect(9, CW__STATUS__STATUS_TIMEOUT);
    board.deaf = false;
    run(3000); /* ISO-TP has given up as well */
    send_read(10);
    run(500);
    expect(10, CW__STATUS__STATUS_OK);
}

static void test_endless_pending(void)
{
    begin();
    board.pendings = UDS_PENDINGS + 1;
    send_restart(11);
    run(2000);
    expect(11, CW__STATUS__STATUS_TIMEOUT);
}

static void send_refill(uint64_t id, uint64_t first, uint64_t last)
{
    Cw__Command m = base(id);
    Cw__Refill r = CW__REFILL__INIT;

    r.epoch = 0xABCD;
    r.first = first;
    r.last = last;
    m.act_case = CW__COMMAND__ACT_REFILL;
    m.refill = &r;
    send(&m);
}

static void test_refill(void)
{
    begin();
    send_refill(7, 10, 20);
    CU_ASSERT(dl.refill.id == 7 && dl.refill.epoch == 0xABCD && dl.refill.first == 10 && dl.refill.last == 20);
    send_refill(7, 10, 20); /* the repetition */
    send_refill(8, 1, 2);   /* one at a time */
    CU_ASSERT(dl.refill.id == 7 && dl.counts.repeated == 1 && dl.counts.no_room == 1);
    CU_ASSERT_PTR_NULL(next_result());
    downlink_refilled(&dl, DOWNLINK_REFILL_SERVED, 9);
    Cw__Result *r = next_result();

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(r->command == 7 && r->status == CW__STATUS__STATUS_OK && r->refilled && r->refilled->served == 9);
    cw__result__free_unpacked(r, NULL);
    send_refill(8, 1, 2);
    downlink_refilled(&dl, DOWNLINK_REFILL_OTHER, 0);
    expect(8, CW__STATUS__STATUS_REJECTED);
}

static void test_refill_of_too_much(void)
{
    begin();
    send_refill(1, 1, DOWNLINK_REFILL_MAX);
    CU_ASSERT_EQUAL(dl.refill.id, 1);
    downlink_refilled(&dl, DOWNLINK_REFILL_LATE, 3);
    expect(1, CW__STATUS__STATUS_TIMEOUT);
    send_refill(2, 1, DOWNLINK_REFILL_MAX + 1);
    expect(2, CW__STATUS__STATUS_REJECTED);
    send_refill(3, 0, 5);
    expect(3, CW__STATUS__STATUS_REJECTED);
    send_refill(4, 6, 5);
    expect(4, CW__STATUS__STATUS_REJECTED);
    send_refill(5, UINT64_MAX, UINT64_MAX);
    expect(5, CW__STATUS__STATUS_REJECTED);
    CU_ASSERT_EQUAL(dl.refill.id, 0);
}

static void test_once(void)
{
    begin();
    send_restart(12);
    send_restart(12); /* waiting */
    run(10);
    send_restart(12); /* under way, or done */
    run(500);
    CU_ASSERT_EQUAL(board.restarts, 1);
    expect(12, CW__STATUS__STATUS_OK);
    for (uint64_t id = 100; id < 100 + DOWNLINK_RESULTS - 1; id++) {
        send_watch(id, 5);
        expect(id, CW__STATUS__STATUS_OK);
    }
    send_restart(12);
    expect(12, CW__STATUS__STATUS_OK); /* the same Result again */
    run(500);
    CU_ASSERT(board.restarts == 1 && dl.counts.repeated == 3);
}

static void test_queue(void)
{
    begin();
    for (uint64_t id = 1; id <= DOWNLINK_QUEUE + 1; id++)
        send_restart(id);
    CU_ASSERT_EQUAL(dl.counts.no_room, 1);
    run(1000);
    CU_ASSERT_EQUAL(board.restarts, DOWNLINK_QUEUE);
    send_restart(DOWNLINK_QUEUE + 1); /* its repetition finds room */
    run(500);
    CU_ASSERT_EQUAL(board.restarts, DOWNLINK_QUEUE + 1);
}

static void test_not_for_us(void)
{
    Cw__Command m = base(20);

    begin();
    m.device = (char *)(uintptr_t) "demo.bus-049";
    send(&m);
    CU_ASSERT_EQUAL(dl.counts.foreign, 1);
    m = base(0);
    send(&m);
    downlink_command(&dl, (const uint8_t *)"\xFF\xFF\xFF\xFF", 4, now, utc);
    downlink_command(&dl, bytes, 0, now, utc);
    CU_ASSERT_EQUAL(dl.counts.malformed, 3);
    CU_ASSERT_PTR_NULL(next_result());
    m = base(21);
    m.schema = 2;
    send(&m);
    expect(21, CW__STATUS__STATUS_UNKNOWN);
    m = base(22);
    send(&m); /* an act of a later server */
    expect(22, CW__STATUS__STATUS_UNKNOWN);
}

static void test_expired(void)
{
    Cw__Command m = base(30);
    Cw__Restart r = CW__RESTART__INIT;

    begin();
    m.act_case = CW__COMMAND__ACT_RESTART;
    m.restart = &r;
    m.expires_utc_ms = utc - 1;
    send(&m);
    expect(30, CW__STATUS__STATUS_EXPIRED);
    m.id = 31;
    m.expires_utc_ms = utc;
    send(&m);
    run(500);
    expect(31, CW__STATUS__STATUS_OK);
    CU_ASSERT_EQUAL(board.restarts, 1);
}

static void test_watch(void)
{
    begin();
    CU_ASSERT(!downlink_is_watched(&dl, now));
    send_watch(40, 10);
    expect(40, CW__STATUS__STATUS_OK);
    CU_ASSERT(downlink_is_watched(&dl, now + 9999));
    CU_ASSERT(!downlink_is_watched(&dl, now + 10000));
    send_watch(41, UINT32_MAX);
    CU_ASSERT(downlink_is_watched(&dl, now + DOWNLINK_WATCH_MAX_S * 1000 - 1));
    send_watch(42, 0);
    CU_ASSERT(!downlink_is_watched(&dl, now));
}

static void test_own_reading(void)
{
    struct board_module m[1 + BMU_COUNT_MAX];

    begin();
    board.running[PARAM_biu_devices] = 2;
    board.running[PARAM_bmu01_devices] = 3;
    board.running[PARAM_afe02_cells] = 6;
    board.running[PARAM_afe05_probes] = 5;
    board.deaf = true;
    downlink_refresh(&dl, now);
    run(COMMAND_TRIES * (UDS_P2_MS + 100));
    CU_ASSERT(!dl.params.complete);
    board.deaf = false;
    run(DOWNLINK_RETRY_MS + 4000);
    CU_ASSERT(dl.params.complete && memcmp(dl.params.running, board.running, sizeof(board.running)) == 0);
    CU_ASSERT_PTR_NULL(next_result());
    CU_ASSERT_EQUAL(board_params_modules(&dl.params, m), 2);
    CU_ASSERT(strcmp(m[0].name, "BIU") == 0 && m[0].cells == 22 && m[0].temps == 8);
    CU_ASSERT(strcmp(m[1].name, "BMU 1") == 0 && m[1].cells == 48 && m[1].temps == 10);
}

static void test_results_on_the_wire(void)
{
    const uint8_t *p;
    size_t n;

    begin();
    for (uint64_t id = 1; id <= DOWNLINK_RESULTS; id++) {
        send_watch(id, 1);
        CU_ASSERT(downlink_result(&dl, &p, &n) >= 0); /* and none comes back */
    }
    send_watch(99, 1);
    CU_ASSERT_EQUAL(downlink_result(&dl, &p, &n), -1);
    downlink_published(&dl, 3);
    downlink_published(&dl, 3);
    downlink_published(&dl, 77);
    send_watch(99, 1);
    CU_ASSERT_EQUAL(downlink_result(&dl, &p, &n), 3);
}

static void test_random_bytes(void)
{
    begin();
    srand(9);
    for (unsigned i = 0; i < 100000; i++) {
        size_t n = (size_t)rand() % 64;

        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)rand();
        downlink_command(&dl, bytes, n, now, utc);
    }
    CU_ASSERT(dl.counts.commands == 0 && dl.queued == 0);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("downlink", NULL, NULL);

    CU_add_test(s, "a reading brings both copies of every parameter and their hashes [UC-3] [FL-4]", test_read_all);
    CU_add_test(s, "a calibration changes the running copy and is read back [UC-5] [FL-4]", test_calibrate);
    CU_add_test(s, "a flash stores the running copy, however long the board is pending [UC-5] [FL-4]", test_flash);
    CU_add_test(s, "values out of range and unknown parameters are refused by name, and nothing is stored", test_refused_values);
    CU_add_test(s, "a command of 128 values runs, one of 129 is refused", test_limits_of_a_command);
    CU_add_test(s, "a board that does not answer ends in a time-out, and the next command runs", test_deaf_board);
    CU_add_test(s, "a board that is pending for ever ends in a time-out", test_endless_pending);
    CU_add_test(s, "an id runs once, its Result is sent again", test_once);
    CU_add_test(s, "a refill is kept for the uplink, one at a time, and ends with its Result", test_refill);
    CU_add_test(s, "a refill of 4,096 numbers is taken, others are refused", test_refill_of_too_much);
    CU_add_test(s, "a full queue leaves a command to its repetition", test_queue);
    CU_add_test(s, "bytes that are no command and commands for others are counted, unknown ones answered", test_not_for_us);
    CU_add_test(s, "an expired command is not carried out", test_expired);
    CU_add_test(s, "a watch ends by itself", test_watch);
    CU_add_test(s, "the DTU reads the parameters for itself until it has them, and names the modules [PK-2]", test_own_reading);
    CU_add_test(s, "results on the wire are never overwritten", test_results_on_the_wire);
    CU_add_test(s, "random bytes do nothing", test_random_bytes);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
