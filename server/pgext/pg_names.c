/* SPDX-License-Identifier: Apache-2.0 */
/* pg_names.c -- words for numbers that stand in the tables. */
#include "server/pgext/pg_functions.h"

#include <utils/builtins.h>

/* The name of alarms.def, NULL for a number that is not there. A new alarm needs no new version of the extension. */
Datum cellwarden_alarm_name(PG_FUNCTION_ARGS)
{
    static const struct {
        int32_t id;
        const char *name;
    } rows[] = {
#define ALARM(id, name, quantity, compare, level, unit, reaction, latch, dtc, text) { id, #name },
#include "proto/alarms.def"
    };
    int32_t id = PG_GETARG_INT32(0);

    for (size_t i = 0; i < lengthof(rows); i++)
        if (rows[i].id == id)
            PG_RETURN_TEXT_P(cstring_to_text(rows[i].name));
    PG_RETURN_NULL();
}
