/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "proto/telemetry.pb-c.h"
#include "server/host.h"
#include "server/store/state.h"
#include "tests/unit/suite.h"

#include <string.h>

static uint8_t bytes[16384];
static struct fleet_link got;
static int64_t at_ms;

static int parse(Cw__State *m)
{
    return state_parse("demo.a", bytes, cw__state__pack(m, bytes), &got, &at_ms);
}

static void test_a_birth_gives_its_facts(void)
{
    char device[] = "demo.a", version[] = "1.2.3", chemistry[] = "lfp", biu[] = "BIU", bmu[] = "BMU 1";
    Cw__State m = CW__STATE__INIT;
    Cw__Module a = CW__MODULE__INIT, b = CW__MODULE__INIT;
    Cw__Module *modules[] = { &a, &b };

    a.name = biu;
    a.cells = 48;
    b.name = bmu;
    b.cells = 12;
    b.temps = 3;
    m.schema = 1;
    m.device = device;
    m.version = version;
    m.chemistry = chemistry;
    m.online = true;
    m.epoch = 99;
    m.utc_ms = 5;
    m.modules = modules;
    m.n_modules = 2;
    CU_ASSERT_EQUAL_FATAL(parse(&m), 0);
    CU_ASSERT_TRUE(got.online && got.known);
    CU_ASSERT_STRING_EQUAL(got.version, "1.2.3");
    CU_ASSERT_STRING_EQUAL(got.chemistry, "lfp");
    CU_ASSERT_EQUAL(got.epoch, 99);
    CU_ASSERT_EQUAL(at_ms, 5);
    CU_ASSERT_EQUAL_FATAL(got.module_count, 2);
    CU_ASSERT_STRING_EQUAL(got.modules[1].name, "BMU 1");
    CU_ASSERT_EQUAL(got.modules[1].cells, 12);
}

static void test_what_does_not_fit_is_cut_or_dropped(void)
{
    char device[] = "demo.a", longer[200];
    Cw__State m = CW__STATE__INIT;
    Cw__Module a = CW__MODULE__INIT;
    Cw__Module *modules[20];

    memset(longer, 'v', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    a.name = longer;
    a.cells = 100000;
    for (int i = 0; i < 20; i++)
        modules[i] = &a;
    m.schema = 1;
    m.device = device;
    m.version = longer;
    m.modules = modules;
    m.n_modules = 20;
    CU_ASSERT_EQUAL(parse(&m), 0);
    CU_ASSERT_EQUAL(strlen(got.version), VERSION_MAX);
    CU_ASSERT_EQUAL(got.module_count, 1 + BMU_COUNT_MAX);
    CU_ASSERT_EQUAL(got.modules[0].cells, 0);
}

static void test_what_is_not_a_state_of_this_device_is_refused(void)
{
    char device[] = "demo.b";
    Cw__State m = CW__STATE__INIT;

    m.schema = 1;
    m.device = device;
    CU_ASSERT_EQUAL(parse(&m), BMS_ERR_RANGE);
    device[5] = 'a';
    CU_ASSERT_EQUAL(parse(&m), 0);
    m.schema = 2;
    CU_ASSERT_EQUAL(parse(&m), BMS_ERR_SCHEMA);
    memset(bytes, 0xFF, 20);
    CU_ASSERT_EQUAL(state_parse("demo.a", bytes, 20, &got, &at_ms), BMS_ERR_CORRUPT);
}

static void test_addresses_are_split_at_the_last_colon(void)
{
    char host[20];

    CU_ASSERT_EQUAL(host_split("localhost:8883", host, sizeof host), 8883);
    CU_ASSERT_STRING_EQUAL(host, "localhost");
    CU_ASSERT_EQUAL(host_split("[::1]:1", host, sizeof host), 1);
    CU_ASSERT_STRING_EQUAL(host, "::1");
    CU_ASSERT_EQUAL(host_split("localhost", host, sizeof host), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(host_split("a:65536", host, sizeof host), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(host_split("a:", host, sizeof host), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(host_split(":1", host, sizeof host), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(host_split("[]:1", host, sizeof host), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(host_split("a-name-that-is-too-long:1", host, sizeof host), BMS_ERR_RANGE);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a birth gives its facts", test_a_birth_gives_its_facts },
        { "what does not fit is cut or dropped", test_what_does_not_fit_is_cut_or_dropped },
        { "what is not a state of this device is refused", test_what_is_not_a_state_of_this_device_is_refused },
        { "addresses are split at the last colon", test_addresses_are_split_at_the_last_colon },
        CU_TEST_INFO_NULL,
    };
    return suite_run("state", tests);
}
