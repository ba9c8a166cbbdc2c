/* SPDX-License-Identifier: Apache-2.0 */
/* The AFE chain in time: when it asks, how long it waits, what it forgets, and who is said to have been reset. In steps of 1 ms where it matters. */
#include <string.h>

#include "common/crc.h"
#include "firmware/core/biu/biu_io.h"
#include "firmware/core/measure/afe.h"
#include "firmware/core/store/params.h"
#include "tests/unit/firmware/fake_chain.h"
#include "tests/unit/suite.h"

enum { CELLS = 48, CHIPS = 3, SCAN_MS = 20 };

static struct afe afe;
static struct topology topology;
static struct fake_chain chain;
static bool fault;

static void start(int cells)
{
    int32_t values[PARAMS];

    params_defaults(CHEMISTRY_NMC, values);
    topology_plan(cells, values);
    CU_ASSERT_EQUAL_FATAL(topology_read(values, &topology), TOPOLOGY_OK);
    fake_chain_init(&chain, topology.devices, 3700);
    afe_init(&afe, &topology);
    fault = false;
}

/* One step that takes rx[n]; what is sent reaches the chain. */
static void feed(const uint8_t *rx, size_t n, uint32_t dt_ms)
{
    uint8_t tx[BIU_AFE_TX_MAX];
    struct writer w = writer_of(tx, sizeof(tx));

    afe_step(&afe, &(struct afe_in) { .dt_ms = dt_ms, .scan_ms = SCAN_MS, .rx = reader_of(rx, n), .fault = fault }, &w);
    CU_ASSERT(!w.bad);
    fake_chain_receive(&chain, tx, writer_used(&w));
    CU_ASSERT_EQUAL(chain.bad_commands, 0);
}

/* One step that takes what the chain has answered. */
static void step(uint32_t dt_ms)
{
    uint8_t rx[sizeof(chain.out)];
    size_t n = chain.out_len;

    memcpy(rx, chain.out, n);
    chain.out_len = 0;
    feed(rx, n, dt_ms);
}

static void run(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += 10)
        step(10);
}

static void run_by_1_ms(uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t++)
        step(1);
}

/* Until a scan has been sent whose answers wait in chain.out. */
static void until_scanned(void)
{
    unsigned before = chain.scans;

    for (int i = 0; i < 1000 && chain.scans == before; i++)
        step(1);
    CU_ASSERT_NOT_EQUAL_FATAL(chain.scans, before);
}

static uint32_t oldest_ms(void)
{
    uint32_t age = 0;

    for (unsigned k = 0; k < topology.devices; k++)
        age = afe.chip[k].age_ms > age ? afe.chip[k].age_ms : age;
    return age;
}

/* --- set-up --- */

static void test_every_chip_is_set_up_as_the_wire_wants(void)
{
    for (int cells = PACK_CELLS_MIN; cells <= 16; cells++) {
        start(cells);
        CU_ASSERT_EQUAL(chain.chip[0].status, AFE_STATUS_RESET);
        chain.chip[0].cbenbl = 0xFFFF; /* from a life before */
        run(30);
        CU_ASSERT_EQUAL(chain.chip[0].status, 0);
        CU_ASSERT_EQUAL(chain.chip[0].nchan, cells < 6 ? 6 : cells); /* the chip has no fewer */
        CU_ASSERT_EQUAL(chain.chip[0].channels >> 16, (1u << cells) - 1);
        CU_ASSERT_EQUAL(chain.chip[0].cbenbl, 0);
        CU_ASSERT(afe.fresh == 1 && afe.chip[0].age_ms == 0);
    }
}

static void restart_with_answers_on_their_way(int cells)
{
    static const struct afe_chip nothing;

    start(cells);
    run_by_1_ms(100);
    until_scanned();
    struct afe_counts counts = afe.counts;

    afe_restart(&afe);
    CU_ASSERT_EQUAL(afe.fresh, 0);
    CU_ASSERT_EQUAL(afe_broken_at(&afe), 1); /* nobody has answered yet */
    for (unsigned k = 0; k < AFE_DEVICES_MAX; k++)
        CU_ASSERT_EQUAL(memcmp(&afe.chip[k], &nothing, sizeof(nothing)), 0);
    CU_ASSERT_EQUAL(memcmp(&afe.counts, &counts, sizeof(counts)), 0);
    step(1); /* the late answers are nobody's */
    CU_ASSERT_EQUAL(afe.counts.unexpected, counts.unexpected + 1);
    CU_ASSERT_EQUAL(chain.addressings, 2);
    CU_ASSERT_FALSE(afe.chip[0].seen);
    run_by_1_ms(30);
    CU_ASSERT(afe.chip[topology.devices - 1].seen && oldest_ms() <= SCAN_MS);
}

static void test_a_restart_forgets_what_was_measured(void)
{
    start(CELLS);
    run_by_1_ms(100);
    until_scanned();
    step(1);
    CU_ASSERT_EQUAL(afe.fresh, 7);
    afe_restart(&afe);
    CU_ASSERT_EQUAL(afe.fresh, 0);
    restart_with_answers_on_their_way(CELLS);
    restart_with_answers_on_their_way(16); /* a single answer, which would fit */
}

/* --- scans --- */

static void test_a_scan_every_20_ms_to_the_millisecond_and_values_once(void)
{
    unsigned fresh = 0;

    start(CELLS);
    run_by_1_ms(100);
    until_scanned();
    for (unsigned ms = 0; ms < 50 * SCAN_MS; ms++) {
        unsigned before = chain.scans;

        step(1);
        CU_ASSERT_EQUAL(afe.fresh, ms % SCAN_MS ? 0 : 7);
        CU_ASSERT(afe.fresh == 0 || oldest_ms() == 0);
        CU_ASSERT_EQUAL(chain.scans - before, ms % SCAN_MS == SCAN_MS - 1);
        fresh += afe.fresh != 0;
    }
    CU_ASSERT_EQUAL(fresh, 50);
    step(1);
    CU_ASSERT_EQUAL(afe.next, -1); /* all are in */
}

static void test_an_answer_may_take_20_ms_and_no_longer(void)
{
    for (uint32_t late_ms = AFE_ANSWER_MS - 1; late_ms <= AFE_ANSWER_MS; late_ms++) {
        uint8_t rx[sizeof(chain.out)];

        start(CELLS);
        run_by_1_ms(100);
        until_scanned();
        size_t n = chain.out_len;

        memcpy(rx, chain.out, n);
        chain.out_len = 0;
        for (uint32_t ms = 1; ms < late_ms; ms++)
            step(1);
        CU_ASSERT_EQUAL(afe.counts.missing, 0);
        feed(rx, late_ms < AFE_ANSWER_MS ? n : 0, 1);
        CU_ASSERT_EQUAL(afe.fresh, late_ms < AFE_ANSWER_MS ? 7 : 0);
        CU_ASSERT_EQUAL(afe.counts.missing, late_ms < AFE_ANSWER_MS ? 0 : 1);
    }
}

static void test_half_an_answer_spoils_one_scan_only(void)
{
    uint8_t rx[sizeof(chain.out)];

    start(CELLS);
    run_by_1_ms(100);
    until_scanned();
    memcpy(rx, chain.out, 20);
    chain.out_len = 0;
    feed(rx, 20, 1); /* and the rest never comes */
    run_by_1_ms(AFE_ANSWER_MS + 10);
    CU_ASSERT_EQUAL(afe.counts.missing, 1);
    CU_ASSERT_EQUAL(afe.counts.bad_crc, 0); /* the next answers are read from their beginning */
    CU_ASSERT(oldest_ms() <= SCAN_MS);
}

static void test_an_answer_too_many_of_one_byte_spoils_the_scan(void)
{
    uint8_t *more;

    start(CELLS);
    run_by_1_ms(100);
    until_scanned();
    more = chain.out + chain.out_len;
    more[0] = 0; /* the shortest answer there is, and its CRC is right */
    more[1] = 9;
    put_le16(more + 2, crc16_ibm(0, more, 2));
    chain.out_len += 4;
    step(1);
    CU_ASSERT(afe.fresh == 0 && afe.counts.unexpected == 1);
}

static void test_a_wrong_checksum_is_counted_at_its_chip(void)
{
    start(CELLS);
    run_by_1_ms(100);
    chain.chip[1].spoil_crc = true;
    until_scanned();
    step(1);
    CU_ASSERT_EQUAL(afe.fresh, 5);
    CU_ASSERT(afe.counts.bad_crc == 1 && afe.chip[1].bad_crc == 1 && afe.chip[1].crc_age_ms == 0);
    CU_ASSERT(afe.chip[0].bad_crc == 0 && afe.chip[2].bad_crc == 0);
    chain.chip[1].spoil_crc = false;
    run_by_1_ms(1000);
    CU_ASSERT(afe.chip[1].bad_crc == 1 && afe.chip[1].crc_age_ms == 1000);
}

/* --- who is there --- */

static void test_answers_to_a_probe_may_come_one_by_one(void)
{
    uint8_t rx[sizeof(chain.out)];

    start(CELLS);
    step(1);
    CU_ASSERT_EQUAL(chain.out_len, 4 * CHIPS);
    memcpy(rx, chain.out, 4 * CHIPS);
    chain.out_len = 0;
    feed(rx, 6, 10); /* one and a half */
    CU_ASSERT_EQUAL(chain.scans, 0);
    feed(rx + 6, 5, AFE_ANSWER_MS - 11);
    CU_ASSERT_EQUAL(chain.scans, 0);
    CU_ASSERT_EQUAL(chain.probes, 1);
    feed(rx + 11, 1, 1); /* the last byte in the last millisecond */
    CU_ASSERT(afe.alive == 7 && chain.scans == 1 && chain.addressings == 1);
}

static void test_a_probe_waits_20_ms_for_the_missing(void)
{
    start(CELLS);
    chain.chip[2].dead = true;
    step(1);
    for (unsigned ms = 1; ms < AFE_ANSWER_MS; ms++) {
        step(1);
        CU_ASSERT_EQUAL(chain.scans, 0);
    }
    step(1);
    CU_ASSERT(chain.scans == 1 && afe.alive == 3);
}

static void test_the_address_behind_the_last_chip_is_nobody(void)
{
    uint8_t answer[4] = { 0, CHIPS };

    start(CELLS);
    step(1);
    chain.out_len = 0;
    put_le16(answer + 2, crc16_ibm(0, answer, 2));
    feed(answer, sizeof(answer), 1);
    CU_ASSERT_EQUAL(afe.alive, 0);
}

/* Noise in the answers: asked again at once, three times, before anybody counts as missing. */
static void test_a_spoilt_probe_is_repeated_three_times(void)
{
    static const uint8_t noise[] = { 0x55, 0xAA };

    for (int kind = 0; kind < 2; kind++) {
        start(CELLS);
        step(1);
        for (unsigned n = 1; n <= 4; n++) {
            CU_ASSERT_EQUAL(chain.probes, n);
            CU_ASSERT_EQUAL(chain.scans, 0);
            if (kind == 1) /* the right length, and a wrong CRC */
                chain.out[3] ^= 1;
            if (kind == 0)
                chain.out_len = 0;
            feed(kind ? chain.out : noise, kind ? 4 : sizeof(noise), 1);
            chain.out_len = 0;
            step(AFE_ANSWER_MS - 1);
        }
        CU_ASSERT_EQUAL(chain.probes, 4);
        CU_ASSERT_EQUAL(afe.alive, 0);
        CU_ASSERT_EQUAL(afe.state, AFE_RUN);
        run_by_1_ms(AFE_READDRESS_MS); /* then the chain is addressed again, and has as many attempts again */
        CU_ASSERT_EQUAL(chain.addressings, 2);
        CU_ASSERT(oldest_ms() <= SCAN_MS);
    }
}

static void test_attempts_are_counted_anew_for_each_probe(void)
{
    static const uint8_t noise[] = { 0x55 };

    start(CELLS);
    step(1);
    chain.out_len = 0;
    feed(noise, 1, AFE_ANSWER_MS); /* one attempt is lost */
    run_by_1_ms(AFE_READDRESS_MS);
    fault = true;
    while (afe.state == AFE_RUN)
        step(1);
    unsigned before = chain.probes;

    for (int n = 0; n < 3; n++) { /* three more may be */
        chain.out_len = 0;
        feed(noise, 1, AFE_ANSWER_MS);
    }
    CU_ASSERT_EQUAL(chain.probes, before + 3);
    CU_ASSERT_EQUAL(afe.state, AFE_PROBE);
    run_by_1_ms(5);
    CU_ASSERT(afe.alive == 7 && afe.state == AFE_RUN);
    CU_ASSERT_EQUAL(chain.addressings, 1);
}

/* A clean silence is no noise: one question is enough. */
static void test_a_missing_chip_is_asked_once(void)
{
    start(CELLS);
    chain.chip[0].dead = true;
    run_by_1_ms(AFE_READDRESS_MS);
    CU_ASSERT_EQUAL(chain.probes, 1);
    CU_ASSERT_EQUAL(chain.addressings, 1);
    run_by_1_ms(1); /* addressed again after 500 ms, exactly */
    CU_ASSERT_EQUAL(chain.addressings, 2);
    run_by_1_ms(AFE_READDRESS_MS - 1);
    CU_ASSERT_EQUAL(chain.addressings, 2);
    run_by_1_ms(1);
    CU_ASSERT_EQUAL(chain.addressings, 3);
    CU_ASSERT_EQUAL(afe.counts.missing, 0); /* nobody was scanned */
}

/* A chip that answers nothing, and one spoilt scan: the others are read again at once, without it. */
static void test_noise_beside_a_mute_chip_costs_no_third_scan(void)
{
    uint32_t worst = 0;

    start(CELLS);
    run_by_1_ms(60);
    chain.chip[1].mute = true;
    run_by_1_ms(100);
    until_scanned();
    chain.out_len--;
    for (int ms = 0; ms < 150; ms++) {
        step(1);
        worst = afe.chip[0].age_ms > worst ? afe.chip[0].age_ms : worst;
    }
    CU_ASSERT(worst <= 5 * SCAN_MS);
    CU_ASSERT(afe.chip[0].age_ms <= SCAN_MS && afe.chip[2].age_ms <= SCAN_MS);
    CU_ASSERT_EQUAL(afe.counts.missing, 4); /* that without the chip, the spoilt one, and after each one more with all */
}

/* A chip that has forgotten its channels alone: its answers do not fit, though it is there. */
static void test_three_scans_that_do_not_fit_are_an_addressing(void)
{
    start(CELLS);
    run_by_1_ms(1000);
    for (int bad = 1; bad <= 2; bad++) { /* two bad ones and a good one, twice: that is noise */
        for (int n = 0; n < 2; n++) {
            until_scanned();
            chain.out_len--;
            run_by_1_ms(AFE_ANSWER_MS);
        }
        until_scanned();
        step(1);
        CU_ASSERT(afe.fresh == 7);
    }
    CU_ASSERT_EQUAL(chain.addressings, 1);
    CU_ASSERT_EQUAL(afe.counts.missing, 4);
    chain.chip[1].channels = 0xFFFF0000u;
    until_scanned();
    run_by_1_ms(3 * AFE_ANSWER_MS + 2);
    CU_ASSERT_EQUAL(afe.counts.missing, 7);
    CU_ASSERT_EQUAL(chain.addressings, 2);
    chain.chip[1].channels = 0xFFFF0000u; /* and again soon after: not before 500 ms have gone */
    run_by_1_ms(AFE_READDRESS_MS - 10);
    CU_ASSERT_EQUAL(chain.addressings, 2);
    CU_ASSERT(afe.counts.missing >= 13);
    run_by_1_ms(60);
    CU_ASSERT_EQUAL(chain.addressings, 3);
    CU_ASSERT(oldest_ms() <= SCAN_MS);
}

static void test_the_fault_line_asks_once_a_second(void)
{
    start(CELLS);
    run_by_1_ms(200);
    CU_ASSERT_EQUAL(chain.probes, 1);
    fault = true;
    run_by_1_ms(SCAN_MS + 5); /* between two scans, at once */
    CU_ASSERT_EQUAL(chain.probes, 2);
    fault = false;
    run_by_1_ms(SCAN_MS);
    fault = true; /* it went and came: at once again */
    while (chain.probes == 2)
        step(1);
    for (int n = 3; n < 6; n++) {
        run_by_1_ms(AFE_FAULT_PROBE_MS - 1);
        CU_ASSERT_EQUAL(chain.probes, n);
        for (int ms = 0; ms < SCAN_MS && chain.probes == (unsigned)n; ms++)
            step(1); /* not in the middle of a question */
        CU_ASSERT_EQUAL(chain.probes, n + 1);
    }
    fault = false;
    run_by_1_ms(3000);
    CU_ASSERT(chain.probes <= 6 && chain.addressings == 1);
}

/* --- who was reset --- */

static void test_a_reset_is_counted_once_and_at_its_chip(void)
{
    for (unsigned victim = 0; victim < CHIPS; victim++) {
        start(CELLS);
        run_by_1_ms(1000);
        for (unsigned k = 0; k < CHIPS; k++)
            CU_ASSERT_EQUAL(afe.chip[k].resets, 0); /* the first addresses are none */
        fake_chain_reset_chip(&chain, (int)victim);
        run_by_1_ms(100);
        CU_ASSERT_EQUAL(chain.addressings, 2);
        fault = true; /* asks again who is there */
        run_by_1_ms(100);
        CU_ASSERT_EQUAL(chain.probes, 4);
        for (unsigned k = 0; k < CHIPS; k++)
            CU_ASSERT_EQUAL(afe.chip[k].resets, k == victim);
        uint32_t age_ms = afe.chip[victim].reset_age_ms;

        CU_ASSERT(age_ms >= 100 && age_ms < 200);
        run_by_1_ms(500);
        CU_ASSERT_EQUAL(afe.chip[victim].reset_age_ms, age_ms + 500);
    }
}

/* The answer to the question after the addressing comes when the chip's last value is so old. */
static uint32_t resets_when_back_after(uint32_t age_ms)
{
    start(CELLS);
    run_by_1_ms(1000);
    fake_chain_reset_chip(&chain, 1);
    while (chain.addressings == 1)
        step(1);
    step(age_ms - afe.chip[1].age_ms);
    CU_ASSERT_EQUAL(afe.alive, 7);
    CU_ASSERT(afe.chip[1].resets == 0 || afe.chip[1].reset_age_ms == 0);
    return afe.chip[1].resets;
}

static void test_a_chip_that_was_away_for_half_a_second_was_no_reset(void)
{
    CU_ASSERT_EQUAL(resets_when_back_after(AFE_READDRESS_MS - 1), 1);
    CU_ASSERT_EQUAL(resets_when_back_after(AFE_READDRESS_MS), 0);
    start(CELLS);
    run_by_1_ms(1000);
    chain.chip[1].dead = true; /* a link that breaks, and is mended */
    run_by_1_ms(2000);
    chain.chip[1].dead = false;
    run_by_1_ms(1000);
    CU_ASSERT(oldest_ms() <= SCAN_MS);
    for (unsigned k = 0; k < CHIPS; k++)
        CU_ASSERT_EQUAL(afe.chip[k].resets, 0);
}

/* --- balancing --- */

static void test_balancing_is_sent_when_it_changes_and_every_two_seconds(void)
{
    uint16_t mask[AFE_DEVICES_MAX] = { 0x0011 };
    unsigned first[CHIPS];

    start(CELLS);
    run_by_1_ms(3000);
    for (unsigned k = 0; k < CHIPS; k++)
        CU_ASSERT_EQUAL(chain.chip[k].cbenbl_writes, 1); /* by the set-up: chips that balance nothing are left alone */
    afe_balance(&afe, mask);
    while (chain.chip[0].cbenbl != 0x0011)
        step(1);
    for (unsigned k = 0; k < CHIPS; k++)
        first[k] = chain.chip[k].cbenbl_writes;
    run_by_1_ms(10 * AFE_BALANCE_REFRESH_MS);
    CU_ASSERT(chain.chip[0].cbenbl_writes - first[0] >= 9 && chain.chip[0].cbenbl_writes - first[0] <= 10);
    CU_ASSERT(chain.chip[1].cbenbl_writes == first[1] && chain.chip[2].cbenbl_writes == first[2]);
}

static void test_a_refresh_comes_after_two_seconds_exactly(void)
{
    uint16_t mask[AFE_DEVICES_MAX] = { 0, 0x0011 };

    start(CELLS);
    run_by_1_ms(100);
    afe_balance(&afe, mask);
    unsigned before = chain.chip[1].cbenbl_writes + 1; /* the change itself */

    while (chain.chip[1].cbenbl_writes <= before)
        step(1); /* the first refresh */
    CU_ASSERT_EQUAL(afe.balanced_ms, 0);
    before = chain.chip[1].cbenbl_writes;
    while (afe.waiting) /* from here on in steps of a scan and one more for its answers */
        step(1);
    uint32_t ms = afe.balanced_ms;

    while (chain.chip[1].cbenbl_writes == before) {
        CU_ASSERT_FATAL(ms < AFE_BALANCE_REFRESH_MS);
        chain.out_len = 0;
        afe.waiting = false; /* no scan is in the way */
        step(1);
        ms++;
    }
    CU_ASSERT_EQUAL(ms, AFE_BALANCE_REFRESH_MS);
}

static void test_after_an_addressing_balancing_begins_afresh(void)
{
    uint16_t mask[AFE_DEVICES_MAX] = { 0x0011, 0, 0x0022 };

    start(CELLS);
    run_by_1_ms(100);
    afe_balance(&afe, mask);
    run_by_1_ms(500);
    CU_ASSERT(chain.chip[0].cbenbl == 0x0011 && chain.chip[2].cbenbl == 0x0022);
    fake_chain_reset_chip(&chain, 1);
    while (chain.addressings == 1)
        step(1);
    CU_ASSERT(chain.chip[0].cbenbl == 0 && chain.chip[2].cbenbl == 0);
    run_by_1_ms(40);
    CU_ASSERT(chain.chip[0].cbenbl == 0x0011 && chain.chip[2].cbenbl == 0x0022);
}

/* A spoilt answer before three good ones: all are there, and nobody is asked twice. */
static void test_noise_is_no_matter_when_all_have_answered(void)
{
    uint8_t rx[4 * (CHIPS + 1)] = { 0, 1, 0xAA, 0x55 };

    start(CELLS);
    step(1);
    memcpy(rx + 4, chain.out, 4 * CHIPS);
    chain.out_len = 0;
    feed(rx, sizeof(rx), 1);
    CU_ASSERT_EQUAL(afe.counts.bad_crc, 1);
    CU_ASSERT(afe.alive == 7 && chain.probes == 1 && chain.scans == 1);
}

/* How often the chain has been addressed when the step that ends a wait comes so long after the first addressing. */
static unsigned addressings_after_a_probe(uint32_t ms)
{
    start(CELLS);
    chain.chip[2].dead = true;
    step(1);
    step(ms);
    return chain.addressings;
}

static unsigned addressings_after_three_bad_scans(uint32_t ms)
{
    start(CELLS);
    run_by_1_ms(100);
    for (int n = 0; n < 3; n++) {
        until_scanned();
        chain.out_len--;
        if (n < 2)
            run_by_1_ms(AFE_ANSWER_MS);
    }
    step(ms - afe.addressed_ms);
    return chain.addressings;
}

static void test_an_addressing_comes_500_ms_after_the_one_before_exactly(void)
{
    CU_ASSERT_EQUAL(addressings_after_a_probe(AFE_READDRESS_MS - 1), 1);
    CU_ASSERT_EQUAL(addressings_after_a_probe(AFE_READDRESS_MS), 2);
    CU_ASSERT_EQUAL(addressings_after_three_bad_scans(AFE_READDRESS_MS - 1), 1);
    CU_ASSERT_EQUAL(addressings_after_three_bad_scans(AFE_READDRESS_MS), 2);
}

static void test_the_fault_line_asks_again_after_a_second_exactly(void)
{
    for (uint32_t ms = AFE_FAULT_PROBE_MS - 1; ms <= AFE_FAULT_PROBE_MS; ms++) {
        start(CELLS);
        run_by_1_ms(200);
        fault = true;
        while (chain.probes == 1)
            step(1);
        run_by_1_ms(100);
        while (afe.waiting)
            step(1);
        step(ms - afe.faulted_ms);
        CU_ASSERT_EQUAL(chain.probes, ms == AFE_FAULT_PROBE_MS ? 3 : 2);
    }
}

/* What came while a scan was open says nothing about the answers to the probe after it. */
static void test_noise_in_a_scan_is_forgotten_in_the_probe(void)
{
    static const uint8_t noise[] = { 0x55 };

    start(CELLS);
    run_by_1_ms(100);
    until_scanned();
    chain.out_len = 0;
    chain.chip[2].dead = true;
    feed(noise, 1, 1);
    run_by_1_ms(2 * AFE_ANSWER_MS + 5);
    CU_ASSERT_EQUAL(chain.probes, 2);
}

static void test_a_pack_without_chips_is_silent(void)
{
    struct topology none = { 0 };
    uint8_t tx[16];
    struct writer w = writer_of(tx, sizeof(tx));

    afe_init(&afe, &none);
    afe_step(&afe, &(struct afe_in) { .dt_ms = 10, .scan_ms = SCAN_MS, .rx = reader_of(tx, 3) }, &w);
    CU_ASSERT(writer_used(&w) == 0 && afe.fresh == 0 && afe.counts.unexpected == 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every chip is set up as the wire wants it [PK-3]", test_every_chip_is_set_up_as_the_wire_wants },
        { "a restart forgets what was measured, and late answers [AC-8]", test_a_restart_forgets_what_was_measured },
        { "a scan every 20 ms to the millisecond, each value once [ME-1]", test_a_scan_every_20_ms_to_the_millisecond_and_values_once },
        { "an answer may take 20 ms and no longer [ME-12]", test_an_answer_may_take_20_ms_and_no_longer },
        { "half an answer spoils one scan only [ME-12]", test_half_an_answer_spoils_one_scan_only },
        { "an answer too many of one byte spoils the scan", test_an_answer_too_many_of_one_byte_spoils_the_scan },
        { "a wrong checksum is counted at its chip, and ages [ME-12]", test_a_wrong_checksum_is_counted_at_its_chip },
        { "answers to a probe may come one by one", test_answers_to_a_probe_may_come_one_by_one },
        { "a probe waits 20 ms for the missing", test_a_probe_waits_20_ms_for_the_missing },
        { "the address behind the last chip is nobody", test_the_address_behind_the_last_chip_is_nobody },
        { "a spoilt probe is repeated three times", test_a_spoilt_probe_is_repeated_three_times },
        { "attempts are counted anew for each probe", test_attempts_are_counted_anew_for_each_probe },
        { "a missing chip is asked once, and addressed after 500 ms exactly [ME-12]", test_a_missing_chip_is_asked_once },
        { "noise beside a mute chip costs no third scan [ME-12]", test_noise_beside_a_mute_chip_costs_no_third_scan },
        { "three scans that do not fit are an addressing, not before 500 ms [ME-12]", test_three_scans_that_do_not_fit_are_an_addressing },
        { "the fault line asks once a second [ME-12]", test_the_fault_line_asks_once_a_second },
        { "a reset is counted once and at its chip [ME-12]", test_a_reset_is_counted_once_and_at_its_chip },
        { "a chip that was away for half a second was no reset [ME-12]", test_a_chip_that_was_away_for_half_a_second_was_no_reset },
        { "balancing is sent when it changes and every two seconds [AC-4]", test_balancing_is_sent_when_it_changes_and_every_two_seconds },
        { "a refresh comes after two seconds exactly [AC-4]", test_a_refresh_comes_after_two_seconds_exactly },
        { "after an addressing balancing begins afresh [AC-4]", test_after_an_addressing_balancing_begins_afresh },
        { "noise is no matter when all have answered", test_noise_is_no_matter_when_all_have_answered },
        { "an addressing comes 500 ms after the one before, exactly [ME-12]",
          test_an_addressing_comes_500_ms_after_the_one_before_exactly },
        { "the fault line asks again after a second, exactly [ME-12]", test_the_fault_line_asks_again_after_a_second_exactly },
        { "noise in a scan is forgotten in the probe", test_noise_in_a_scan_is_forgotten_in_the_probe },
        { "a pack without chips is silent", test_a_pack_without_chips_is_silent },
        CU_TEST_INFO_NULL,
    };

    return suite_run("afe_recovery", tests);
}
