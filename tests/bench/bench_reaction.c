/* SPDX-License-Identifier: Apache-2.0 */
/* bench_reaction.c -- how soon each alarm acts: the worst case over all contactor states and phases of the scan, against what its row promises.
 *
 * usage: bench_reaction [--json | --page]     --page prints docs/reaction-times.md. Exit 1 when a promise is broken. `rows` are those of the reactions
 * as shipped; `violations` and `cases` count those of the mildest and the hardest reactions that can be set too.
 * Time is the simulated time of the firmware, so the figures are exact and the same on every machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/firmware/crossing.h"

struct figure {
    uint32_t promised_ms, worst_ms;
};

/* Returns how many promises are broken. */
static unsigned measure(struct rig *r, enum crossing_set set, struct figure *rows, unsigned *cases)
{
    int32_t params[PARAMS];
    unsigned broken = 0;

    crossing_params(set, params);
    for (int a = 0; a < ALARMS; a++) {
        rows[a] = (struct figure) { alarm_promise_ms(&alarm_rows[a], params), crossing_worst_ms(r, (enum alarm)a, set, cases) };
        broken += rows[a].worst_ms > rows[a].promised_ms;
    }
    return broken;
}

static uint32_t later(const struct figure *rows, enum alarm a, enum alarm b)
{
    return rows[a].worst_ms > rows[b].worst_ms ? rows[a].worst_ms : rows[b].worst_ms;
}

static void print_json(const struct figure *rows, unsigned violations, unsigned cases)
{
    printf("{\"violations\":%u,\"cases\":%u,\"rows\":[", violations, cases);
    for (int a = 0; a < ALARMS; a++)
        printf("%s\n{\"alarm\":\"%s\",\"promised_ms\":%u,\"worst_ms\":%u}", a ? "," : "", alarm_rows[a].name, (unsigned)rows[a].promised_ms,
               (unsigned)rows[a].worst_ms);
    printf("],\n\"worst\":{\"cell_over_voltage_ms\":%u,\"cell_under_voltage_ms\":%u,\"over_current_ms\":%u,\"over_temperature_ms\":%u,"
           "\"afe_silent_ms\":%u,\"current_sensor_silent_ms\":%u}}\n",
           (unsigned)rows[ALARM_cell_over_voltage].worst_ms, (unsigned)rows[ALARM_cell_under_voltage].worst_ms,
           (unsigned)later(rows, ALARM_discharge_over_current_peak, ALARM_charge_over_current_peak),
           (unsigned)later(rows, ALARM_over_temperature, ALARM_charge_over_temperature), (unsigned)rows[ALARM_afe_silent].worst_ms,
           (unsigned)rows[ALARM_current_sensor_silent].worst_ms);
}

static void print_page(const struct figure *rows, unsigned cases)
{
    static const char *const reactions[ALARM_REACTIONS] = { [ALARM_REACT_NONE] = "alarm",
                                                            [ALARM_REACT_DERATE] = "less power",
                                                            [ALARM_REACT_END] = "open without load",
                                                            [ALARM_REACT_OPEN] = "open at once" };

    printf(
        "# Reaction times\n\nMade by `./cellwarden bench reaction --page`; a test fails when a figure gets worse than this page.\n\n"
        "From the limit crossed at the terminals to the command, default parameters, 48 NMC cells: the worst of all contactor states and "
        "of "
        "%d phases\nof the scan, %u cases. *Promised* is what the rows of `alarms.def` and `params.def` add up to: the age that a value "
        "can "
        "have, the row's delay, one step of 10 ms.\nFor `precharge_failed` it is one try of pre-charge; *open without load* meets a load "
        "that does not go; a silent chip or sensor is counted "
        "from its last answer.\n\n"
        "| alarm | reaction | promised ms | worst ms |\n| --- | --- | --- | --- |\n",
        CROSSING_PHASES, cases);
    for (int a = 0; a < ALARMS; a++)
        printf("| `%s` | %s | %u | %u |\n", alarm_rows[a].name, reactions[param_rows[alarm_rows[a].reaction].dflt[CHEMISTRY_NMC]],
               (unsigned)rows[a].promised_ms, (unsigned)rows[a].worst_ms);
}

int main(int argc, char **argv)
{
    static struct rig r;
    static struct figure rows[ALARMS], mildest[ALARMS], hardest[ALARMS];
    unsigned cases = 0, violations = 0;
    bool page = argc == 2 && strcmp(argv[1], "--page") == 0;

    if (argc > 2 || (argc == 2 && !page && strcmp(argv[1], "--json") != 0)) {
        fprintf(stderr, "usage: bench_reaction [--json | --page]\n");
        return 2;
    }
    violations = measure(&r, CROSSING_SHIPPED, rows, &cases);
    if (page) {
        print_page(rows, cases);
        return violations ? 1 : 0;
    }
    violations += measure(&r, CROSSING_MILDEST, mildest, &cases);
    violations += measure(&r, CROSSING_HARDEST, hardest, &cases);
    print_json(rows, violations, cases);
    return violations ? 1 : 0;
}
