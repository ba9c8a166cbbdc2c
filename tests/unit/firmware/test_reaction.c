/* SPDX-License-Identifier: Apache-2.0 */
/* Every contactor state x every alarm x every phase: the reaction comes in the promised time, and no later than docs/reaction-times.md says. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/firmware/crossing.h"
#include "tests/unit/suite.h"

static struct rig r;
static uint32_t worst_ms[ALARMS];

/* Whether the row opens, and how, is not as shipped. */
static bool opens_otherwise(const struct alarm_row *row, const int32_t *params)
{
    int32_t shipped = param_rows[row->reaction].dflt[CHEMISTRY_NMC], now = params[row->reaction];

    return now != shipped && (now >= ALARM_REACT_END || shipped >= ALARM_REACT_END);
}

/* Of all rows, or of those only that open otherwise than shipped. */
static unsigned keep_promises(enum crossing_set set, uint32_t *worst)
{
    int32_t params[PARAMS];
    unsigned cases = 0;

    crossing_params(set, params);
    for (int a = 0; a < ALARMS; a++) {
        if (set != CROSSING_SHIPPED && !opens_otherwise(&alarm_rows[a], params))
            continue;
        worst[a] = crossing_worst_ms(&r, (enum alarm)a, set, &cases);
        CU_ASSERT(worst[a] <= alarm_promise_ms(&alarm_rows[a], params));
        if (worst[a] > alarm_promise_ms(&alarm_rows[a], params))
            printf("%s: %u ms of %u\n", alarm_rows[a].name, (unsigned)worst[a], (unsigned)alarm_promise_ms(&alarm_rows[a], params));
    }
    printf("(%u cases) ", cases);
    return cases;
}

static void test_every_state_fault_and_phase(void)
{
    CU_ASSERT(keep_promises(CROSSING_SHIPPED, worst_ms) > 1400);
}

static void test_every_reaction_that_can_be_set(void)
{
    static uint32_t mildest[ALARMS], hardest[ALARMS];

    CU_ASSERT(keep_promises(CROSSING_MILDEST, mildest) > 200);
    CU_ASSERT(keep_promises(CROSSING_HARDEST, hardest) > 80);
}

static void test_required_times(void)
{
    static const struct {
        enum alarm alarm;
        uint32_t ms;
    } required[] = {
        { ALARM_cell_over_voltage, 300 },
        { ALARM_cell_under_voltage, 300 },
        { ALARM_discharge_over_current_peak, 100 },
        { ALARM_charge_over_current_peak, 100 },
        { ALARM_over_temperature, 1500 },
        { ALARM_charge_over_temperature, 1500 },
        { ALARM_afe_silent, 300 },
        { ALARM_current_sensor_silent, 300 },
    };

    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        CU_ASSERT(worst_ms[required[i].alarm] > 0);
        CU_ASSERT(worst_ms[required[i].alarm] <= required[i].ms);
    }
}

static void test_no_worse_than_the_page(void)
{
    FILE *page = fopen("docs/reaction-times.md", "r");
    char line[256], name[64], reaction[32];
    unsigned promised, worst;
    int32_t params[PARAMS];
    int rows = 0;

    params_defaults(CHEMISTRY_NMC, params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(page);
    while (fgets(line, sizeof(line), page)) {
        if (sscanf(line, "| `%63[a-z_]` | %31[a-z ] | %u | %u |", name, reaction, &promised, &worst) != 4)
            continue;
        for (int a = 0; a < ALARMS; a++)
            if (strcmp(alarm_rows[a].name, name) == 0) {
                CU_ASSERT(worst_ms[a] <= worst);
                CU_ASSERT_EQUAL(alarm_promise_ms(&alarm_rows[a], params), promised);
                rows++;
            }
    }
    fclose(page);
    CU_ASSERT_EQUAL(rows, ALARMS);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every state, fault and phase: the reaction comes in the promised time [AC-6]", test_every_state_fault_and_phase },
        { "the mildest and the hardest reactions that can be set keep their promises too [AC-6]", test_every_reaction_that_can_be_set },
        { "the required times hold [AC-6]", test_required_times },
        { "no figure is worse than the page says, and the page promises what the rows do", test_no_worse_than_the_page },
        CU_TEST_INFO_NULL,
    };

    return suite_run("reaction", tests);
}
