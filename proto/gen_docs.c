/* SPDX-License-Identifier: Apache-2.0 */
/* The pages docs/signals.md, docs/parameters.md, docs/alarms.md, and ids.proto: names of the ids for readers in other languages. */
#include <stdio.h>

#include "proto/can0.h"
#include "proto/gen.h"
#include "proto/modbus.h"
#include "proto/rs485.h"
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

static void gen_self_units(void)
{
    static const struct {
        int bit;
        const char *name, *level, *text;
    } units[] = {
#define UNIT(bit_, name_, level_, text_) { (bit_), #name_, #level_, text_ },
#include "proto/self_units.def"
    };

    printf("\n## Self-check\n\nMade from `proto/self_units.def`. A unit that is not well has its bit in the signal `self_check`; "
           "`unit_failed` and "
           "`unit_degraded_warning`\nname the first of their level by its number.\n\n| bit | number | unit | level | not well when |\n"
           "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        printf("| %d | %d | `%s` | %s | %s |\n", units[i].bit, units[i].bit + 1, units[i].name, units[i].level, units[i].text);
}

void gen_alarms_page(void)
{
    static const char *const reactions[ALARM_REACTIONS] = { [ALARM_REACT_NONE] = "none",
                                                            [ALARM_REACT_DERATE] = "less power",
                                                            [ALARM_REACT_END] = "open without load",
                                                            [ALARM_REACT_OPEN] = "open at once" };

    head("Alarms", "alarms.def");
    printf("Limits, delays and the reaction are [parameters](parameters.md); a reaction can be set from the least to the most that its row "
           "allows. *Open without\nload* ends the power first, and opens under load after `alarm_open_wait_ms` (ADR-0012).\n\n"
           "| id | name | level | unit | set when | reaction | at least | at most | latch | DTC | limit NMC / LFP / NiMH / supercap |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *r = &alarm_rows[i];
        const struct param_row *does = &param_rows[r->reaction];
        const int32_t *d = param_rows[r->limit].dflt;

        printf("| %u | `%s` | %s | %s | %s the limit | %s | %s | %s | %s | %06X | %d / %d / %d / %d |\n", r->id, r->name,
               r->level == ALARM_MAJOR ? "major" : "warning", r->unit, r->compare == ALARM_ABOVE ? "at or above" : "at or below",
               reactions[does->dflt[CHEMISTRY_NMC]], reactions[does->min], reactions[does->max], r->latch ? "yes" : "", (unsigned)r->dtc,
               (int)d[0], (int)d[1], (int)d[2], (int)d[3]);
    }
    gen_self_units();
}

static void print_registers(const struct modbus_row *rows, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        const struct modbus_row *r = &rows[i];

        if (r->count > 1)
            printf("| %u to %u | `%s` | %s | %s |\n", r->address, r->address + r->count - 1u, r->name, r->unit, r->text);
        else
            printf("| %u | `%s` | %s | %s |\n", r->address, r->name, r->unit, r->text);
    }
}

void gen_modbus_page(void)
{
    head("Modbus registers on RS485", "modbus.def");
    printf("The BIU is a Modbus RTU slave: functions 03, 04, 06, 16 and 43/14 (device identification), 8 data bits, no parity, one stop "
           "bit, speed and\n"
           "address by the parameters `rs485_baud` and `rs485_address`. Addresses are those of the protocol, from 0. Requests to address 0 "
           "are done and not\n"
           "answered. Exceptions: 01 function (or a write that needs a key, with `write_needs_key`), 02 address, 03 value or range, 04 "
           "store not possible,\n"
           "06 busy: a cable tool has the line, or the memory works; ask again.\n\n"
           "A value that is not there keeps its reason: an unsigned register 0x10000 - code, a signed one 0x8000 + code - 1, with code 1 "
           "never, 2 stale,\n"
           "3 open, 4 implausible, 5 not fitted. Values are those of the newest sample.\n\n"
           "## Input registers (04)\n| address | name | unit | meaning |\n| --- | --- | --- | --- |\n");
    print_registers(modbus_inputs, modbus_input_count);
    printf("\n## Holding registers (03, 06, 16)\n| address | name | unit | meaning |\n| --- | --- | --- | --- |\n");
    print_registers(modbus_holdings, modbus_holding_count);
    printf("| %d + id | parameter | as the row | running value in 16 bits, for rows whose limits fit; two's complement where the row can "
           "be negative |\n"
           "| %d + 2 id | parameter | as the row | running value in 32 bits, high half first; read and written in pairs |\n"
           "| %d + 2 id | parameter | as the row | stored value in 32 bits, read only |\n\n"
           "`id` is that of [parameters.md](parameters.md). A request that names a register that is not there, or a value outside its row, "
           "is refused as a\n"
           "whole. What is written runs at once and is forgotten by a restart, unless 1 is written to `command`.\n\n"
           "## A cable tool on the same line\n"
           "UDS travels in frames of its own: address F8, which Modbus reserves, 41 for a request and 42 for an answer, length (2 bytes, "
           "high first), UDS,\n"
           "CRC as in Modbus. For %d ms after such a frame the line belongs to the cable tool and displays get exception 06.\n",
           MODBUS_PARAM_16, MODBUS_PARAM_RUNNING, MODBUS_PARAM_STORED, RS485_CABLE_MS);
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
