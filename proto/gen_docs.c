/* SPDX-License-Identifier: Apache-2.0 */
/* The pages docs/signals.md, docs/parameters.md, docs/alarms.md, and ids.proto: names of the ids for readers in other languages. */
#include <stdio.h>

#include "proto/can0.h"
#include "proto/gen.h"
#include "proto/sample.h"
#include "proto/tables.h"

static void head(const char *title, const char *source)
{
    printf("# %s\n\nMade from `proto/%s` by the build; edit the rows, not this page.\n\n", title, source);
}

void gen_signals_page(void)
{
    head("Signals on CAN0", "signals.def");
    printf("Identifier = 0x18F00000 + number * 0x100 + sender (BIU 0x10, CSU 0x20, DTU 0xF1). Byte 0 is the CRC, byte 1 the counter.\n\n");
    printf("| message | number | signal | bits | unit | range | recorded | meaning |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int s = 0; s < CAN0_SIGNALS; s++) {
        const struct can0_signal_row *r = &can0_signals[s];
        const char *message = "";

        for (int m = 0; m < CAN0_MESSAGES; m++)
            if (can0_messages[m].number == r->message)
                message = can0_messages[m].name;
        printf("| %s | 0x%02X | `%s` | %u at %u, %c | %s | %d to %d | %s | %s |\n", message, r->message, r->name, r->bits, r->start_bit,
               r->kind, r->unit, (int)r->min, (int)r->max, r->scalar >= 0 ? "yes" : "", r->comment);
    }
    printf("\n| array | first number | per message | bits | unit | range | most | meaning |\n| --- | --- | --- | --- | --- | --- | --- | "
           "--- |\n");
    for (int a = 0; a < CAN0_ARRAYS; a++) {
        const struct can0_array_row *r = &can0_arrays[a];

        printf("| `%s` | 0x%02X | %u | %u, %c | %s | %d to %d | %u | %s |\n", r->name, r->first_number, r->per_message, r->bits, r->kind,
               r->unit, (int)r->min, (int)r->max, r->count_max, r->comment);
    }
}

void gen_params_page(void)
{
    head("Parameters", "params.def");
    printf("| id | name | unit | min | max | NMC | LFP | NiMH | supercap | restart | meaning | why |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < PARAMS; i++) {
        const struct param_row *r = &param_rows[i];

        printf("| %u | `%s` | %s | %d | %d | %d | %d | %d | %d | %s | %s | %s |\n", r->id, r->name, r->unit, (int)r->min, (int)r->max,
               (int)r->dflt[0], (int)r->dflt[1], (int)r->dflt[2], (int)r->dflt[3], r->restart ? "yes" : "", r->text, r->why);
    }
}

void gen_alarms_page(void)
{
    static const char *const reactions[] = {
        [ALARM_REACT_NONE] = "none", [ALARM_REACT_OPEN] = "contactors open", [ALARM_REACT_DERATE] = "less power"
    };

    head("Alarms", "alarms.def");
    printf("| id | name | level | unit | set when | reaction | latch | DTC | limit NMC / LFP / NiMH / supercap |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *r = &alarm_rows[i];
        const int32_t *d = param_rows[r->limit].dflt;

        printf("| %u | `%s` | %s | %s | %s the limit | %s | %s | %06X | %d / %d / %d / %d |\n", r->id, r->name,
               r->level == ALARM_MAJOR ? "major" : "warning", r->unit, r->compare == ALARM_ABOVE ? "at or above" : "at or below",
               reactions[r->reaction], r->latch ? "yes" : "", (unsigned)r->dtc, (int)d[0], (int)d[1], (int)d[2], (int)d[3]);
    }
}

void gen_ids_proto(void)
{
    printf("// SPDX-License-Identifier: Apache-2.0\n// Made from the rows in proto/*.def by the build.\nsyntax = \"proto3\";\npackage "
           "cw;\n\n");
    printf("enum ScalarId { // index of the scalar column in a body\n");
    for (int s = 0; s < CAN0_SIGNALS; s++)
        if (can0_signals[s].scalar >= 0)
            printf("  SCALAR_%s = %d;\n", can0_signals[s].name, can0_signals[s].scalar);
    printf("}\n\nenum ParamId {\n  PARAM_NONE = 0;\n");
    for (int i = 0; i < PARAMS; i++)
        printf("  PARAM_%s = %u;\n", param_rows[i].name, param_rows[i].id);
    printf("}\n\nenum AlarmId {\n  ALARM_NONE = 0;\n");
    for (int i = 0; i < ALARMS; i++)
        printf("  ALARM_%s = %u;\n", alarm_rows[i].name, alarm_rows[i].id);
    printf("}\n");
}
