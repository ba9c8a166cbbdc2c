/* SPDX-License-Identifier: Apache-2.0 */
/* serve_tables.c -- the page of a board whose tables are not this program's: which they are, and its parameters by its own names. Read only. */
#include "local/app/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/err.h"
#include "proto/tables.h"

static void put_hash(struct http_exchange *ex, const char *name, bool known, uint32_t hash)
{
    char text[9];

    snprintf(text, sizeof(text), "%08" PRIx32, hash);
    if (known)
        jsonw_member_str(&ex->out, name, text);
    else
        jsonw_member_opt(&ex->out, name, false, 0);
}

static void put_row(struct http_exchange *ex, const struct board_other_row *row)
{
    jsonw_object(&ex->out);
    jsonw_member_int(&ex->out, "id", row->id);
    jsonw_member_str(&ex->out, "name", row->name);
    jsonw_member_str(&ex->out, "unit", row->unit);
    jsonw_member_int(&ex->out, "min", row->min);
    jsonw_member_int(&ex->out, "max", row->max);
    jsonw_member_int(&ex->out, "running", row->running);
    jsonw_member_int(&ex->out, "stored", row->stored);
    jsonw_object_end(&ex->out);
}

void serve_get_tables(struct http_exchange *ex)
{
    struct serve *s = ex->ctx;
    struct board_other other;

    if (!serve_is_our_vehicle(ex))
        return;
    board_other(s->board, &other);
    if (ex->status == 0)
        ex->status = 200;
    jsonw_object(&ex->out);
    put_hash(ex, "ours", true, tables_hash());
    put_hash(ex, "board", other.known, other.hash);
    jsonw_member_str(&ex->out, "state", serve_work_word(other.state));
    jsonw_member_str(&ex->out, "detail", other.detail);
    jsonw_member_int(&ex->out, "got", other.got);
    jsonw_member_int(&ex->out, "size", other.size);
    jsonw_key(&ex->out, "params");
    jsonw_array(&ex->out);
    for (size_t i = 0; i < other.count; i++)
        put_row(ex, &other.rows[i]);
    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
    free(other.rows);
}

void serve_read_tables(struct http_exchange *ex)
{
    struct serve *s = ex->ctx;

    if (!serve_is_our_vehicle(ex))
        return;
    if (board_read_other(s->board) != BMS_ERR_OK) {
        http_problem(ex, 409, "busy", NULL, "the board has this program's tables, or its own are being read already");
        return;
    }
    ex->status = 202;
    serve_get_tables(ex);
}
