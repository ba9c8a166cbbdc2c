/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "server/downlink/reread.h"
#include "server/downlink/watch.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct watches w;
static char device[DEVICE_NAME_MAX + 1];
static uint32_t seconds;

static void test_a_lease_is_sent_at_once_renewed_and_ended(void)
{
    memset(&w, 0, sizeof w);
    CU_ASSERT_EQUAL(watch_set(&w, "demo.a", true, 1000), 0);
    CU_ASSERT_TRUE(watch_next(&w, 1000, device, &seconds));
    CU_ASSERT_STRING_EQUAL(device, "demo.a");
    CU_ASSERT_EQUAL(seconds, WATCH_LEASE_S);
    CU_ASSERT_FALSE(watch_next(&w, 1000 + WATCH_RENEW_MS - 1, device, &seconds));
    CU_ASSERT_TRUE(watch_next(&w, 1000 + WATCH_RENEW_MS, device, &seconds));
    CU_ASSERT_EQUAL(watch_set(&w, "demo.a", false, 12000), 0);
    CU_ASSERT_TRUE(watch_next(&w, 12000, device, &seconds));
    CU_ASSERT_EQUAL(seconds, 0);
    CU_ASSERT_FALSE(watch_next(&w, 99999999, device, &seconds));
    CU_ASSERT_EQUAL(w.count, 0);
}

static void test_the_last_that_looks_away_ends_it(void)
{
    memset(&w, 0, sizeof w);
    watch_set(&w, "demo.a", true, 0);
    watch_set(&w, "demo.a", true, 0);
    watch_next(&w, 0, device, &seconds);
    watch_set(&w, "demo.a", false, 1);
    CU_ASSERT_FALSE(watch_next(&w, 1, device, &seconds));
    watch_set(&w, "demo.a", false, 2);
    CU_ASSERT_TRUE(watch_next(&w, 2, device, &seconds));
    CU_ASSERT_EQUAL(watch_set(&w, "demo.a", false, 3), BMS_ERR_UNKNOWN);
}

static void test_looking_again_before_the_end_was_sent_goes_on(void)
{
    memset(&w, 0, sizeof w);
    watch_set(&w, "demo.a", true, 0);
    watch_next(&w, 0, device, &seconds);
    watch_set(&w, "demo.a", false, 1);
    watch_set(&w, "demo.a", true, 2);
    CU_ASSERT_TRUE(watch_next(&w, 2, device, &seconds));
    CU_ASSERT_EQUAL(seconds, WATCH_LEASE_S);
}

static void test_the_list_of_leases_has_an_end(void)
{
    char name[40];

    memset(&w, 0, sizeof w);
    for (int i = 0; i < WATCHES_MAX; i++) {
        snprintf(name, sizeof name, "demo.v%d", i);
        CU_ASSERT_EQUAL(watch_set(&w, name, true, 0), 0);
    }
    CU_ASSERT_EQUAL(watch_set(&w, "demo.more", true, 0), BMS_ERR_NOSPACE);
    CU_ASSERT_EQUAL(watch_set(&w, "demo.v0", true, 0), 0);
}

static struct reread items[REREAD_SLOTS];

static struct rereads none(void)
{
    memset(items, 0, sizeof items);
    return (struct rereads) { .items = items };
}

static void test_a_board_never_read_is_read_at_once(void)
{
    struct rereads r = none();

    CU_ASSERT_TRUE(reread_wanted(&r, "demo.a", true, false, 1000));
    CU_ASSERT_FALSE(reread_wanted(&r, "demo.a", true, false, 1000 + REREAD_MIN_MS - 1));
    CU_ASSERT_TRUE(reread_wanted(&r, "demo.a", true, false, 1000 + REREAD_MIN_MS));
}

static void test_a_difference_must_last(void)
{
    struct rereads r = none();

    CU_ASSERT_FALSE(reread_wanted(&r, "demo.a", true, true, 1000));
    CU_ASSERT_FALSE(reread_wanted(&r, "demo.a", false, true, 2000)); /* the result came */
    CU_ASSERT_FALSE(reread_wanted(&r, "demo.a", true, true, 3000));
    CU_ASSERT_FALSE(reread_wanted(&r, "demo.a", true, true, 3000 + REREAD_PATIENCE_MS - 1));
    CU_ASSERT_TRUE(reread_wanted(&r, "demo.a", true, true, 3000 + REREAD_PATIENCE_MS));
}

static void test_a_board_that_never_agrees_is_asked_ever_more_rarely(void)
{
    struct rereads r = none();
    int64_t last = -REREAD_MIN_MS, gap = 0;
    int asked = 0;

    for (int64_t now = 0; now < 3600000; now += 1000) {
        if (!reread_wanted(&r, "demo.a", true, false, now))
            continue;
        CU_ASSERT_TRUE(now - last >= gap || now - last >= REREAD_MAX_MS);
        gap = now - last;
        last = now;
        asked++;
    }
    CU_ASSERT_TRUE(asked >= 8 && asked <= 14);
    CU_ASSERT_TRUE(gap >= REREAD_MAX_MS);
}

static const char *name_of(unsigned n)
{
    static char name[40];

    snprintf(name, sizeof name, "demo.v%u", n);
    return name;
}

static void test_a_full_list_takes_nobody_and_forgets_nobody(void)
{
    struct rereads r = none();

    for (unsigned n = 0; n < REREADS_MAX; n++)
        CU_ASSERT_TRUE(reread_wanted(&r, name_of(n), true, false, 0));
    CU_ASSERT_FALSE(reread_wanted(&r, "demo.more", true, false, 0));
    CU_ASSERT_EQUAL(r.count, REREADS_MAX);
    CU_ASSERT_FALSE(reread_wanted(&r, name_of(7), false, false, 1));
    CU_ASSERT_TRUE(reread_wanted(&r, "demo.more", true, false, 1));
    CU_ASSERT_FALSE(reread_wanted(&r, name_of(7), true, false, 1));
    for (unsigned n = 0; n < REREADS_MAX; n++)
        CU_ASSERT_EQUAL(reread_wanted(&r, name_of(n), true, false, REREAD_MIN_MS), n != 7); /* each is known, and due again */
}

/* 6,000 boards come and go; which of them differ is also kept in the plainest way. */
static void test_whoever_comes_and_goes_is_known_as_in_a_plain_list(void)
{
    enum { BOARDS = 6000, STEPS = 200000 };
    static bool differs[BOARDS];
    struct rereads r = none();
    uint32_t random = 1;
    size_t count = 0;
    int wrong = 0;

    memset(differs, 0, sizeof differs);
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned n = (random >> 8) % BOARDS;
        bool now = (random >> 4) % 16 < 9;
        bool first = now && !differs[n] && count < REREADS_MAX;

        wrong += reread_wanted(&r, name_of(n), now, false, 0) != first; /* due once, when it comes: the clock stands */
        count += (size_t)first - (size_t)(!now && differs[n]);
        differs[n] = now && (first || differs[n]);
        wrong += r.count != count;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(count > REREADS_MAX / 2);
}

/* CPU time of many looks while `count` others differ. */
static clock_t time_of_looks(unsigned count)
{
    struct rereads r = none();

    for (unsigned n = 0; n < count; n++)
        reread_wanted(&r, name_of(n), true, false, 0);
    clock_t began = clock();

    for (int i = 0; i < 100000; i++)
        reread_wanted(&r, i % 2 ? "demo.agrees" : "demo.v1", i % 2 == 0, false, 0);
    return clock() - began + 1;
}

static void test_a_look_costs_the_same_after_a_restart_of_all(void)
{
    clock_t few = time_of_looks(16);

    CU_ASSERT_TRUE(time_of_looks(REREADS_MAX) < 20 * few); /* 200 times with a list that is walked */
}

static struct fleet_vehicle agreeing(void)
{
    struct fleet_vehicle v = { .reported = { .known = true, .boot = 7, .running_hash = 0xFFFFFFFF, .stored_hash = 2 } };

    v.sample.boot = 7;
    v.sample.scalar[SAMPLE_param_running_hash] = -1;
    v.sample.scalar[SAMPLE_param_stored_hash] = 2;
    return v;
}

static void test_each_hash_and_the_start_of_the_board_must_agree(void)
{
    struct fleet_vehicle v = agreeing();

    CU_ASSERT_FALSE(reread_differs(&v));
    v.reported.known = false;
    CU_ASSERT_TRUE(reread_differs(&v));
    v = agreeing();
    v.sample.boot++;
    CU_ASSERT_TRUE(reread_differs(&v));
    v = agreeing();
    v.sample.scalar[SAMPLE_param_running_hash]++;
    CU_ASSERT_TRUE(reread_differs(&v));
    v = agreeing();
    v.sample.scalar[SAMPLE_param_stored_hash]++;
    CU_ASSERT_TRUE(reread_differs(&v));
}

static void test_a_sample_that_names_no_parameters_differs_from_nothing(void)
{
    struct fleet_vehicle v = { .reported = { .known = false } };

    v.sample.scalar[SAMPLE_param_running_hash] = scalar_invalid(VALIDITY_NOT_FITTED);
    v.sample.scalar[SAMPLE_param_stored_hash] = scalar_invalid(VALIDITY_NEVER);
    CU_ASSERT_FALSE(reread_differs(&v));
    v.sample.scalar[SAMPLE_param_stored_hash] = 5; /* one that could be read is one to ask for */
    CU_ASSERT_TRUE(reread_differs(&v));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a lease is sent at once, renewed and ended", test_a_lease_is_sent_at_once_renewed_and_ended },
        { "the last that looks away ends it", test_the_last_that_looks_away_ends_it },
        { "looking again before the end was sent goes on", test_looking_again_before_the_end_was_sent_goes_on },
        { "the list of leases has an end", test_the_list_of_leases_has_an_end },
        { "a board never read is read at once [UC-3]", test_a_board_never_read_is_read_at_once },
        { "a difference must last", test_a_difference_must_last },
        { "a board that never agrees is asked ever more rarely", test_a_board_that_never_agrees_is_asked_ever_more_rarely },
        { "a full list takes nobody and forgets nobody", test_a_full_list_takes_nobody_and_forgets_nobody },
        { "whoever comes and goes is known as in a plain list", test_whoever_comes_and_goes_is_known_as_in_a_plain_list },
        { "a look costs the same after a restart of all", test_a_look_costs_the_same_after_a_restart_of_all },
        { "each hash and the start of the board must agree", test_each_hash_and_the_start_of_the_board_must_agree },
        { "a sample that names no parameters differs from nothing", test_a_sample_that_names_no_parameters_differs_from_nothing },
        CU_TEST_INFO_NULL,
    };
    return suite_run("lease", tests);
}
