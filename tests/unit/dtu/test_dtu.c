/* SPDX-License-Identifier: Apache-2.0 */
/* test_dtu.c -- the whole DTU between a model of the board and a model of the broker and the server: nothing is lost, nothing comes twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "board_model.h"
#include "broker_model.h"
#include "common/err.h"
#include "dtu/core/dtu.h"
#include "flash_ram.h"
#include "proto/can0.h"
#include "proto/downlink.pb-c.h"
#include "proto/telemetry.pb-c.h"

static struct {
    struct dtu dtu;
    struct dtu_config config;
    struct dtu_out out;
    struct journal journal;
    struct journal_sector index[64];
    struct flash_ram flash;
    struct board board;
    struct broker broker;
    uint32_t now, percent; /* frames lost per hundred */
    bool can_up;
    unsigned clocks;
    struct can_frame clock;
} w;

static const uint64_t utc = 1800000000000u;

static void start_dtu(void)
{
    w.config = (struct dtu_config) { .device = "demo.bus-048", .version = "1.2.3", .batch = 10, .journal = &w.journal };
    CU_ASSERT_EQUAL_FATAL(dtu_init(&w.dtu, &w.config, w.now), BMS_ERR_OK);
    w.out.n = 0;
}

static void begin(void)
{
    memset(&w, 0, sizeof(w));
    w.now = 0xFFFF0000u;
    w.can_up = true;
    flash_ram_init(&w.flash, 32768, 64, 4);
    CU_ASSERT_EQUAL_FATAL(journal_format(&w.journal, &w.flash.port, w.index, 64, 0x1234), BMS_ERR_OK);
    board_init(&w.board, 1, BOARD_RING, 16, 4);
    start_dtu();
    broker_init(&w.broker, &w.dtu.mqtt);
}

static void end(void)
{
    flash_ram_free(&w.flash);
}

/* As kill -9 does: all that is in RAM is gone. */
static void kill_dtu(void)
{
    CU_ASSERT_EQUAL_FATAL(journal_mount(&w.journal, &w.flash.port, w.index, 64), BMS_ERR_OK);
    start_dtu();
}

static void to_board(void)
{
    for (size_t i = 0; i < w.out.n; i++) {
        if (w.out.frames[i].id == CAN0_ID_FROM(CAN0_DTU_Clock, CAN0_ADDR_DTU)) {
            w.clocks++;
            w.clock = w.out.frames[i];
        } else if ((uint32_t)(rand() % 100) >= w.percent)
            board_hear(&w.board, &w.out.frames[i], w.now);
    }
    w.out.n = 0;
}

/* 10 ms of the world: one sample's frames, the board's answers, the broker. */
static void tick(void)
{
    static struct can_frame all[BOARD_FRAMES_MAX + 64], some[BOARD_FRAMES_MAX + 64];
    size_t n = 0, k = 0;

    w.now += 10;
    if (w.can_up) {
        while (n < 64 && board_say(&w.board, w.now, &all[n]))
            n++;
        n += board_send(&w.board, all + n);
        for (size_t i = 0; i < n; i++)
            if ((uint32_t)(rand() % 100) >= w.percent)
                some[k++] = all[i];
    }
    struct dtu_in in = { .now_ms = w.now, .utc_ms = utc + w.now, .can_up = w.can_up, .frames = some, .n = k };

    mqtt_step(&w.dtu.mqtt, w.now);
    dtu_step(&w.dtu, &in, &w.out);
    to_board();
    broker_run(&w.broker);
}

static void run(uint32_t ms)
{
    for (; ms > 0; ms -= 10)
        tick();
}

static void connect_broker(void)
{
    broker_open(&w.broker, w.now);
    broker_run(&w.broker);
    CU_ASSERT_EQUAL(w.dtu.mqtt.state, MQTT_UP);
}

static void take(unsigned samples)
{
    for (unsigned i = 0; i < samples; i++) {
        board_take(&w.board);
        run(1000);
    }
}

/* Every sample of the boot was stored exactly once. */
static bool all_once(uint32_t boot, uint32_t samples)
{
    for (uint32_t no = 1; no <= samples; no++)
        if (w.broker.stored[boot][no] != 1)
            return false;
    return w.broker.mismatched == 0;
}

static void test_straight(void)
{
    begin();
    connect_broker();
    take(30);
    run(1000);
    CU_ASSERT(all_once(1, 30) && w.broker.records == 3 && w.journal.unacked == 0);
    end();
}

static void test_loss_everywhere(void)
{
    for (unsigned seed = 1; seed <= 9; seed++) {
        srand(seed);
        begin();
        w.percent = seed % 3;
        w.broker.lossy = true;
        for (unsigned i = 0; i < 200; i++) {
            board_take(&w.board);
            run(200 + 10 * (uint32_t)(rand() % 50));
            if (i % 20 == 5) {
                mqtt_lost(&w.dtu.mqtt);
                broker_open(&w.broker, w.now);
            }
            if (rand() % 25 == 0) {
                kill_dtu();
                broker_open(&w.broker, w.now);
            }
            if (i % 50 == 30) { /* the hub goes and comes */
                w.can_up = false;
                run(2000);
                w.can_up = true;
            }
        }
        w.percent = 0;
        w.broker.lossy = false;
        run(300000);
        CU_ASSERT(all_once(1, 200) && w.journal.unacked == 0 && w.dtu.assembler.dropped == 0);
        end();
    }
}

static void test_outage(void)
{
    begin();
    take(100); /* nobody there */
    CU_ASSERT(w.journal.unacked == 10 && w.broker.records == 0);
    connect_broker();
    run(1000);
    CU_ASSERT(all_once(1, 100) && w.journal.unacked == 0);
    end();
}

static void test_server_away(void)
{
    begin();
    connect_broker();
    w.broker.silent = true;
    take(100);
    CU_ASSERT_EQUAL(w.journal.unacked, 10);
    w.broker.silent = false;
    run(20000);
    CU_ASSERT(all_once(1, 100) && w.journal.unacked == 0);
    end();
}

/* 300 samples while the power fails within `most` written bytes, again and again. What the board's ring could not hold so long is counted. */
static bool survives_cuts(unsigned seed, unsigned most)
{
    uint32_t lost = 0, twice = 0;

    begin();
    srand(seed);
    for (unsigned i = 0; i < 300; i++) {
        flash_ram_power(&w.flash, (uint64_t)((unsigned)rand() % most));
        board_take(&w.board);
        run(300);
        if (w.flash.off) {
            flash_ram_power(&w.flash, UINT64_MAX);
            kill_dtu();
        }
    }
    flash_ram_power(&w.flash, UINT64_MAX);
    run(5000);
    connect_broker();
    run(30000);
    for (uint32_t no = 1; no <= 300; no++) {
        lost += w.broker.stored[1][no] == 0;
        twice += w.broker.stored[1][no] > 1;
    }
    bool good = lost == w.dtu.assembler.dropped && twice == 0 && w.journal.unacked == 0 && w.broker.mismatched == 0;

    if (!good)
        printf("\nseed %u, cut within %u bytes: %u lost, %u twice\n", seed, most, lost, twice);
    end();
    return good;
}

static void test_power_cut(void)
{
    for (unsigned seed = 1; seed <= 8; seed++)
        CU_ASSERT(survives_cuts(seed, 2000) && survives_cuts(seed, 4500) && survives_cuts(seed, 12000));
}

/* The journal cannot be written for a while: what does not fit into memory is asked for again. */
static void test_flash_fails(void)
{
    begin();
    flash_ram_power(&w.flash, 0);
    for (unsigned i = 0; i < 100; i++) {
        board_take(&w.board);
        run(100);
    }
    flash_ram_power(&w.flash, UINT64_MAX);
    connect_broker();
    run(30000);
    CU_ASSERT(all_once(1, 100) && w.dtu.assembler.dropped == 0);
    end();
}

static void test_board_restart(void)
{
    begin();
    connect_broker();
    take(13);
    board_restart(&w.board);
    take(12);
    run(30000);
    CU_ASSERT(all_once(1, 13) && all_once(2, 12) && w.dtu.assembler.dropped == 0);
    /* While the DTU was down, and silent since. */
    struct can_frame unheard[BOARD_FRAMES_MAX];

    board_restart(&w.board);
    board_take(&w.board);
    board_send(&w.board, unheard);
    kill_dtu();
    connect_broker();
    run(30000);
    CU_ASSERT(all_once(3, 1));
    end();
}

static void test_ring_too_small(void)
{
    begin();
    connect_broker();
    take(10);
    w.can_up = false;
    for (unsigned i = 0; i < BOARD_RING + 20; i++)
        board_take(&w.board);
    run(1000);
    w.can_up = true;
    run(30000);
    CU_ASSERT_EQUAL(w.dtu.assembler.dropped, 20);
    unsigned stored = 0;

    for (uint32_t no = 1; no <= w.board.taken; no++)
        stored += w.broker.stored[1][no];
    CU_ASSERT_EQUAL(stored, w.board.taken - 20);
    kill_dtu(); /* the count survives */
    CU_ASSERT_EQUAL(w.dtu.assembler.dropped, 20);
    end();
}

static void send_watch(uint64_t id, uint32_t seconds)
{
    Cw__Command m = CW__COMMAND__INIT;
    Cw__Watch x = CW__WATCH__INIT;
    uint8_t bytes[128];

    m.schema = 1;
    m.device = (char *)(uintptr_t) "demo.bus-048";
    m.id = id;
    m.act_case = CW__COMMAND__ACT_WATCH;
    m.watch = &x;
    x.seconds = seconds;
    broker_command(&w.broker, "demo.bus-048", bytes, cw__command__pack(&m, bytes));
}

static void test_modes(void)
{
    begin();
    connect_broker();
    take(13);
    uint32_t before = w.broker.records;

    send_watch(7, 10);
    run(50);
    CU_ASSERT(w.broker.records == before + 1 && w.broker.last_count == 3); /* what waited comes at once */
    take(5);
    CU_ASSERT(w.broker.records == before + 6 && w.broker.last_count == 1 && w.broker.results == 1);
    run(10000);
    take(9);
    CU_ASSERT_EQUAL(w.broker.records, before + 6);
    take(1);
    run(500);
    CU_ASSERT(w.broker.records == before + 7 && w.broker.last_count == 10);
    struct sample *s = board_take(&w.board);

    s->alarms = 1;
    s->alarm[0] = (struct sample_alarm) { 2, ALARM_MAJOR, 5, 4300 };
    run(500);
    CU_ASSERT_EQUAL(w.broker.last_count, 1);
    end();
}

static void test_state(void)
{
    begin();
    connect_broker();
    run(2000);
    Cw__State *s = cw__state__unpack(NULL, w.broker.state_n, w.broker.state);
    Cw__State *will = cw__state__unpack(NULL, w.broker.will_n, w.broker.will);

    CU_ASSERT_FATAL(s != NULL && will != NULL);
    CU_ASSERT(s->online && s->schema == 1 && strcmp(s->device, "demo.bus-048") == 0 && strcmp(s->version, "1.2.3") == 0);
    CU_ASSERT(s->epoch == 0x1234 && s->utc_ms > utc && w.broker.state_retained);
    CU_ASSERT(strcmp(s->chemistry, "nmc") == 0 && s->n_modules == 1 && strcmp(s->modules[0]->name, "BIU") == 0 &&
              s->modules[0]->cells == 48);
    CU_ASSERT(!will->online && strcmp(will->device, "demo.bus-048") == 0 && will->epoch == 0x1234);
    cw__state__free_unpacked(s, NULL);
    cw__state__free_unpacked(will, NULL);
    uint32_t before = w.broker.states;

    take(100);
    CU_ASSERT(w.broker.states > before && w.broker.states <= before + 12); /* counts: one each 10 s */
    run(11000);
    before = w.broker.states;
    mqtt_lost(&w.dtu.mqtt);
    connect_broker();
    run(100);
    CU_ASSERT_EQUAL(w.broker.states, before + 1); /* a birth for each session */
    end();
}

static void check_state(bool has, uint32_t self_check)
{
    Cw__State *s = cw__state__unpack(NULL, w.broker.state_n, w.broker.state);

    CU_ASSERT_FATAL(s != NULL);
    CU_ASSERT_EQUAL(s->has_self_check, has);
    CU_ASSERT_EQUAL(s->self_check, self_check);
    cw__state__free_unpacked(s, NULL);
}

static void test_state_tells_the_self_check(void)
{
    static const uint16_t found[] = { 0, 0x8042, 0 };

    begin();
    connect_broker();
    run(2000);
    check_state(false, 0); /* nothing heard yet */
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        board_take(&w.board)->scalar[SAMPLE_self_check] = found[i];
        run(2500);
        check_state(true, found[i]);
    }
    end();
}

static void test_clock(void)
{
    unsigned number;
    uint8_t address;

    begin();
    run(10000);
    CU_ASSERT(w.clocks >= 9 && w.clocks <= 11);
    CU_ASSERT(can0_check(&w.clock, &number, &address) == BMS_ERR_OK && number == CAN0_DTU_Clock && address == CAN0_ADDR_DTU);
    CU_ASSERT(can0_get_raw(&w.clock, 16, 48) + 1100 > utc + w.now && w.clock.data[1] == w.clocks - 1);
    end();
}

static void test_flush(void)
{
    begin();
    take(7);
    CU_ASSERT_EQUAL(w.journal.unacked, 0);
    CU_ASSERT_EQUAL(dtu_flush(&w.dtu), BMS_ERR_OK);
    CU_ASSERT(w.journal.unacked == 1 && w.journal.note.no == 7 && w.journal.safe_seq == w.journal.next_seq);
    kill_dtu();
    run(3000);
    connect_broker();
    run(1000);
    CU_ASSERT(all_once(1, 7));
    end();
}

static void test_bus_goes(void)
{
    begin();
    take(7);
    CU_ASSERT_EQUAL(w.journal.unacked, 0);
    w.can_up = false;
    run(10);
    CU_ASSERT(w.journal.unacked == 1 && w.journal.note.no == 7);
    end();
}

static void test_names(void)
{
    static const char *const good[] = { "a.b", "demo.bus-048", "T_1.x-9" };
    static const char *const bad[] = { "", ".", "a.", ".b", "a", "a.b.c", "a/b.c", "a.b ", "a.b+", "a.#" };
    char longest[DEVICE_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT(dtu_is_name(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT(!dtu_is_name(bad[i]));
    memset(longest, 'x', sizeof(longest));
    longest[3] = '.';
    longest[DEVICE_NAME_MAX] = '\0';
    CU_ASSERT(dtu_is_name(longest));
    longest[DEVICE_NAME_MAX] = 'x';
    longest[DEVICE_NAME_MAX + 1] = '\0';
    CU_ASSERT(!dtu_is_name(longest));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("dtu", NULL, NULL);

    CU_add_test(s, "what the board took is stored by the server, each sample once [FL-1] [FL-2] [TA-6]", test_straight);
    CU_add_test(s, "lost frames, records, acknowledgements, sessions and killed DTUs cost nothing [FL-1] [FL-2]", test_loss_everywhere);
    CU_add_test(s, "an outage of the network is filled in afterwards [FL-2]", test_outage);
    CU_add_test(s, "a server that was away gets everything [FL-2]", test_server_away);
    CU_add_test(s, "power cuts at any byte of the journal lose nothing that the board still has", test_power_cut);
    CU_add_test(s, "a journal that cannot be written for a while loses nothing", test_flash_fails);
    CU_add_test(s, "a board that starts anew goes on from its first sample", test_board_restart);
    CU_add_test(s, "what the board's ring has lost is counted, also after a restart of the DTU", test_ring_too_small);
    CU_add_test(s, "somebody who watches and an alarm see each sample at once", test_modes);
    CU_add_test(s, "birth and will say who the DTU is; counts do not flood [TA-6]", test_state);
    CU_add_test(s, "the state tells what the self-check of the board found [ME-13]", test_state_tells_the_self_check);
    CU_add_test(s, "the board gets the time each second", test_clock);
    CU_add_test(s, "a clean end keeps what was in memory", test_flush);
    CU_add_test(s, "a bus that goes away closes the record", test_bus_goes);
    CU_add_test(s, "only names that can be a topic are taken", test_names);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
