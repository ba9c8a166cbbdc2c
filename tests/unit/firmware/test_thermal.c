/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/actuators/thermal.h"
#include "firmware/core/store/params.h"
#include "tests/unit/suite.h"

static struct topology topology = { .devices = 1, .cells = 16, .probes = 4 };
static struct measure m;
static struct thermal t;
static struct thermal_in in;
static int32_t params[PARAMS];

static void start(void)
{
    params_defaults(CHEMISTRY_NMC, params);
    m = (struct measure) { .topology = &topology, .temp = { .min = { true, -50, 1 }, .max = { true, 0, 2 }, .valid = 4 } };
    in = (struct thermal_in) { .measure = &m, .heat = true, .params = params };
    thermal_init(&t);
}

static bool heats(void)
{
    thermal_step(&t, &in);
    return t.heat;
}

static bool fans_at(int32_t ddegC)
{
    m.temp.max.value = ddegC;
    thermal_step(&t, &in);
    return t.fan;
}

static void test_heats_only_when_watched(void)
{
    start();
    CU_ASSERT(heats());
    in.heat = false;
    CU_ASSERT_FALSE(heats());
    in.heat = true;
    in.blocked = true;
    CU_ASSERT_FALSE(heats());
    in.blocked = false;
    m.temp.valid = 3; /* one probe has no value */
    CU_ASSERT_FALSE(heats());
    m.temp = (struct measure_worst) { 0 };
    topology.probes = 0;
    CU_ASSERT_FALSE(heats());
    topology.probes = 4;
    start();
    params[PARAM_heater_fitted] = 0;
    CU_ASSERT_FALSE(heats());
}

static void test_a_pack_with_one_probe_is_heated(void)
{
    start();
    CU_ASSERT_FALSE(t.heat); /* nobody has asked yet */
    topology.probes = 1;
    m.temp.valid = 1;
    CU_ASSERT(heats());
    topology.probes = 4;
}

static void test_what_is_hot_beside_the_heater_stops_it(void)
{
    start();
    m.temp.max.value = 349;
    CU_ASSERT(heats());
    m.temp.max.value = 350;
    CU_ASSERT_FALSE(heats());
    m.temp.max.value = 301;
    CU_ASSERT_FALSE(heats());
    m.temp.max.value = 300;
    CU_ASSERT(heats());
}

static void test_fan_has_two_temperatures(void)
{
    start();
    CU_ASSERT_FALSE(fans_at(399));
    CU_ASSERT(fans_at(400));
    CU_ASSERT(fans_at(351));
    m.temp.max.known = false; /* it stays as it was */
    CU_ASSERT(fans_at(0));
    m.temp.max.known = true;
    CU_ASSERT_FALSE(fans_at(350));
    CU_ASSERT_FALSE(fans_at(399));
    params[PARAM_fan_off_ddegC] = 450; /* crossed: it does not chatter */
    CU_ASSERT_FALSE(fans_at(440));
    CU_ASSERT(fans_at(451));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "heats only for a charge, with every probe known and nothing against it [AC-5]", test_heats_only_when_watched },
        { "a pack with one probe is heated, and only when a charge asks [AC-5]", test_a_pack_with_one_probe_is_heated },
        { "what is hot beside the heater stops it [AC-5]", test_what_is_hot_beside_the_heater_stops_it },
        { "the fan has two temperatures [AC-5]", test_fan_has_two_temperatures },
        CU_TEST_INFO_NULL,
    };

    return suite_run("thermal", tests);
}
