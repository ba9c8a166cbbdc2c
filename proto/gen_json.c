/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.json: the tables as the API and the console read them (schema Catalogue in openapi.yaml). Texts of the tables hold no quotes or
 * backslashes; the unit test of the tables proves it. */
#include <stdio.h>
#include <string.h>

#include "proto/can0.h"
#include "proto/gen.h"
#include "proto/sample.h"
#include "proto/tables.h"

static void words_of(const char *signal)
{
    int n = 0;

    for (size_t w = 0; w < enum_word_count; w++)
        if (strcmp(enum_words[w].signal, signal) == 0)
            printf("%s\"%d\":\"%s\"", n++ ? "," : ",\"enum\":{", enum_words[w].value, enum_words[w].word);
    if (n)
        printf("}");
}

static void signals(void)
{
    int n = 0;

    printf("\"signals\":[");
    for (int s = 0; s < CAN0_SIGNALS; s++) {
        const struct can0_signal_row *r = &can0_signals[s];

        if (r->scalar < 0)
            continue;
        printf("%s\n{\"name\":\"%s\",\"unit\":\"%s\",\"min\":%d,\"max\":%d,\"text\":\"%s\"", n++ ? "," : "", r->name, r->unit, (int)r->min,
               (int)r->max, r->comment);
        words_of(r->name);
        printf("}");
    }
    printf("]");
}

static void params(void)
{
    printf(",\n\"params\":[");
    for (int i = 0; i < PARAMS; i++) {
        const struct param_row *r = &param_rows[i];

        printf("%s\n{\"id\":%u,\"name\":\"%s\",\"group\":\"%s\",\"unit\":\"%s\",\"min\":%d,\"max\":%d,\"defaults\":{", i ? "," : "", r->id,
               r->name, r->group, r->unit, (int)r->min, (int)r->max);
        for (int c = 0; c < CHEMISTRIES; c++)
            printf("%s\"%s\":%d", c ? "," : "", chemistry_word(c), (int)r->dflt[c]);
        printf("},\"restart\":%s,\"text\":\"%s\",\"why\":\"%s\"}", r->restart ? "true" : "false", r->text, r->why);
    }
    printf("]");
}

static void alarms(void)
{
    printf(",\n\"alarms\":[");
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_row *r = &alarm_rows[i];

        printf("%s\n{\"id\":%u,\"name\":\"%s\",\"level\":\"%s\",\"unit\":\"%s\",\"limit_param\":\"%s\",\"dtc\":%u,\"text\":\"%s\"}",
               i ? "," : "", r->id, r->name, r->level == ALARM_MAJOR ? "major" : "warning", r->unit, param_rows[r->limit].name,
               (unsigned)r->dtc, r->text);
    }
    printf("]");
}

void gen_catalogue(void)
{
    printf("{\"hash\":\"%08x\",", (unsigned)tables_hash());
    signals();
    params();
    alarms();
    printf("}\n");
}
