/* SPDX-License-Identifier: Apache-2.0 */
/* board_tables.h -- the tables that a board handed out (catalogue.json), unpacked, checked, and asked for its parameters.
 *
 * The hash is made anew from the rows, as proto/tables_hash.c makes it, and must be that of the document and that of the board's identifier: tables
 * that were damaged or mixed on the way are refused.
 */
#ifndef LOCAL_APP_BOARD_TABLES_H
#define LOCAL_APP_BOARD_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { BOARD_TABLES_PARAMS_MAX = 2048, BOARD_TABLES_ID_MAX = 0xFFF };

struct board_tables {
    char *text; /* the JSON as the board has it, plain_size bytes and a zero */
    size_t size;
    json_t *root;
    uint32_t hash;
};

struct board_table_row {
    const char *name, *unit; /* valid until board_tables_deinit() */
    uint16_t id;
    int32_t min, max;
};

/* Unpack packed[n], which must give plain_size bytes with this hash. 0, BMS_ERR_CORRUPT, or BMS_ERR_NOSPACE without memory; then nothing is to be
 * freed. */
int board_tables_init(struct board_tables *t, const uint8_t *packed, size_t n, size_t plain_size, uint32_t hash);
void board_tables_deinit(struct board_tables *t);

/* Parameters, at most BOARD_TABLES_PARAMS_MAX; row `i` of them; the row of this name: its index, or BMS_ERR_UNKNOWN. */
size_t board_tables_params(const struct board_tables *t);
void board_tables_row(const struct board_tables *t, size_t i, struct board_table_row *row);
int board_tables_find(const struct board_tables *t, const char *name, size_t n);

#endif
