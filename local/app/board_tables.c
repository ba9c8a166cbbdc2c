/* SPDX-License-Identifier: Apache-2.0 */
#include "local/app/board_tables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "proto/tables.h"

static json_t *rows_of(const struct board_tables *t, const char *which)
{
    return json_object_get(t->root, which);
}

static bool add_text(uint32_t *crc, const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    if (text != NULL)
        *crc = crc32c(*crc, (const uint8_t *)text, strlen(text) + 1);
    return text != NULL;
}

static bool is_within(const json_t *value, json_int_t min, json_int_t max)
{
    return json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max;
}

static bool add_number(uint32_t *crc, const json_t *value)
{
    uint8_t le[4];

    if (!is_within(value, INT32_MIN, INT32_MAX))
        return false;
    put_le32(le, (uint32_t)json_integer_value(value));
    *crc = crc32c(*crc, le, sizeof(le));
    return true;
}

static bool add_param(uint32_t *crc, const json_t *row)
{
    const json_t *defaults = json_object_get(row, "defaults");
    bool good = is_within(json_object_get(row, "id"), 0, BOARD_TABLES_ID_MAX) && json_is_string(json_object_get(row, "unit"));

    good = good && add_number(crc, json_object_get(row, "id")) && add_number(crc, json_object_get(row, "min")) &&
           add_number(crc, json_object_get(row, "max")) && add_text(crc, row, "name");
    for (int32_t c = 0; c < CHEMISTRIES && good; c++)
        good = add_number(crc, json_object_get(defaults, chemistry_word(c)));
    return good;
}

/* The hash of the rows, as tables_hash() makes it of ours; false when they are no such tables. */
static bool hash_rows(const struct board_tables *t, uint32_t *crc)
{
    json_t *signals = rows_of(t, "signals"), *params = rows_of(t, "params"), *alarms = rows_of(t, "alarms"), *row;
    size_t i;
    bool good = json_is_array(signals) && json_is_array(params) && json_is_array(alarms);

    good = good && json_array_size(params) > 0 && json_array_size(params) <= BOARD_TABLES_PARAMS_MAX;
    *crc = 0;
    if (!good)
        return false;
    json_array_foreach(signals, i, row) good = good && add_text(crc, row, "name");
    json_array_foreach(params, i, row) good = good && add_param(crc, row);
    json_array_foreach(alarms, i, row) good = good && add_number(crc, json_object_get(row, "id")) && add_text(crc, row, "name");
    return good;
}

static bool is_right(const struct board_tables *t)
{
    const char *said = json_string_value(json_object_get(t->root, "hash"));
    uint32_t made;
    char *end;

    if (said == NULL || strlen(said) != 8 || strtoul(said, &end, 16) != t->hash || *end != '\0')
        return false;
    return hash_rows(t, &made) && made == t->hash;
}

int board_tables_init(struct board_tables *t, const uint8_t *packed, size_t n, size_t plain_size, uint32_t hash)
{
    uLongf size = (uLongf)plain_size;

    *t = (struct board_tables) { .text = malloc(plain_size + 1), .size = plain_size, .hash = hash };
    if (t->text == NULL)
        return BMS_ERR_NOSPACE;
    if (uncompress((Bytef *)t->text, &size, packed, (uLong)n) == Z_OK && size == plain_size) {
        t->text[plain_size] = '\0';
        t->root = json_loadb(t->text, plain_size, JSON_REJECT_DUPLICATES, NULL);
    }
    if (t->root != NULL && is_right(t))
        return BMS_ERR_OK;
    board_tables_deinit(t);
    return BMS_ERR_CORRUPT;
}

void board_tables_deinit(struct board_tables *t)
{
    json_decref(t->root);
    free(t->text);
    *t = (struct board_tables) { 0 };
}

size_t board_tables_params(const struct board_tables *t)
{
    return json_array_size(rows_of(t, "params"));
}

void board_tables_row(const struct board_tables *t, size_t i, struct board_table_row *row)
{
    const json_t *of = json_array_get(rows_of(t, "params"), i);

    row->name = json_string_value(json_object_get(of, "name"));
    row->unit = json_string_value(json_object_get(of, "unit"));
    row->id = (uint16_t)json_integer_value(json_object_get(of, "id"));
    row->min = (int32_t)json_integer_value(json_object_get(of, "min"));
    row->max = (int32_t)json_integer_value(json_object_get(of, "max"));
}

int board_tables_find(const struct board_tables *t, const char *name, size_t n)
{
    struct board_table_row row;

    for (size_t i = 0; i < board_tables_params(t); i++) {
        board_tables_row(t, i, &row);
        if (strlen(row.name) == n && strncmp(row.name, name, n) == 0)
            return (int)i;
    }
    return BMS_ERR_UNKNOWN;
}
