/* SPDX-License-Identifier: Apache-2.0 */
/* cw_tables WHAT -- print one of the contracts made from the rows of signals.def, params.def, alarms.def and vehicle.def. */
#include <stdio.h>
#include <string.h>

#include "proto/gen.h"
#include "proto/sample.h"
#include "proto/tables.h"

/* Words for the values of signals that are not quantities. */
const struct enum_word enum_words[] = {
    { "mode", PACK_MODE_INIT, "init" },          { "mode", PACK_MODE_PARKED, "parked" },  { "mode", PACK_MODE_DRIVING, "driving" },
    { "mode", PACK_MODE_CHARGING, "charging" },  { "mode", PACK_MODE_FAULT, "fault" },    { "alarm_level", ALARM_NONE, "none" },
    { "alarm_level", ALARM_WARNING, "warning" }, { "alarm_level", ALARM_MAJOR, "major" },
};
const size_t enum_word_count = sizeof(enum_words) / sizeof(enum_words[0]);

static const struct {
    const char *what;
    void (*print)(void);
} printers[] = {
    { "dbc", gen_dbc },
    { "proto", gen_ids_proto },
    { "catalogue", gen_catalogue },
    { "signals", gen_signals_page },
    { "params", gen_params_page },
    { "alarms", gen_alarms_page },
    { "modbus", gen_modbus_page },
    { "vehicle_dbc", gen_vehicle_dbc },
    { "vehicle", gen_vehicle_page },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(printers) / sizeof(printers[0]); i++) {
        if (strcmp(argv[1], printers[i].what) == 0) {
            printers[i].print();
            return ferror(stdout) ? 1 : 0;
        }
    }
    fprintf(stderr, "usage: cw_tables dbc|proto|catalogue|signals|params|alarms|modbus|vehicle_dbc|vehicle\n");
    return 2;
}
