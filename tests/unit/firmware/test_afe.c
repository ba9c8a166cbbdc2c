/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "firmware/core/biu/biu_io.h"
#include "firmware/core/measure/afe.h"
#include "firmware/core/store/params.h"
#include "tests/unit/firmware/fake_chain.h"
#include "tests/unit/suite.h"

/* The driver and the chain, joined by two byte queues that a test may spoil. */
static struct afe afe;
static struct topology topology;
static struct fake_chain chain;
static uint8_t rx[8192];
static size_t rx_len;
static bool fault;
static int32_t values[PARAMS];

static void start(int cells)
{
    params_defaults(CHEMISTRY_NMC, values);
    topology_plan(cells, values);
    CU_ASSERT_EQUAL_FATAL(topology_read(values, &topology), TOPOLOGY_OK);
    fake_chain_init(&chain, topology.devices, 3700);
    afe_init(&afe, &topology);
    rx_len = 0;
    fault = false;
}

static void step(void)
{
    uint8_t tx[BIU_AFE_TX_MAX];
    struct writer w = writer_of(tx, sizeof(tx));

    memcpy(rx + rx_len, chain.out, chain.out_len);
    rx_len += chain.out_len;
    chain.out_len = 0;
    afe_step(&afe, &(struct afe_in) { .dt_ms = 10, .scan_ms = 20, .rx = reader_of(rx, rx_len), .fault = fault }, &w);
    CU_ASSERT(!w.bad);
    rx_len = 0;
    fake_chain_receive(&chain, tx, writer_used(&w));
}

static void run(unsigned ms)
{
    for (unsigned t = 0; t < ms; t += 10)
        step();
}

static unsigned oldest_ms(void)
{
    unsigned age = 0;

    for (unsigned k = 0; k < topology.devices; k++)
        if (afe.chip[k].age_ms > age)
            age = afe.chip[k].age_ms;
    return age;
}

static void test_commands_have_the_documented_bytes(void)
{
    uint8_t tx[AFE_COMMAND_MAX];
    struct writer w = writer_of(tx, sizeof(tx));

    afe_command(&w, AFE_SINGLE_RESPOND, 3, 0x03, &(uint8_t) { 0x03 }, 1);
    CU_ASSERT_EQUAL(writer_used(&w), 6);
    CU_ASSERT_EQUAL(tx[0], 0x81);
    CU_ASSERT_EQUAL(tx[1], 3);
    w = writer_of(tx, sizeof(tx));
    afe_command(&w, AFE_BROADCAST, AFE_EVERYONE, AFE_REG_ADDR, &(uint8_t) { 5 }, 1);
    CU_ASSERT_EQUAL(writer_used(&w), 5);
    CU_ASSERT_EQUAL(tx[0], 0xF1);
    w = writer_of(tx, 4); /* no room: nothing is written */
    afe_command(&w, AFE_BROADCAST, AFE_EVERYONE, AFE_REG_ADDR, &(uint8_t) { 5 }, 1);
    CU_ASSERT(w.bad);
    CU_ASSERT_EQUAL(writer_used(&w), 0);
}

static void test_answer_of_the_data_sheet(void)
{
    static const uint8_t bytes[] = { 0x0B, 0x73, 0x19, 0x72, 0xFC, 0x73, 0x0E, 0x73, 0x0D, 0x73, 0x11, 0x72, 0xF1, 0xF6, 0xDF };
    struct afe_parser p = { .have = 0 };
    struct afe_response r;

    for (size_t i = 0; i < sizeof(bytes); i++) { /* one by one: only the last completes it */
        struct reader in = reader_of(bytes + i, 1);

        CU_ASSERT_EQUAL(afe_parse(&p, &in, &r), i + 1 == sizeof(bytes));
    }
    CU_ASSERT_EQUAL(r.size, 12);
    CU_ASSERT_EQUAL(get_be16(r.data), 0x7319);
}

static void test_any_changed_bit_is_refused(void)
{
    static const uint8_t good[] = { 0x0B, 0x73, 0x19, 0x72, 0xFC, 0x73, 0x0E, 0x73, 0x0D, 0x73, 0x11, 0x72, 0xF1, 0xF6, 0xDF };

    for (size_t bit = 0; bit < sizeof(good) * 8; bit++) {
        uint8_t bad[sizeof(good)];
        struct afe_parser p = { .have = 0 };
        struct afe_response r;

        memcpy(bad, good, sizeof(good));
        bad[bit / 8] = (uint8_t)(bad[bit / 8] ^ 1u << bit % 8);
        struct reader in = reader_of(bad, sizeof(bad));

        CU_ASSERT_NOT_EQUAL(afe_parse(&p, &in, &r), 1);
    }
}

static void test_chain_is_measured_within_30_ms(void)
{
    for (int cells = PACK_CELLS_MIN; cells <= PACK_CELLS_MAX; cells++) {
        start(cells);
        run(30);
        CU_ASSERT_EQUAL(afe.fresh | 1u << topology.devices, (2u << topology.devices) - 1);
        CU_ASSERT_EQUAL(chain.bad_commands, 0);
        CU_ASSERT_EQUAL(afe_errors(&afe), 0);
        CU_ASSERT(afe.chip[0].seen);
        for (unsigned k = 0; k < topology.devices; k++)
            for (unsigned i = 0; i < topology.chip[k].cells; i++)
                CU_ASSERT_EQUAL(afe.chip[k].raw[i], fake_raw(3700));
    }
}

/* The longest chain there can be: addressing, set-up and questions still fit into what one step may send (step() looks). */
static void test_16_chips_fit_into_a_step(void)
{
    start(160);
    for (int b = 0; b < 4; b++)
        values[PARAM_bmu01_devices + b] = 3;
    values[PARAM_bmu05_devices] = 1;
    for (int k = 0; k < AFE_DEVICES_MAX; k++) {
        values[PARAM_afe01_cells + k] = 10;
        values[PARAM_afe01_probes + k] = 15;
    }
    CU_ASSERT_EQUAL_FATAL(topology_read(values, &topology), TOPOLOGY_OK);
    fake_chain_init(&chain, AFE_DEVICES_MAX, 3700);
    afe_init(&afe, &topology);
    run(30);
    CU_ASSERT_EQUAL(afe.fresh, 0xFFFF);
    CU_ASSERT_EQUAL(chain.bad_commands, 0);
    chain.chip[15].dead = true;
    run(1000);
    CU_ASSERT_EQUAL(afe_broken_at(&afe), 16);
    CU_ASSERT(afe.chip[14].age_ms <= 60);
}

static void test_each_value_finds_its_place(void)
{
    start(90);
    values[PARAM_afe02_probes] = 0xA;
    topology_read(values, &topology);
    for (unsigned k = 0; k < topology.devices; k++) {
        for (unsigned i = 0; i < AFE_CELLS_MAX; i++)
            chain.chip[k].cell_raw[i] = (uint16_t)(0x4000 + k * 100 + i);
        for (unsigned i = 0; i < AFE_TEMPS; i++)
            chain.chip[k].aux_raw[i] = (uint16_t)(0x9000 + k * 100 + i);
    }
    run(100);
    for (unsigned k = 0; k < topology.devices; k++)
        for (unsigned i = 0; i < topology.chip[k].cells; i++)
            CU_ASSERT_EQUAL(afe.chip[k].raw[i], 0x4000 + k * 100 + i);
    CU_ASSERT_EQUAL(afe.chip[0].raw[topology.chip[0].cells + 3], 0x9003);
    CU_ASSERT_EQUAL(afe.chip[1].raw[topology.chip[1].cells + 0], 0x9000 + 101); /* AUX1 and AUX3 are fitted */
    CU_ASSERT_EQUAL(afe.chip[1].raw[topology.chip[1].cells + 1], 0x9000 + 103);
}

static void test_scans_every_20_ms(void)
{
    start(48);
    run(100);
    unsigned before = chain.scans;

    run(1000);
    CU_ASSERT_EQUAL(chain.scans - before, 50);
    CU_ASSERT(oldest_ms() <= 20);
}

static void test_reset_chip_comes_back(void)
{
    for (int victim = 0; victim < 10; victim++) {
        unsigned worst = 0;

        start(160);
        run(1000);
        fake_chain_reset_chip(&chain, victim);
        for (int i = 0; i < 30; i++) {
            step();
            if (oldest_ms() > worst)
                worst = oldest_ms();
        }
        CU_ASSERT_EQUAL(chain.addressings, 2);
        CU_ASSERT(oldest_ms() <= 20);
        CU_ASSERT(worst <= 100);
        for (int i = 0; i < AFE_CELLS_MAX; i++)
            CU_ASSERT_EQUAL(afe.chip[victim].raw[i], fake_raw(3700));
    }
}

static void test_broken_chain_is_named(void)
{
    for (int at = 0; at < 6; at++) {
        start(96);
        run(1000);
        CU_ASSERT_EQUAL(afe_broken_at(&afe), 0);
        chain.chip[at].dead = true;
        run(1000);
        CU_ASSERT_EQUAL(afe_broken_at(&afe), at + 1);
        for (int k = 0; k < 6; k++) {
            if (k < at)
                CU_ASSERT(afe.chip[k].age_ms <= 60);
            if (k >= at)
                CU_ASSERT(afe.chip[k].age_ms >= 980);
        }
        chain.chip[at].dead = false;
        run(1000);
        CU_ASSERT_EQUAL(afe_broken_at(&afe), 0);
        CU_ASSERT(oldest_ms() <= 20);
    }
}

/* An answer does not carry an address: with one missing, none may be taken for another's. */
static void test_silent_chip_lends_no_values(void)
{
    for (int victim = 0; victim < 6; victim++) {
        start(96);
        for (unsigned k = 0; k < 6; k++)
            for (unsigned i = 0; i < AFE_CELLS_MAX; i++)
                chain.chip[k].cell_raw[i] = (uint16_t)(0x8000 + k);
        run(1000);
        chain.chip[victim].mute = true;
        for (int n = 0; n < 200; n++) {
            step();
            for (unsigned k = 0; k < 6; k++)
                CU_ASSERT_EQUAL(afe.chip[k].raw[0], 0x8000 + k);
        }
        for (int k = 0; k < 6; k++) {
            if (k == victim)
                CU_ASSERT(afe.chip[k].age_ms >= 1980);
            if (k != victim)
                CU_ASSERT(afe.chip[k].age_ms <= 60);
        }
    }
}

static void test_bad_crc_is_dropped_alone(void)
{
    start(96);
    run(1000);
    chain.chip[2].spoil_crc = true;
    run(500);
    CU_ASSERT(afe.counts.bad_crc >= 24);
    CU_ASSERT(afe.chip[2].age_ms >= 480);
    for (int k = 0; k < 6; k++)
        if (k != 2)
            CU_ASSERT(afe.chip[k].age_ms <= 20);
    CU_ASSERT_EQUAL(afe.counts.missing, 0);
    chain.chip[2].spoil_crc = false;
    run(40);
    CU_ASSERT(oldest_ms() <= 20);
    start(48);
    chain.chip[1].spoil_crc = true; /* from the first question on */
    run(300);
    CU_ASSERT_FALSE(afe.chip[1].seen);
    CU_ASSERT_EQUAL(afe.chip[1].age_ms, 300);
    CU_ASSERT(afe.chip[0].age_ms <= 20);
    CU_ASSERT(afe.chip[2].age_ms <= 20);
}

static void test_lost_byte_costs_one_scan(void)
{
    for (size_t lost = 0; lost < 129; lost++) {
        unsigned worst = 0;

        start(48);
        run(1000);
        while (chain.out_len != 135)
            step();
        memmove(chain.out + lost, chain.out + lost + 1, chain.out_len - lost - 1);
        chain.out_len--;
        for (int i = 0; i < 20; i++) {
            step();
            if (oldest_ms() > worst)
                worst = oldest_ms();
            for (unsigned k = 0; k < 3; k++)
                CU_ASSERT_EQUAL(afe.chip[k].raw[15], fake_raw(3700));
        }
        CU_ASSERT(worst <= 80);
        CU_ASSERT(oldest_ms() <= 20);
        CU_ASSERT(afe_errors(&afe) > 0);
    }
}

static void test_extra_bytes_spoil_the_scan_and_are_counted(void)
{
    start(48);
    run(1000);
    while (chain.out_len != 135)
        step();
    memcpy(chain.out + 135, chain.out, 45); /* a fourth answer: whose are they now? */
    chain.out_len += 45;
    step();
    CU_ASSERT_EQUAL(afe.fresh, 0);
    CU_ASSERT(afe.counts.unexpected > 0);
    run(60);
    CU_ASSERT(oldest_ms() <= 20);
}

static void test_bytes_that_nobody_asked_for_are_dropped(void)
{
    start(48);
    run(1000);
    while (chain.out_len == 0)
        step();
    step(); /* the answers are in, no question is open */
    uint32_t before = afe.counts.unexpected;

    if (chain.out_len == 0) {
        memset(chain.out, 0x29, 300);
        chain.out_len = 300;
        step();
        CU_ASSERT_EQUAL(afe.counts.unexpected, before + 1);
    }
    run(40);
    CU_ASSERT(oldest_ms() <= 20);
}

/* Random noise at random places: nothing but right values ever gets through, and the chain comes back. */
static void test_noise_never_makes_a_value(void)
{
    unsigned seed = 1;

    start(96);
    run(200);
    for (int n = 0; n < 20000; n++) {
        seed = seed * 1103515245u + 12345u;
        if (chain.out_len && (seed >> 16) % 4 == 0) {
            size_t at = (seed >> 8) % chain.out_len;

            chain.out[at] = (uint8_t)(chain.out[at] ^ (1u + (seed >> 20) % 255u));
        }
        if (chain.out_len && (seed >> 16) % 7 == 0)
            chain.out_len -= (seed >> 10) % chain.out_len;
        step();
        for (unsigned k = 0; k < topology.devices; k++)
            for (unsigned i = 0; i < topology.chip[k].cells; i++)
                CU_ASSERT_EQUAL(afe.chip[k].raw[i], fake_raw(3700));
    }
    run(700);
    CU_ASSERT(oldest_ms() <= 20);
}

static void test_dead_chain_is_asked_again_not_too_often(void)
{
    start(48);
    chain.chip[0].dead = true;
    run(10000);
    CU_ASSERT(afe.counts.addressed >= 10 && afe.counts.addressed <= 21);
    CU_ASSERT_EQUAL(afe_broken_at(&afe), 1);
    CU_ASSERT_FALSE(afe.chip[0].seen);
    CU_ASSERT_EQUAL(afe.chip[0].age_ms, 10000);
}

/* A chip that keeps its address and forgets its channels says that it is there, and still its answers do not fit. */
static void test_chip_with_a_wrong_set_up_is_set_up_again(void)
{
    start(48);
    run(1000);
    chain.chip[1].channels = 0xFFFF0000u;
    run(300);
    CU_ASSERT_EQUAL(chain.addressings, 2);
    CU_ASSERT(oldest_ms() <= 20);
}

static void test_fault_line_asks_who_is_there(void)
{
    start(48);
    run(1000);
    fault = true;
    run(5000);
    CU_ASSERT(oldest_ms() <= 60);
    CU_ASSERT_EQUAL(chain.addressings, 1);
    CU_ASSERT_EQUAL(afe_errors(&afe), 0);
}

static void test_balancing_reaches_the_chip_and_is_refreshed(void)
{
    uint16_t mask[AFE_DEVICES_MAX] = { 0 };

    start(48);
    run(1000);
    mask[1] = 0x0102;
    afe_balance(&afe, mask);
    run(40);
    CU_ASSERT_EQUAL(chain.chip[1].cbenbl, 0x0102);
    CU_ASSERT_EQUAL(chain.chip[1].cbtime, AFE_BALANCE_S);
    CU_ASSERT_EQUAL(chain.chip[0].cbtime, 0);
    chain.chip[1].cbenbl = 0; /* as if its time had run out */
    run(AFE_BALANCE_REFRESH_MS + 40);
    CU_ASSERT_EQUAL(chain.chip[1].cbenbl, 0x0102);
    mask[1] = 0;
    afe_balance(&afe, mask);
    run(40);
    CU_ASSERT_EQUAL(chain.chip[1].cbenbl, 0);
}

static void test_age_saturates(void)
{
    uint8_t tx[BIU_AFE_TX_MAX];

    start(48);
    chain.chip[0].dead = true;
    run(1000);
    for (int i = 0; i < 5; i++) {
        struct writer w = writer_of(tx, sizeof(tx));

        afe_step(&afe, &(struct afe_in) { .dt_ms = UINT32_MAX - 5, .scan_ms = 20, .rx = reader_of(rx, 0) }, &w);
        CU_ASSERT_EQUAL(afe.chip[2].age_ms, AFE_AGE_MAX);
    }
}

/* Bytes from the chain, as many as given, in one step. */
static void feed(const uint8_t *bytes, size_t n)
{
    uint8_t tx[BIU_AFE_TX_MAX];
    struct writer w = writer_of(tx, sizeof(tx));

    afe_step(&afe, &(struct afe_in) { .dt_ms = 10, .scan_ms = 20, .rx = reader_of(bytes, n) }, &w);
}

static void test_an_address_that_no_chip_has_is_nobody(void)
{
    uint8_t answer[4] = { 0, 9 };
    uint8_t empty[1] = { 0 };
    struct afe_parser parser;
    struct afe_response r;
    struct reader nothing = reader_of(empty, 0);

    start(48);
    step(); /* asks who is there */
    put_le16(answer + 2, crc16_ibm(0, answer, 2));
    feed(answer, sizeof(answer));
    CU_ASSERT_EQUAL(afe.alive, 0);
    afe_parser_reset(&parser);
    CU_ASSERT_EQUAL(afe_parse(&parser, &nothing, &r), 0);
}

static void test_after_lost_framing_all_is_dropped_until_the_next_question(void)
{
    static const uint8_t noise[] = { 0x55, 0x55, 0x55 };

    start(48);
    run(200);
    while (!afe.waiting)
        step();
    chain.out_len = 0;
    feed(noise, sizeof(noise));
    CU_ASSERT(afe.lost && afe.waiting);
    uint32_t before = afe.counts.unexpected;

    feed(noise, sizeof(noise)); /* the same question is still open */
    CU_ASSERT_EQUAL(afe.counts.unexpected, before);
    run(300);
    CU_ASSERT(oldest_ms() <= 40);
}

static void test_a_byte_too_many_drops_the_whole_scan(void)
{
    start(48);
    run(200);
    uint32_t before = afe.counts.unexpected;

    while (chain.out_len == 0 || afe.state != AFE_RUN)
        step();
    chain.out[chain.out_len++] = 0x2F;
    step();
    CU_ASSERT_EQUAL(afe.counts.unexpected, before + 1);
    CU_ASSERT_EQUAL(afe.fresh, 0);
    run(200);
    CU_ASSERT(oldest_ms() <= 40);
}

static void test_an_answer_may_come_in_pieces(void)
{
    uint8_t answers[4096];

    start(48);
    run(200);
    while (chain.out_len == 0 || afe.state != AFE_RUN)
        step();
    size_t n = chain.out_len;

    memcpy(answers, chain.out, n);
    chain.out_len = 0;
    uint32_t before = afe_errors(&afe);

    feed(answers, 7); /* in the middle of the first */
    CU_ASSERT_EQUAL(afe.fresh, 0);
    feed(answers + 7, n - 7);
    CU_ASSERT_EQUAL(afe.fresh, 7);
    CU_ASSERT_EQUAL(afe_errors(&afe), before);
}

static void test_a_begun_answer_is_forgotten_on_request(void)
{
    static const uint8_t bytes[] = { 0x0B, 0x73, 0x19, 0x72, 0xFC, 0x73, 0x0E, 0x73, 0x0D, 0x73, 0x11, 0x72, 0xF1, 0xF6, 0xDF };
    struct afe_parser p = { .have = 0 };
    struct afe_response r;
    struct reader half = reader_of(bytes, 7), whole = reader_of(bytes, sizeof(bytes));

    CU_ASSERT_EQUAL(afe_parse(&p, &half, &r), 0);
    afe_parser_reset(&p);
    CU_ASSERT_EQUAL(afe_parse(&p, &whole, &r), 1);
    CU_ASSERT(r.size == 12 && reader_left(&whole) == 0);
}

static void test_a_byte_that_is_no_length_is_taken_alone(void)
{
    static const uint8_t bytes[] = { 0x80, 0xFF, 0x0B, 0x73, 0x19, 0x72, 0xFC, 0x73, 0x0E, 0x73, 0x0D, 0x73, 0x11, 0x72, 0xF1, 0xF6, 0xDF };
    struct afe_parser p = { .have = 0 };
    struct afe_response r;
    struct reader in = reader_of(bytes, sizeof(bytes));

    CU_ASSERT_EQUAL(afe_parse(&p, &in, &r), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(afe_parse(&p, &in, &r), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(afe_parse(&p, &in, &r), 1);
    CU_ASSERT_EQUAL(get_be16(r.data), 0x7319);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "commands have the documented bytes", test_commands_have_the_documented_bytes },
        { "the answer of the data sheet is read byte by byte", test_answer_of_the_data_sheet },
        { "an answer with any bit changed is refused [ME-12]", test_any_changed_bit_is_refused },
        { "packs of 4 to 160 cells are measured within 30 ms [PK-2] [ME-1]", test_chain_is_measured_within_30_ms },
        { "a chain of 16 chips fits into a step [PK-2]", test_16_chips_fit_into_a_step },
        { "each value finds its place, cells from the negative end [PK-3]", test_each_value_finds_its_place },
        { "scans every 20 ms [ME-1]", test_scans_every_20_ms },
        { "a chip that was reset is back within 100 ms [ME-12]", test_reset_chip_comes_back },
        { "a broken chain is named by the first chip behind the break [ME-12]", test_broken_chain_is_named },
        { "a silent chip lends no values to others and gets none [ME-12]", test_silent_chip_lends_no_values },
        { "an answer with a bad checksum is dropped alone and counted [ME-12]", test_bad_crc_is_dropped_alone },
        { "a lost byte costs one scan, wherever it is lost", test_lost_byte_costs_one_scan },
        { "one answer too many spoils the scan and is counted", test_extra_bytes_spoil_the_scan_and_are_counted },
        { "bytes that nobody asked for are dropped", test_bytes_that_nobody_asked_for_are_dropped },
        { "noise never makes a value", test_noise_never_makes_a_value },
        { "a dead chain is addressed again, but not too often", test_dead_chain_is_asked_again_not_too_often },
        { "a chip that has lost its set-up alone is set up again", test_chip_with_a_wrong_set_up_is_set_up_again },
        { "an active fault line asks who is there and disturbs little", test_fault_line_asks_who_is_there },
        { "balancing reaches the chip and is refreshed [AC-4]", test_balancing_reaches_the_chip_and_is_refreshed },
        { "ages stay at their end, however long", test_age_saturates },
        { "an address that no chip has is nobody", test_an_address_that_no_chip_has_is_nobody },
        { "after lost framing all is dropped until the next question", test_after_lost_framing_all_is_dropped_until_the_next_question },
        { "a byte too many drops the whole scan", test_a_byte_too_many_drops_the_whole_scan },
        { "an answer may come in pieces", test_an_answer_may_come_in_pieces },
        { "a begun answer is forgotten on request", test_a_begun_answer_is_forgotten_on_request },
        { "a byte that is no length is taken alone", test_a_byte_that_is_no_length_is_taken_alone },
        CU_TEST_INFO_NULL,
    };

    return suite_run("afe", tests);
}
