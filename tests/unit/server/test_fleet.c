/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/fleet.h"
#include "tests/unit/server/make_record.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static struct fleet_change change;
static struct fleet_vehicle v;

static struct sample with_alarm(struct sample s, uint8_t alarm, uint16_t number)
{
    s.alarm[s.alarms++] = (struct sample_alarm) { .alarm = alarm, .level = ALARM_MAJOR, .number = number, .value = 4250 };
    return s;
}

static bool offer(struct fleet *f, uint32_t boot, uint32_t no, uint64_t utc_ms)
{
    struct sample s = make_sample(boot, no, utc_ms, 4, 1);

    fleet_offer(f, "demo.a", &s, 1, &change);
    return change.newer;
}

static void test_only_a_newer_sample_is_taken(void)
{
    struct fleet *f = fleet_create(10);

    CU_ASSERT_TRUE(offer(f, 5, 10, 1000));
    CU_ASSERT_FALSE(change.booted);
    CU_ASSERT_FALSE(offer(f, 5, 10, 1000));
    CU_ASSERT_FALSE(offer(f, 5, 9, 5000)); /* its clock says later, its number earlier */
    CU_ASSERT_TRUE(offer(f, 5, 11, 900));  /* the clock was set back */
    CU_ASSERT_FALSE(offer(f, 4, 99, 899)); /* back-fill from before the restart */
    CU_ASSERT_TRUE(offer(f, 6, 1, 2000));
    CU_ASSERT_TRUE(change.booted);
    CU_ASSERT_TRUE(offer(f, 1, 1, 3000)); /* another board in the vehicle counts from 1 */
    CU_ASSERT_TRUE(fleet_get(f, "demo.a", &v));
    CU_ASSERT_EQUAL(v.sample.boot, 1);
    fleet_destroy(f);
}

static void test_alarms_open_and_clear_with_their_start(void)
{
    struct fleet *f = fleet_create(10);
    struct sample s = make_sample(1, 1, 1000, 4, 1);

    fleet_offer(f, "demo.a", &s, 1, &change);
    s = with_alarm(make_sample(1, 2, 2000, 4, 1), 2, 3);
    fleet_offer(f, "demo.a", &s, 1, &change);
    CU_ASSERT_EQUAL_FATAL(change.opened_count, 1);
    CU_ASSERT_EQUAL(change.opened[0].alarm.number, 3);
    CU_ASSERT_EQUAL(change.opened[0].since_ms, 2000);
    s = with_alarm(with_alarm(make_sample(1, 3, 3000, 4, 1), 2, 4), 2, 3);
    fleet_offer(f, "demo.a", &s, 1, &change);
    CU_ASSERT_EQUAL(change.opened_count, 1);
    CU_ASSERT_EQUAL(change.cleared_count, 0);
    CU_ASSERT_EQUAL(change.after.alarms[1].since_ms, 2000);
    s = with_alarm(make_sample(1, 4, 4000, 4, 1), 2, 4);
    fleet_offer(f, "demo.a", &s, 1, &change);
    CU_ASSERT_EQUAL(change.opened_count, 0);
    CU_ASSERT_EQUAL_FATAL(change.cleared_count, 1);
    CU_ASSERT_EQUAL(change.cleared[0].alarm.number, 3);
    fleet_set_alarm_since(f, "demo.a", 2, 4, 77);
    CU_ASSERT_TRUE(fleet_get(f, "demo.a", &v));
    CU_ASSERT_EQUAL(v.alarm_count, 1);
    CU_ASSERT_EQUAL(v.alarms[0].since_ms, 77);
    fleet_destroy(f);
}

static void test_a_full_table_refuses_and_keeps_what_it_has(void)
{
    struct fleet *f = fleet_create(2);
    struct sample s = make_sample(1, 1, 1000, 4, 1);

    fleet_offer(f, "demo.b", &s, 1, &change);
    fleet_offer(f, "demo.a", &s, 1, &change);
    fleet_offer(f, "demo.c", &s, 1, &change);
    CU_ASSERT_FALSE(change.newer);
    CU_ASSERT_EQUAL(fleet_count(f), 2);
    CU_ASSERT_TRUE(fleet_get(f, "demo.a", &v));
    CU_ASSERT_TRUE(fleet_get(f, "demo.b", &v));
    CU_ASSERT_FALSE(fleet_get(f, "demo.c", &v));
    fleet_destroy(f);
}

static void check_order(void *ctx, const struct fleet_vehicle *vehicle)
{
    char *last = ctx;

    CU_ASSERT_TRUE(strcmp(last, vehicle->device) < 0);
    snprintf(last, DEVICE_NAME_MAX + 1, "%s", vehicle->device);
}

static void test_vehicles_come_in_order_of_name(void)
{
    struct fleet *f = fleet_create(300);
    struct sample s = make_sample(1, 1, 1000, 4, 1);
    char last[DEVICE_NAME_MAX + 1] = "", name[40];

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "demo.v%d", i * 7919 % 300);
        fleet_offer(f, name, &s, 1, &change);
    }
    CU_ASSERT_EQUAL(fleet_count(f), 300);
    fleet_each(f, check_order, last);
    fleet_destroy(f);
}

static void test_a_will_changes_the_link_alone(void)
{
    struct fleet *f = fleet_create(2);
    struct fleet_link link;

    memset(&link, 0, sizeof link);
    link.known = link.online = true;
    link.epoch = 9;
    snprintf(link.version, sizeof link.version, "1.2");
    CU_ASSERT_TRUE(fleet_set_link(f, "demo.a", &link, 100, &v));
    CU_ASSERT_FALSE(fleet_set_link(f, "demo.a", &link, 200, &v)); /* the same again */
    CU_ASSERT_EQUAL(v.link.at_ms, 100);
    memset(&link, 0, sizeof link);
    link.known = true;
    CU_ASSERT_TRUE(fleet_set_link(f, "demo.a", &link, 300, &v));
    CU_ASSERT_FALSE(v.link.online);
    CU_ASSERT_EQUAL(v.link.at_ms, 300);
    CU_ASSERT_EQUAL(v.link.epoch, 9);
    CU_ASSERT_STRING_EQUAL(v.link.version, "1.2");
    fleet_destroy(f);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "only a newer sample is taken [FL-5]", test_only_a_newer_sample_is_taken },
        { "alarms open and clear with their start [FL-5]", test_alarms_open_and_clear_with_their_start },
        { "a full table refuses and keeps what it has", test_a_full_table_refuses_and_keeps_what_it_has },
        { "vehicles come in order of name", test_vehicles_come_in_order_of_name },
        { "a will changes the link alone", test_a_will_changes_the_link_alone },
        CU_TEST_INFO_NULL,
    };
    return suite_run("fleet", tests);
}
