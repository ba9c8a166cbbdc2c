/* SPDX-License-Identifier: Apache-2.0 */
/* test_assembler.c -- whatever happens to the frames, every sample comes out once and in its order. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "board_model.h"
#include "dtu/core/assembler.h"
#include "proto/can0.h"

static struct assembler as;
static struct sample out;
static struct can_frame frames[BOARD_FRAMES_MAX];

static size_t frames_of(uint32_t boot, uint32_t no)
{
    struct sample s = board_sample(boot, no, 48, 12);

    return board_frames(&s, frames);
}

/* Feed n frames; returns how many samples came out, the last in `out`, each taken. */
static unsigned feed(const struct can_frame *f, size_t n, uint32_t now_ms)
{
    unsigned got = 0;

    for (size_t i = 0; i < n; i++)
        if (assembler_feed(&as, &f[i], now_ms, &out)) {
            assembler_taken(&as, &out, now_ms);
            got++;
        }
    return got;
}

static void start(uint32_t boot, uint32_t no)
{
    uint32_t from;

    assembler_init(&as, boot, no, 0, 0);
    assembler_wants(&as, 0, &from);
    assembler_answer(&as, no + 1, 0);
}

static void test_whole_sample(void)
{
    struct sample s = board_sample(3, 1, 160, 64);

    s.alarms = 2;
    s.alarm[0] = (struct sample_alarm) { 2, ALARM_MAJOR, 17, 4300 };
    s.alarm[1] = (struct sample_alarm) { 8, ALARM_MAJOR, 64, -250 };
    s.cell_mV[7] = cell_invalid(VALIDITY_OPEN);
    s.temp_ddegC[63] = temp_invalid(VALIDITY_STALE);
    s.scalar[SAMPLE_insulation_kohm] = scalar_invalid(VALIDITY_NEVER);
    s.scalar[SAMPLE_pack_current_mA] = -123456;
    start(0, 0);
    CU_ASSERT_EQUAL(feed(frames, board_frames(&s, frames), 1), 1);
    CU_ASSERT(sample_is_equal(&s, &out));
    CU_ASSERT(as.counts.taken == 1 && as.counts.crc == 0 && as.counts.counter == 0 && as.boot == 3);
}

static void test_sizes(void)
{
    static const uint8_t sizes[][2] = { { 0, 0 }, { 4, 0 }, { 4, 1 }, { 16, 4 }, { 17, 5 }, { 159, 63 }, { 160, 64 } };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sample s = board_sample(1, 1, sizes[i][0], sizes[i][1]);

        start(0, 0);
        CU_ASSERT_EQUAL(feed(frames, board_frames(&s, frames), 1), 1);
        CU_ASSERT(sample_is_equal(&s, &out));
    }
}

static void test_every_lost_frame(void)
{
    size_t n = frames_of(1, 1);

    for (size_t lost = 0; lost < n; lost++) {
        uint32_t from = 0;

        start(0, 0);
        CU_ASSERT_EQUAL(feed(frames, lost, 1), 0);
        CU_ASSERT_EQUAL(feed(frames + lost + 1, n - lost - 1, 1), 0);
        size_t m = frames_of(1, 2);

        CU_ASSERT_EQUAL(feed(frames, m, 2), 0);
        CU_ASSERT(!assembler_wants(&as, 1, &from)); /* the answer before is too fresh */
        CU_ASSERT(assembler_wants(&as, ASSEMBLER_HOLD_MS, &from) && from == 1);
        assembler_answer(&as, 1, ASSEMBLER_HOLD_MS);
        frames_of(1, 1);
        CU_ASSERT_EQUAL(feed(frames, n, 300), 1);
        frames_of(1, 2);
        CU_ASSERT_EQUAL(feed(frames, m, 300), 1);
        CU_ASSERT_EQUAL(as.next, 3);
    }
}

static void test_every_broken_bit(void)
{
    size_t n = frames_of(1, 1);

    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 64; bit += 5) {
            start(0, 0);
            frames[i].data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT_EQUAL(feed(frames, n, 1), 0);
            CU_ASSERT_EQUAL(as.counts.crc, 1);
            frames[i].data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
}

static void test_stuck_counter(void)
{
    start(0, 0);
    feed(frames, frames_of(1, 1), 1);
    size_t n = frames_of(1, 2);

    for (size_t i = 0; i < n; i++)
        can0_finish(&frames[i], 1); /* still the counter of sample 1 */
    CU_ASSERT_EQUAL(feed(frames, n, 2), 0);
    CU_ASSERT(as.counts.counter > 0);
    /* In the middle of a sample: the same frame with the same counter says something else. */
    n = frames_of(1, 2);
    struct can_frame again = frames[0];

    again.data[5] ^= 0x40;
    can0_finish(&again, 2);
    uint32_t before = as.counts.counter;

    CU_ASSERT_EQUAL(feed(frames, 5, 3), 0);
    CU_ASSERT_EQUAL(feed(&again, 1, 3), 0);
    CU_ASSERT_EQUAL(feed(frames + 5, n - 5, 3), 0);
    CU_ASSERT_EQUAL(as.counts.counter, before + 1);
}

static void test_foreign_frames(void)
{
    struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);
    size_t n = frames_of(1, 1);

    start(0, 0);
    can0_finish(&f, 1);
    feed(frames, 10, 1);
    feed(&f, 1, 1);
    f = can0_begin(CAN0_BIU_SampleEnd, CAN0_ADDR_CSU); /* somebody else's */
    can0_finish(&f, 1);
    feed(&f, 1, 1);
    f = (struct can_frame) { .id = 0x123, .len = 8 };
    feed(&f, 1, 1);
    CU_ASSERT_EQUAL(feed(frames + 10, n - 10, 1), 1);
    CU_ASSERT(as.counts.foreign == 3 && as.counts.crc == 0);
}

static void test_repeated_frames(void)
{
    size_t n = frames_of(1, 1);

    start(0, 0);
    for (size_t i = 0; i + 1 < n; i++) {
        feed(&frames[i], 1, 1);
        feed(&frames[i], 1, 1);
    }
    CU_ASSERT_EQUAL(feed(&frames[n - 1], 1, 1), 1);
    CU_ASSERT_EQUAL(as.counts.repeated, n - 1);
    CU_ASSERT_EQUAL(feed(frames, n, 1), 0); /* the whole sample again */
    CU_ASSERT(as.counts.known == 1 && as.next == 2);
}

static void test_silence_inside(void)
{
    size_t n = frames_of(1, 1);

    start(0, 0);
    feed(frames, 5, 0);
    CU_ASSERT_EQUAL(feed(frames + 5, n - 5, ASSEMBLER_FRAME_MS), 1);
    start(0, 0);
    feed(frames, 5, 0);
    CU_ASSERT_EQUAL(feed(frames + 5, n - 5, ASSEMBLER_FRAME_MS + 1), 0);
}

static void test_start_asks(void)
{
    uint32_t from = 0;

    assembler_init(&as, 4, 99, 5, 1000);
    CU_ASSERT(assembler_wants(&as, 1000, &from) && from == 100);
    CU_ASSERT(!assembler_wants(&as, 9000, &from)); /* one request at a time */
    assembler_no_answer(&as, 2000);
    CU_ASSERT(!assembler_wants(&as, 2000 + ASSEMBLER_RETRY_MS - 1, &from));
    CU_ASSERT(assembler_wants(&as, 2000 + ASSEMBLER_RETRY_MS, &from));
    assembler_no_answer(&as, 3000);
    CU_ASSERT(!assembler_wants(&as, 3000 + 2 * ASSEMBLER_RETRY_MS - 1, &from));
    CU_ASSERT(assembler_wants(&as, 3000 + 2 * ASSEMBLER_RETRY_MS, &from));
    for (unsigned i = 0; i < 20; i++)
        assembler_no_answer(&as, 5000);
    CU_ASSERT(assembler_wants(&as, 5000 + ASSEMBLER_RETRY_MAX_MS, &from));
    CU_ASSERT_EQUAL(as.dropped, 5);
}

static void test_silence_asks(void)
{
    uint32_t from = 0;

    start(1, 10);
    CU_ASSERT(!assembler_wants(&as, ASSEMBLER_SILENCE_MS - 1, &from));
    CU_ASSERT(assembler_wants(&as, ASSEMBLER_SILENCE_MS, &from) && from == 11);
}

static void test_ring_has_lost_some(void)
{
    uint32_t from = 0;

    start(1, 10);
    CU_ASSERT_EQUAL(feed(frames, frames_of(1, 40), 300), 0); /* a gap is not jumped by itself */
    CU_ASSERT(assembler_wants(&as, 300, &from) && from == 11);
    assembler_answer(&as, 31, 300);
    CU_ASSERT_EQUAL(as.dropped, 0); /* not before the sample is there */
    CU_ASSERT_EQUAL(feed(frames, frames_of(1, 32), 301), 0);
    CU_ASSERT_EQUAL(feed(frames, frames_of(1, 31), 302), 1);
    CU_ASSERT(as.dropped == 20 && as.next == 32);
    CU_ASSERT_EQUAL(feed(frames, frames_of(1, 32), 303), 1);
}

static void test_new_boot(void)
{
    uint32_t from = 0;

    start(7, 500);
    CU_ASSERT_EQUAL(feed(frames, frames_of(8, 3), 300), 0);
    CU_ASSERT(as.boot == 8 && as.next == 1 && as.dropped == 0);
    CU_ASSERT(assembler_wants(&as, 300, &from) && from == 1);
    assembler_answer(&as, 1, 300);
    for (uint32_t no = 1; no <= 4; no++)
        CU_ASSERT_EQUAL(feed(frames, frames_of(8, no), 301), 1);
    CU_ASSERT_EQUAL(as.counts.boots, 1);
}

static void test_not_taken(void)
{
    size_t n = frames_of(1, 1);
    uint32_t from = 0;

    start(0, 0);
    for (size_t i = 0; i < n; i++)
        assembler_feed(&as, &frames[i], 1, &out); /* and nobody could store it */
    CU_ASSERT_EQUAL(feed(frames, frames_of(1, 2), 400), 0);
    CU_ASSERT(assembler_wants(&as, 400, &from) && from == 1);
}

static void test_never_whole(void)
{
    size_t n = frames_of(1, 1);

    start(0, 0);
    for (unsigned i = 1; i < ASSEMBLER_ATTEMPTS; i++)
        feed(frames + 1, n - 1, i);
    CU_ASSERT(as.next == 1 && as.dropped == 0);
    feed(frames + 1, n - 1, ASSEMBLER_ATTEMPTS);
    CU_ASSERT(as.next == 2 && as.dropped == 1);
    CU_ASSERT_EQUAL(feed(frames, frames_of(1, 2), ASSEMBLER_ATTEMPTS), 1);
}

/* One frame on a bus that loses, repeats, swaps and breaks. Returns how many samples came out; checks that each is the next. */
static unsigned rough(struct can_frame f, unsigned percent, uint32_t now_ms, struct can_frame *held, bool *holds, uint32_t expect)
{
    struct can_frame line[3];
    size_t n = 0;
    unsigned got = 0;

    if ((unsigned)(rand() % 100) >= percent)
        line[n++] = f;
    else
        switch (rand() % 4) {
        case 0:
            break; /* lost */
        case 1:
            line[n++] = f;
            line[n++] = f;
            break;
        case 2:
            f.data[rand() % 8] ^= (uint8_t)(1 << rand() % 8);
            line[n++] = f;
            break;
        default:
            if (*holds)
                break;
            *held = f; /* comes one frame later */
            *holds = true;
            return 0;
        }
    if (*holds)
        line[n++] = *held;
    *holds = false;
    for (size_t i = 0; i < n; i++)
        if (assembler_feed(&as, &line[i], now_ms, &out)) {
            struct sample s = board_sample(1, expect + got, 16, 4);

            CU_ASSERT(sample_is_equal(&s, &out));
            assembler_taken(&as, &out, now_ms);
            got++;
        }
    return got;
}

static void test_any_loss(void)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct board b;
        struct can_frame held;
        bool holds = false;
        uint32_t got = 0, now = 0, from;

        srand(seed);
        board_init(&b, 1, BOARD_RING, 16, 4);
        assembler_init(&as, 0, 0, 0, 0);
        for (; got < 50 && now < 600000; now += 20) {
            if (b.taken < 50 && (b.taken < got + BOARD_RING / 2))
                board_take(&b);
            size_t n = board_send(&b, frames);

            for (size_t i = 0; i < n; i++)
                got += rough(frames[i], now < 300000 ? seed / 6 : 0, now, &held, &holds, got + 1);
            if (assembler_wants(&as, now, &from)) {
                if (rand() % 4 == 0)
                    assembler_no_answer(&as, now);
                else
                    assembler_answer(&as, board_resend(&b, from), now);
            }
        }
        CU_ASSERT(got == 50 && as.dropped == 0 && as.next == 51);
    }
}

static void test_listener(void)
{
    uint32_t from = 0;

    assembler_init(&as, 0, 0, 0, 0);
    assembler_listen(&as);
    CU_ASSERT_EQUAL(feed(frames, frames_of(3, 70), 1), 1);
    CU_ASSERT(out.no == 70 && as.dropped == 0);
    CU_ASSERT_EQUAL(feed(frames, frames_of(3, 69), 2), 0); /* a resend that somebody else asked for */
    CU_ASSERT_EQUAL(feed(frames, frames_of(3, 74), 3), 1);
    CU_ASSERT(out.no == 74 && as.dropped == 3);
    CU_ASSERT_EQUAL(feed(frames, frames_of(4, 1), 4), 1);
    CU_ASSERT(out.boot == 4 && out.no == 1 && as.dropped == 3);
    CU_ASSERT_FALSE(assembler_wants(&as, 4 + 10 * ASSEMBLER_SILENCE_MS, &from));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("assembler", NULL, NULL);

    CU_add_test(s, "a sample of 160 cells, 64 probes and alarms comes out as the board took it [FL-1]", test_whole_sample);
    CU_add_test(s, "who only listens gets every newer sample and asks for nothing [UC-1]", test_listener);
    CU_add_test(s, "packs of 0 to 160 cells and 0 to 64 probes come out whole [FL-1] [PK-2]", test_sizes);
    CU_add_test(s, "a sample with any one frame lost is asked for again", test_every_lost_frame);
    CU_add_test(s, "a frame with any bit wrong is rejected and counted", test_every_broken_bit);
    CU_add_test(s, "a stuck counter is rejected and counted", test_stuck_counter);
    CU_add_test(s, "frames of others disturb nothing", test_foreign_frames);
    CU_add_test(s, "a repeated frame or sample is taken once", test_repeated_frames);
    CU_add_test(s, "a sample that pauses for more than a second is given up", test_silence_inside);
    CU_add_test(s, "after the start the board is asked to send from the last safe sample on, with back-off", test_start_asks);
    CU_add_test(s, "after five seconds of silence the board is asked again", test_silence_asks);
    CU_add_test(s, "what the ring of the board no longer holds is counted as dropped", test_ring_has_lost_some);
    CU_add_test(s, "a board that has started anew begins at sample 1", test_new_boot);
    CU_add_test(s, "a sample that could not be stored is asked for again", test_not_taken);
    CU_add_test(s, "a sample that never comes whole is given up after 300 times, and counted", test_never_whole);
    CU_add_test(s, "any pattern of loss, repetition, swaps and errors ends with all samples exactly once [FL-1]", test_any_loss);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failed ? 1 : 0;
}
