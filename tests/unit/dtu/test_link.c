/* SPDX-License-Identifier: Apache-2.0 */
/* The link: when a stream is opened, given up and tried again. */
#include <string.h>

#include "common/err.h"
#include "dtu/core/link.h"
#include "mqtt_rig.h"
#include "tests/unit/suite.h"

static const struct link_config config = LINK_DEFAULTS;
static struct rig r;
static struct link link_;
static uint32_t now;

static void setup(uint32_t start_ms)
{
    now = start_ms;
    rig_setup(&r, now);
    CU_ASSERT_EQUAL_FATAL(link_init(&link_, &config, &r.c, 12345), BMS_ERR_OK);
}

static enum link_order step(uint32_t ms, bool open, bool failed)
{
    struct link_in in = { .now_ms = now += ms, .open = open, .failed = failed };
    enum link_order order = link_step(&link_, &in);

    r.now_ms = now;
    if (order != LINK_CLOSE && open)
        rig_take(&r);
    return order;
}

static void bring_up(void)
{
    CU_ASSERT_EQUAL_FATAL(step(0, false, false), LINK_OPEN);
    CU_ASSERT_EQUAL(step(1, true, false), LINK_NOTHING);
    CU_ASSERT_EQUAL(link_.state, LINK_SESSION);
    SAY(&r, 0x20, 3, 0, 0, 0);
    SAY(&r, 0x90, 4, r.out[2], r.out[3], 0, 1);
    CU_ASSERT_EQUAL(step(1, true, false), LINK_NOTHING);
    CU_ASSERT_EQUAL_FATAL(link_.state, LINK_UP);
}

/* Fail one attempt after the other and return the back-off chosen each time. */
static uint32_t fail_once(void)
{
    CU_ASSERT_EQUAL_FATAL(step(link_retry_in_ms(&link_, now), false, false), LINK_OPEN);
    CU_ASSERT_EQUAL(step(1, false, true), LINK_CLOSE);
    CU_ASSERT_EQUAL(link_.state, LINK_WAIT);
    return link_.wait_ms;
}

static void test_comes_up_at_once(void)
{
    setup(0);
    bring_up();
    setup(UINT32_MAX - 1);
    bring_up();
}

static void test_backs_off(void)
{
    uint32_t base = config.min_ms;

    setup(UINT32_MAX - 30000);
    for (int i = 0; i < 12; i++) {
        uint32_t wait = fail_once();

        CU_ASSERT(wait >= base - base / 2 && wait <= base);
        base = base * 2 < config.max_ms ? base * 2 : config.max_ms;
    }
    CU_ASSERT(link_.wait_ms >= 30000);
}

static void test_waits_exactly(void)
{
    setup(0);
    uint32_t wait = fail_once();

    CU_ASSERT_EQUAL(step(wait - 1, false, false), LINK_NOTHING);
    CU_ASSERT_EQUAL(link_retry_in_ms(&link_, now), 1);
    CU_ASSERT_EQUAL(step(1, false, false), LINK_OPEN);
}

static void test_devices_differ(void)
{
    uint32_t first = 0;
    int different = 0;

    for (uint32_t seed = 1; seed <= 20; seed++) {
        setup(0);
        link_init(&link_, &config, &r.c, seed * 7919);
        for (int i = 0; i < 5; i++)
            fail_once();
        different += seed > 1 && link_.wait_ms != first;
        first = link_.wait_ms;
    }
    CU_ASSERT(different >= 18);
}

static void test_steady_session_forgets_failures(void)
{
    setup(0);
    for (int i = 0; i < 6; i++)
        fail_once();
    step(link_retry_in_ms(&link_, now), false, false);
    step(1, true, false);
    SAY(&r, 0x20, 3, 0, 0, 0);
    SAY(&r, 0x90, 4, r.out[2], r.out[3], 0, 1);
    step(1, true, false);
    CU_ASSERT_EQUAL_FATAL(link_.state, LINK_UP);
    step(config.steady_ms - 1, true, false);
    CU_ASSERT(link_.failures == 6 && link_.back_ms > config.min_ms); /* a broker that accepts and drops is not knocked at fast */
    step(1, true, false);
    CU_ASSERT(link_.failures == 0 && link_.back_ms == config.min_ms);
}

static void test_stream_that_never_opens(void)
{
    setup(0);
    CU_ASSERT_EQUAL(step(0, false, false), LINK_OPEN);
    CU_ASSERT_EQUAL(step(config.stream_ms, false, false), LINK_NOTHING);
    CU_ASSERT_EQUAL(step(1, false, false), LINK_CLOSE);
}

static void test_session_that_dies_closes_the_stream(void)
{
    setup(0);
    bring_up();
    SAY(&r, 0xE0, 2, 0x8B, 0);
    CU_ASSERT_EQUAL(step(1, true, false), LINK_CLOSE);
    CU_ASSERT_EQUAL(link_.state, LINK_WAIT);
    CU_ASSERT_STRING_EQUAL(mqtt_why(&r.c), "server shutting down");
}

static void test_stream_that_fails_keeps_messages(void)
{
    setup(0);
    bring_up();
    mqtt_publish(&r.c, "t", rig_payload, 8, 1, false, 1);
    CU_ASSERT_EQUAL(step(1, false, true), LINK_CLOSE);
    CU_ASSERT_EQUAL(mqtt_pending(&r.c), 1);
    CU_ASSERT_EQUAL(r.c.state, MQTT_IDLE);
}

static void test_stop(void)
{
    setup(0);
    bring_up();
    link_stop(&link_, false);
    CU_ASSERT_EQUAL(step(1, true, false), LINK_NOTHING);
    CU_ASSERT_EQUAL(step(1, true, false), LINK_CLOSE); /* DISCONNECT is out */
    CU_ASSERT_EQUAL(link_.state, LINK_STOPPED);
    CU_ASSERT_EQUAL(step(100000, false, false), LINK_NOTHING);
    CU_ASSERT_STRING_EQUAL(link_state_text(link_.state), "stopped");
    setup(0);
    link_stop(&link_, false);
    CU_ASSERT_EQUAL(step(0, false, false), LINK_NOTHING);
    CU_ASSERT_EQUAL(link_.state, LINK_STOPPED);
}

static void test_limits(void)
{
    static const struct link_config bad[] = {
        { .min_ms = 0, .max_ms = 1, .stream_ms = 1 },
        { .min_ms = 2, .max_ms = 1, .stream_ms = 1 },
        { .min_ms = 1, .max_ms = 3600001, .stream_ms = 1 },
        { .min_ms = 1, .max_ms = 1, .stream_ms = 0 },
    };

    rig_setup(&r, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(link_init(&link_, &bad[i], &r.c, 1), BMS_ERR_RANGE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the first attempt is made at once", test_comes_up_at_once },
        { "each failure doubles the wait up to 60 s, with jitter", test_backs_off },
        { "the wait is kept to the millisecond", test_waits_exactly },
        { "devices do not come back at one instant", test_devices_differ },
        { "a session that lasts forgets the failures before it", test_steady_session_forgets_failures },
        { "a stream that never opens is given up", test_stream_that_never_opens },
        { "a session that dies closes its stream", test_session_that_dies_closes_the_stream },
        { "a stream that fails keeps the messages", test_stream_that_fails_keeps_messages },
        { "stopping ends for good", test_stop },
        { "a configuration outside its limits is refused", test_limits },
        CU_TEST_INFO_NULL,
    };

    return suite_run("link", tests);
}
