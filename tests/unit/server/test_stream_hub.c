/* SPDX-License-Identifier: Apache-2.0 */
#include "server/stream/stream_hub.h"
#include "server/stream/stream_ring.h"

#include "common/err.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One browser: what it read, and whether it sleeps. */
struct reader {
    struct stream *stream;
    bool asleep;
    int wakes;
    char text[65536];
};

static struct stream_hub *hub;
static struct reader one, two;
static char watched[256]; /* what `watch` was told, in order */

static void on_sleep(void *ctx)
{
    ((struct reader *)ctx)->asleep = true;
}

static void on_wake(void *ctx)
{
    struct reader *r = ctx;

    r->asleep = false;
    r->wakes++;
}

static void on_watch(void *ctx, const char *device, bool on)
{
    (void)ctx;
    snprintf(watched + strlen(watched), sizeof watched - strlen(watched), "%c%s ", on ? '+' : '-', device);
}

static int setup(void)
{
    static const struct stream_hub_config config = { .streams_max = 4, .session_streams_max = 3, .build = "1", .watch = on_watch };

    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    watched[0] = '\0';
    hub = stream_hub_create(&config);
    return hub == NULL;
}

static int open_one(struct reader *r, uint64_t session, const char *tenant, const char *last_id)
{
    struct stream_request request = {
        .session = session, .tenant = tenant, .ends_at_ms = INT64_MAX, .last_id = last_id, .ctx = r, .sleep = on_sleep, .wake = on_wake
    };

    return stream_open(hub, &request, &r->stream);
}

/* Read all there is, in pieces of `piece` bytes. Returns false when the stream has ended. */
static bool read_all(struct reader *r, size_t piece)
{
    size_t len = 0;
    long n;

    while ((n = stream_read(hub, r->stream, r->text + len, piece)) > 0)
        len += (size_t)n;
    r->text[len] = '\0';
    return n == 0;
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;

    for (; (text = strstr(text, word)) != NULL; text++)
        count++;
    return count;
}

static void look_at(struct reader *r, const char *topic)
{
    stream_set_topics(hub, r->stream, &topic, 1, 1000);
}

static void frame(const char *device, int no)
{
    char data[64];
    int len = snprintf(data, sizeof data, "{\"no\":%d}", no);

    stream_publish(hub, STREAM_FRAME, STREAM_TO_VEHICLE, "v.frame", device, data, (size_t)len);
}

static void alarm_of(const char *device)
{
    stream_publish(hub, STREAM_ONCE, STREAM_TO_FLEET | STREAM_TO_VEHICLE, "alarm", device, "{\"a\":1}", 7);
}

/* Id of the last event in the text. */
static const char *last_id(const struct reader *r)
{
    static char id[STREAM_ID_SIZE];
    const char *found = r->text;

    for (const char *at = r->text; (at = strstr(at, "id: ")) != NULL; at++)
        found = at;
    snprintf(id, sizeof id, "%.*s", (int)strcspn(found + 4, "\n"), found + 4);
    return id;
}

static void close_all(void)
{
    if (one.stream != NULL)
        stream_close(hub, one.stream, 1000);
    if (two.stream != NULL)
        stream_close(hub, two.stream, 1000);
    stream_hub_destroy(hub);
}

static void test_hello_comes_first_and_then_what_was_asked_for(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    CU_ASSERT_EQUAL(open_one(&one, 1, "*", NULL), 0);
    look_at(&one, "v:demo.a");
    frame("demo.a", 1);
    frame("demo.b", 2);
    alarm_of("demo.b");
    CU_ASSERT_TRUE(read_all(&one, 4096));
    CU_ASSERT_EQUAL(strncmp(strstr(one.text, "event: "), "event: hello\n", 13), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(one.text, "event: v.frame\ndata: {\"no\":1}\n\n"));
    CU_ASSERT_EQUAL(count_of(one.text, "event: "), 2);
    CU_ASSERT_TRUE(one.asleep);
    close_all();
}

static void test_sleeper_is_woken_once_by_what_concerns_it(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    look_at(&one, "v:demo.a");
    read_all(&one, 4096);
    frame("demo.b", 1);
    CU_ASSERT_EQUAL(one.wakes, 0);
    frame("demo.a", 1);
    frame("demo.a", 2);
    CU_ASSERT_EQUAL(one.wakes, 1);
    close_all();
}

static void test_tenant_gets_nothing_of_another(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "demo", NULL);
    const char *topics[] = { "fleet", "v:demo.a", "v:acme.a" };

    stream_set_topics(hub, one.stream, topics, 3, 1000);
    alarm_of("acme.a");
    frame("acme.a", 1);
    alarm_of("demo.z");
    read_all(&one, 4096);
    CU_ASSERT_EQUAL(count_of(one.text, "event: "), 2);
    CU_ASSERT_EQUAL(count_of(one.text, "event: alarm"), 1);
    close_all();
}

static void test_missed_events_come_once_and_in_order(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    look_at(&one, "v:demo.a");
    frame("demo.a", 100);
    read_all(&one, 4096);
    char seen[STREAM_ID_SIZE];

    snprintf(seen, sizeof seen, "%s", last_id(&one));
    stream_close(hub, one.stream, 1000);
    for (int no = 101; no <= 120; no++)
        frame("demo.a", no);
    open_one(&one, 1, "*", seen);
    look_at(&one, "v:demo.a");
    read_all(&one, 4096);
    CU_ASSERT_EQUAL(count_of(one.text, "resync"), 0);
    CU_ASSERT_EQUAL(count_of(one.text, "v.frame"), 20);
    const char *at = one.text;

    for (int no = 101; no <= 120; no++) {
        char data[32];

        snprintf(data, sizeof data, "{\"no\":%d}", no);
        at = strstr(at, data);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    }
    close_all();
}

static void test_unknown_place_means_resync(void)
{
    static const char *const ids[] = { "0123456789abcdef-1", "1", "x", "-", "0123456789abcdef-99999999999999999999999" };

    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        open_one(&one, 1, "*", ids[i]);
        read_all(&one, 4096);
        CU_ASSERT_EQUAL(count_of(one.text, "event: resync"), 1);
        stream_close(hub, one.stream, 1000);
    }
    open_one(&one, 1, "*", NULL); /* nothing was seen before: nothing to fetch anew */
    read_all(&one, 4096);
    CU_ASSERT_EQUAL(count_of(one.text, "event: resync"), 0);
    close_all();
}

static void test_slow_reader_gets_the_newest_frame_and_every_alarm(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    look_at(&one, "v:demo.a");
    read_all(&one, 4096);
    for (int no = 1; no <= 500; no++) {
        frame("demo.a", no);
        if (no % 100 == 0)
            alarm_of("demo.a");
    }
    read_all(&one, 4096);
    CU_ASSERT_EQUAL(count_of(one.text, "event: alarm"), 5);
    CU_ASSERT(count_of(one.text, "v.frame") <= STREAM_LAG);
    CU_ASSERT_PTR_NOT_NULL(strstr(one.text, "{\"no\":500}"));
    close_all();
}

static void test_reader_behind_the_ring_is_told_to_resync(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    look_at(&one, "v:demo.a");
    read_all(&one, 4096);
    for (int i = 0; i < STREAM_EVENTS_MAX + 1; i++)
        alarm_of("demo.a");
    read_all(&one, 4096);
    CU_ASSERT_EQUAL(count_of(one.text, "event: resync"), 1);
    CU_ASSERT_EQUAL(count_of(one.text, "event: alarm"), 0);
    close_all();
}

static void test_event_is_whole_when_it_leaves_the_ring_half_written(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    look_at(&one, "v:demo.a");
    read_all(&one, 4096);
    frame("demo.a", 12345);
    CU_ASSERT_EQUAL(stream_read(hub, one.stream, one.text, 10), 10);
    for (int i = 0; i < STREAM_EVENTS_MAX + 1; i++)
        alarm_of("demo.b");
    one.text[10 + stream_read(hub, one.stream, one.text + 10, 4096)] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(one.text, "event: v.frame\ndata: {\"no\":12345}\n\n"));
    close_all();
}

static void test_pieces_of_one_byte_give_the_same_text(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    open_one(&two, 1, "*", NULL);
    look_at(&one, "v:demo.a");
    look_at(&two, "v:demo.a");
    read_all(&one, 1);
    read_all(&two, 4096);
    for (int no = 0; no < 10; no++)
        frame("demo.a", no);
    read_all(&one, 1);
    read_all(&two, 4096);
    CU_ASSERT_STRING_EQUAL(one.text, two.text);
    close_all();
}

static void test_lease_begins_with_the_first_and_ends_after_the_last(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    open_one(&two, 2, "*", NULL);
    look_at(&one, "v:demo.a");
    stream_tick(hub, 1000, 0);
    CU_ASSERT_STRING_EQUAL(watched, "+demo.a ");
    look_at(&two, "v:demo.a");
    look_at(&one, "fleet");
    stream_tick(hub, 1000 + 2 * STREAM_LEASE_END_MS, 0);
    CU_ASSERT_STRING_EQUAL(watched, "+demo.a ");
    CU_ASSERT_TRUE(stream_vehicle_is_watched(hub, "demo.a"));
    const char *none = "";

    stream_set_topics(hub, two.stream, &none, 0, 20000);
    CU_ASSERT_FALSE(stream_vehicle_is_watched(hub, "demo.a"));
    CU_ASSERT_TRUE(stream_vehicle_is_wanted(hub, "demo.a", 20000 + STREAM_LINGER_MS - 1));
    CU_ASSERT_FALSE(stream_vehicle_is_wanted(hub, "demo.a", 20000 + STREAM_LINGER_MS));
    stream_tick(hub, 20000 + STREAM_LEASE_END_MS - 1, 0);
    CU_ASSERT_STRING_EQUAL(watched, "+demo.a ");
    stream_tick(hub, 20000 + STREAM_LEASE_END_MS, 0);
    CU_ASSERT_STRING_EQUAL(watched, "+demo.a -demo.a ");
    close_all();
}

static void test_streams_are_limited_per_session_and_in_all(void)
{
    struct reader more[5];

    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    memset(more, 0, sizeof more);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(open_one(&more[i], 1, "*", NULL), 0);
    CU_ASSERT_EQUAL(open_one(&more[3], 1, "*", NULL), BMS_ERR_STATE);
    CU_ASSERT_EQUAL(open_one(&more[3], 2, "*", NULL), 0);
    CU_ASSERT_EQUAL(open_one(&more[4], 3, "*", NULL), BMS_ERR_NOSPACE);
    CU_ASSERT_EQUAL(stream_count(hub), 4);
    uint64_t sessions[4];

    CU_ASSERT_EQUAL(stream_sessions(hub, sessions, 4), 2);
    CU_ASSERT(sessions[0] == 2 && sessions[1] == 1);
    CU_ASSERT_EQUAL(stream_sessions(hub, sessions, 1), 1);
    for (int i = 0; i < 4; i++)
        stream_close(hub, more[i].stream, 0);
    CU_ASSERT_EQUAL(stream_count(hub), 0);
    close_all();
}

static void test_end_of_the_session_is_announced_and_kept(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    struct stream_request request = { .session = 1, .tenant = "*", .ends_at_ms = 100000, .ctx = &one, .sleep = on_sleep, .wake = on_wake };

    stream_open(hub, &request, &one.stream);
    stream_tick(hub, 1000, 100000 - STREAM_WARN_MS - 1);
    CU_ASSERT_TRUE(read_all(&one, 4096));
    CU_ASSERT_EQUAL(count_of(one.text, "event: auth"), 0);
    stream_tick(hub, 1000, 100000 - STREAM_WARN_MS);
    CU_ASSERT_TRUE(read_all(&one, 4096));
    CU_ASSERT_PTR_NOT_NULL(strstr(one.text, "event: auth\ndata: {\"ends_at\":100000}"));
    stream_tick(hub, 1000, 100000);
    CU_ASSERT_FALSE(read_all(&one, 4096));
    close_all();
}

static void test_sign_out_ends_the_streams_of_the_session_alone(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    open_one(&two, 2, "*", NULL);
    read_all(&one, 4096);
    read_all(&two, 4096);
    stream_end_session(hub, 1);
    CU_ASSERT_FALSE(read_all(&one, 4096));
    CU_ASSERT_EQUAL(count_of(one.text, "event: auth"), 1);
    CU_ASSERT_TRUE(read_all(&two, 4096));
    close_all();
}

static void test_rows_are_thinned_out_but_a_new_state_is_told_at_once(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    CU_ASSERT_FALSE(stream_row_is_due(hub, "demo.a", 1, 1000)); /* nobody looks */
    open_one(&one, 1, "*", NULL);
    look_at(&one, "fleet");
    CU_ASSERT_TRUE(stream_row_is_due(hub, "demo.a", 1, 1000));
    CU_ASSERT_FALSE(stream_row_is_due(hub, "demo.a", 1, 1001));
    CU_ASSERT_TRUE(stream_row_is_due(hub, "demo.a", 2, 1001));
    CU_ASSERT_TRUE(stream_row_is_due(hub, "demo.a", 2, 1001 + STREAM_ROW_MS + 1000));
    close_all();
}

static void test_rows_of_a_large_fleet_share_an_allowance(void)
{
    char device[32];
    int due = 0;

    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    look_at(&one, "fleet");
    for (int i = 0; i < 10000; i++) {
        snprintf(device, sizeof device, "demo.%d", i);
        due += stream_row_is_due(hub, device, 1, 1000000);
    }
    CU_ASSERT_EQUAL(due, STREAM_ROWS_PER_S);
    due = 0;
    for (int i = 0; i < 10000; i++) {
        snprintf(device, sizeof device, "demo.%d", i);
        due += stream_row_is_due(hub, device, 1, 1001000);
        if (i < STREAM_ROWS_PER_S)
            CU_ASSERT_EQUAL(due, 0); /* those of before have had their turn */
    }
    CU_ASSERT_EQUAL(due, STREAM_ROWS_PER_S);
    CU_ASSERT_TRUE(stream_row_is_due(hub, "demo.0", 2, 1001000)); /* its state is new */
    close_all();
}

static void test_tick_comes_every_10_seconds_to_all(void)
{
    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    stream_tick(hub, 1000, 5);
    stream_tick(hub, 1000 + STREAM_TICK_MS - 1, 6);
    stream_tick(hub, 1000 + STREAM_TICK_MS, 7);
    read_all(&one, 4096);
    CU_ASSERT_EQUAL(count_of(one.text, "event: tick"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(one.text, "data: {\"server_time\":7}"));
    close_all();
}

/* Ticks at 1, 11, 21 .. s; the alarm comes between the first two and is 60 s old at the one of 71 s. */
static void test_event_is_kept_for_a_minute_and_then_means_resync(void)
{
    static const struct {
        uint64_t until_ms;
        unsigned alarms, resyncs;
    } rows[] = { { 61000, 1, 0 }, { 71000, 0, 1 }, { 91000, 0, 1 } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL_FATAL(setup(), 0);
        open_one(&one, 1, "*", NULL);
        stream_tick(hub, 1000, 0);
        read_all(&one, 4096);
        alarm_of("demo.a");
        for (uint64_t at_ms = 1000 + STREAM_TICK_MS; at_ms <= rows[i].until_ms; at_ms += STREAM_TICK_MS)
            stream_tick(hub, at_ms, 0);
        open_one(&two, 2, "*", last_id(&one));
        look_at(&two, "fleet");
        read_all(&two, 4096);
        CU_ASSERT_EQUAL(count_of(two.text, "event: alarm"), rows[i].alarms);
        CU_ASSERT_EQUAL(count_of(two.text, "event: resync"), rows[i].resyncs);
        close_all();
    }
}

static void test_only_the_session_may_change_its_topics(void)
{
    char sid[STREAM_SID_SIZE];
    const char *topic = "v:demo.a";

    CU_ASSERT_EQUAL_FATAL(setup(), 0);
    open_one(&one, 1, "*", NULL);
    read_all(&one, 4096);
    snprintf(sid, sizeof sid, "%.32s", strstr(one.text, "\"sid\":\"") + 7);
    CU_ASSERT_EQUAL(stream_set_topics_by_sid(hub, sid, 2, &topic, 1, 1000), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(stream_set_topics_by_sid(hub, "00", 1, &topic, 1, 1000), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(stream_set_topics_by_sid(hub, sid, 1, &topic, 1, 1000), 0);
    CU_ASSERT_TRUE(stream_vehicle_is_watched(hub, "demo.a"));
    close_all();
}

static void test_ring_keeps_to_its_bytes(void)
{
    struct stream_ring ring;

    CU_ASSERT_EQUAL_FATAL(stream_ring_init(&ring, 100, 1000), 0);
    for (int i = 0; i < 50; i++)
        stream_ring_push(&ring, 1, "demo.a", stream_text_create(90));
    CU_ASSERT_EQUAL(ring.next, 51);
    CU_ASSERT_EQUAL(ring.next - ring.first, 11); /* 11 * 90 <= 1000 */
    CU_ASSERT_PTR_NULL(stream_ring_at(&ring, ring.first - 1));
    CU_ASSERT_PTR_NOT_NULL(stream_ring_at(&ring, ring.first));
    CU_ASSERT_PTR_NULL(stream_ring_at(&ring, ring.next));
    stream_ring_deinit(&ring);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "hello comes first, and then what was asked for", test_hello_comes_first_and_then_what_was_asked_for },
        { "a sleeper is woken once by what concerns it", test_sleeper_is_woken_once_by_what_concerns_it },
        { "a tenant gets nothing of another", test_tenant_gets_nothing_of_another },
        { "missed events come once and in order", test_missed_events_come_once_and_in_order },
        { "an unknown place means resync", test_unknown_place_means_resync },
        { "a slow reader gets the newest frame and every alarm", test_slow_reader_gets_the_newest_frame_and_every_alarm },
        { "a reader behind the ring is told to resync", test_reader_behind_the_ring_is_told_to_resync },
        { "an event is whole when it leaves the ring half written", test_event_is_whole_when_it_leaves_the_ring_half_written },
        { "pieces of one byte give the same text", test_pieces_of_one_byte_give_the_same_text },
        { "a lease begins with the first and ends after the last", test_lease_begins_with_the_first_and_ends_after_the_last },
        { "streams are limited per session and in all", test_streams_are_limited_per_session_and_in_all },
        { "the end of the session is announced and kept", test_end_of_the_session_is_announced_and_kept },
        { "sign-out ends the streams of the session alone", test_sign_out_ends_the_streams_of_the_session_alone },
        { "rows are thinned out, but a new state is told at once", test_rows_are_thinned_out_but_a_new_state_is_told_at_once },
        { "rows of a large fleet share an allowance", test_rows_of_a_large_fleet_share_an_allowance },
        { "a tick comes every 10 seconds to all", test_tick_comes_every_10_seconds_to_all },
        { "an event is kept for a minute, and then means resync", test_event_is_kept_for_a_minute_and_then_means_resync },
        { "only the session may change its topics", test_only_the_session_may_change_its_topics },
        { "the ring keeps to its bytes", test_ring_keeps_to_its_bytes },
        CU_TEST_INFO_NULL,
    };
    return suite_run("stream_hub", tests);
}
