/* SPDX-License-Identifier: Apache-2.0 */
#include "local/app/param_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "proto/tables.h"

#define FORMAT "cellwarden-parameters"

static unsigned cells_of(const struct board_params *p)
{
    struct board_module modules[1 + BMU_COUNT_MAX];
    size_t n = board_params_modules(p, modules);
    unsigned cells = 0;

    for (size_t i = 0; i < n; i++)
        cells += modules[i].cells;
    return cells;
}

static const char *chemistry_of(const struct board_params *p)
{
    const char *word = chemistry_word(p->running[PARAM_chemistry]);

    return word ? word : "";
}

static void write_values(struct jsonw *out, const char *name, const int32_t *values)
{
    jsonw_key(out, name);
    jsonw_object(out);
    for (unsigned i = 0; i < PARAMS; i++)
        jsonw_member_int(out, param_rows[i].name, values[i]);
    jsonw_object_end(out);
}

void param_file_write(struct jsonw *out, const struct board_params *params, const char *vehicle, const char *by, long long now_ms)
{
    char table[9], at[32];
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;

    snprintf(table, sizeof(table), "%08" PRIx32, tables_hash());
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    jsonw_object(out);
    jsonw_member_str(out, "format", FORMAT);
    jsonw_member_int(out, "version", 1);
    jsonw_member_str(out, "vehicle", vehicle);
    jsonw_member_str(out, "chemistry", chemistry_of(params));
    jsonw_member_int(out, "cells", cells_of(params));
    jsonw_member_str(out, "table", table);
    jsonw_member_str(out, "exported_at", at);
    jsonw_member_str(out, "exported_by", by);
    jsonw_member_int(out, "running_hash", param_hash(params->running));
    jsonw_member_int(out, "stored_hash", param_hash(params->stored));
    write_values(out, "values", params->running);
    write_values(out, "stored", params->stored);
    jsonw_object_end(out);
}

/* The head of the file: 0 when it is for a pack like this one. */
static int check_head(json_t *root, const struct board_params *params, FILE *say)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const char *table = json_string_value(json_object_get(root, "table"));
    const char *chemistry = json_string_value(json_object_get(root, "chemistry"));
    json_int_t cells = json_integer_value(json_object_get(root, "cells"));
    char ours[9];
    int err = BMS_ERR_OK;

    snprintf(ours, sizeof(ours), "%08" PRIx32, tables_hash());
    if (format == NULL || strcmp(format, FORMAT) != 0) {
        fprintf(say, "\"format\" is not \"%s\"\n", FORMAT);
        return BMS_ERR_RANGE;
    }
    if (table == NULL || strcmp(table, ours) != 0) {
        fprintf(say, "made with another table of parameters: %.40s, this program has %s\n", table ? table : "none", ours);
        err = BMS_ERR_RANGE;
    }
    if (chemistry == NULL || strcmp(chemistry, chemistry_of(params)) != 0 || cells != (json_int_t)cells_of(params)) {
        fprintf(say, "made for another pack: %.20s, %lld cells; this one has %s, %u cells\n", chemistry ? chemistry : "none",
                (long long)cells, chemistry_of(params), cells_of(params));
        err = BMS_ERR_RANGE;
    }
    return err;
}

static int param_named(const char *name)
{
    for (int i = 0; i < PARAMS; i++)
        if (strcmp(param_rows[i].name, name) == 0)
            return i;
    return BMS_ERR_UNKNOWN;
}

/* One name and value. 0, or BMS_ERR_*. */
static int take(const char *name, json_t *value, const struct board_params *params, struct command *cmd, FILE *say)
{
    int p = param_named(name);

    if (p < 0) {
        fprintf(say, "note: %.60s is not known, left out\n", name);
        return BMS_ERR_OK;
    }
    const struct param_row *row = &param_rows[p];
    json_int_t v = json_integer_value(value);

    if (!json_is_integer(value) || v < row->min || v > row->max) {
        fprintf(say, "%s: must be a whole number from %" PRId32 " to %" PRId32 " %s\n", name, row->min, row->max, row->unit);
        return BMS_ERR_RANGE;
    }
    if (v == params->running[p])
        return BMS_ERR_OK;
    if (cmd->writes == COMMAND_WRITES_MAX) {
        fprintf(say, "more than %d values differ: import in two parts\n", COMMAND_WRITES_MAX);
        return BMS_ERR_NOSPACE;
    }
    cmd->write[cmd->writes++] = (struct command_write) { .id = row->id, .value = (int32_t)v };
    return BMS_ERR_OK;
}

static int read_values(json_t *root, const struct board_params *params, struct command *cmd, FILE *say)
{
    json_t *values = json_object_get(root, "values"), *value;
    const char *name;
    int err = BMS_ERR_OK;

    if (!json_is_object(values)) {
        fprintf(say, "\"values\" is missing\n");
        return BMS_ERR_RANGE;
    }
    json_object_foreach(values, name, value)
    {
        int one = take(name, value, params, cmd, say);

        err = one ? one : err;
    }
    for (int i = 0; i < PARAMS; i++)
        if (json_object_get(values, param_rows[i].name) == NULL)
            fprintf(say, "note: %s is not in the file, it stays\n", param_rows[i].name);
    return err;
}

int param_file_read(const char *text, size_t n, const struct board_params *params, struct command *cmd, FILE *say)
{
    json_error_t error;
    json_t *root = n > PARAM_FILE_MAX ? NULL : json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);

    cmd->writes = 0;
    if (root == NULL) {
        if (n > PARAM_FILE_MAX)
            fprintf(say, "larger than 1 MB\n");
        else
            fprintf(say, "not JSON: line %d, column %d: %.100s\n", error.line, error.column, error.text);
        return BMS_ERR_RANGE;
    }
    int err = check_head(root, params, say), values = read_values(root, params, cmd, say);

    json_decref(root);
    return err ? err : values;
}
