/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ingest/share.h"
#include "tests/unit/suite.h"

#include <stdio.h>

static struct share share;

static int taken(const char *device, int tries, size_t size, int64_t now_ms)
{
    int n = 0;

    for (int i = 0; i < tries; i++)
        n += share_take(&share, device, size, now_ms);
    return n;
}

static void init(int64_t device_records, int64_t device_bytes, int64_t tenant_records, int64_t tenant_bytes)
{
    share_init(&share, (struct share_rate) { device_records, device_bytes }, (struct share_rate) { tenant_records, tenant_bytes });
}

static void test_a_burst_and_then_so_many_records_a_second(void)
{
    init(10, 0, 0, 0);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 9999, 5000), 10 * SHARE_BURST_S);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 9999, 5000), 0);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 9999, 6000), 10);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 9999, 86400000), 10 * SHARE_BURST_S);
}

static void test_bytes_count_too(void)
{
    init(0, 1000, 0, 0);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 500, 5000), 2 * SHARE_BURST_S);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 500, 5500), 1);
}

static void test_a_record_larger_than_the_bucket_passes_and_is_paid_later(void)
{
    init(0, 1000, 0, 0);
    CU_ASSERT_EQUAL(taken("a.1", 1, 4000, 5000), 1); /* 2000 in debt */
    CU_ASSERT_EQUAL(taken("a.1", 1, 1, 7000), 0);
    CU_ASSERT_EQUAL(taken("a.1", 1, 1, 7001), 1);
}

static void test_one_device_takes_nothing_from_another(void)
{
    init(10, 1000, 0, 0);
    CU_ASSERT_EQUAL(taken("a.1", 1000, 1, 5000), 20);
    CU_ASSERT_EQUAL(taken("a.2", 1000, 1, 5000), 20);
    CU_ASSERT_EQUAL(taken("", 1000, 1, 5000), 20);
}

static void test_a_tenant_has_a_limit_for_all_its_devices(void)
{
    init(0, 0, 10, 0);
    CU_ASSERT_EQUAL(taken("a.1", 15, 1, 5000), 15);
    CU_ASSERT_EQUAL(taken("a.2", 15, 1, 5000), 5);
    CU_ASSERT_EQUAL(taken("b.1", 15, 1, 5000), 15);
}

static void test_what_a_tenant_may_not_send_is_not_counted_for_its_device(void)
{
    init(10, 0, 10, 0);
    CU_ASSERT_EQUAL(taken("a.1", 20, 1, 5000), 20);
    CU_ASSERT_EQUAL(taken("a.2", 20, 1, 5000), 0);
    CU_ASSERT_EQUAL(taken("a.2", 20, 1, 7000), 20);
}

static void test_a_refused_record_costs_more_and_the_debt_ends(void)
{
    init(10, 0, 0, 0);
    share_charge(&share, "a.1", 5000); /* the 20 that a full bucket has */
    CU_ASSERT_EQUAL(taken("a.1", 10, 1, 5000), 0);
    CU_ASSERT_EQUAL(taken("a.1", 10, 1, 5100), 1);
    for (int i = 0; i < 1000; i++)
        share_charge(&share, "a.1", 5100);
    CU_ASSERT_EQUAL(taken("a.1", 10, 1, 5100 + SHARE_BURST_S * 1000), 0);
    CU_ASSERT_EQUAL(taken("a.1", 10, 1, 5100 + SHARE_BURST_S * 1000 + 1), 1);
}

static void test_no_limit_takes_all(void)
{
    init(0, 0, 0, 0);
    share_charge(&share, "a.1", 5000);
    CU_ASSERT_EQUAL(taken("a.1", 100000, 1 << 20, 5000), 100000);
}

static void test_more_devices_than_buckets_have_a_share_too(void)
{
    char device[32];

    init(10, 0, 0, 0);
    for (int i = 0; i < 3 * SHARE_DEVICES; i++) {
        snprintf(device, sizeof device, "a.bus-%d", i);
        CU_ASSERT_EQUAL(taken(device, 2, 1, 5000), 2);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a burst, and then so many records a second", test_a_burst_and_then_so_many_records_a_second },
        { "bytes count too", test_bytes_count_too },
        { "a record larger than the bucket passes and is paid later", test_a_record_larger_than_the_bucket_passes_and_is_paid_later },
        { "one device takes nothing from another", test_one_device_takes_nothing_from_another },
        { "a tenant has a limit for all its devices", test_a_tenant_has_a_limit_for_all_its_devices },
        { "what a tenant may not send is not counted for its device", test_what_a_tenant_may_not_send_is_not_counted_for_its_device },
        { "a refused record costs more, and the debt ends", test_a_refused_record_costs_more_and_the_debt_ends },
        { "no limit takes all", test_no_limit_takes_all },
        { "more devices than buckets have a share too", test_more_devices_than_buckets_have_a_share_too },
        CU_TEST_INFO_NULL,
    };
    return suite_run("share", tests);
}
