/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_tables.c -- catalogue, and parameters by the board's own tables when these are not ours. */
#include "local/app/ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "local/core/catalogue_upload.h"
#include "local/core/did_values.h"
#include "proto/tables.h"

enum { START_ROUTINE = 1, ASK_ANSWER = 3 + 12, WRITES_MAX = COMMAND_WRITES_MAX };

struct values {
    int32_t running[BOARD_TABLES_PARAMS_MAX], stored[BOARD_TABLES_PARAMS_MAX];
};

struct wanted {
    size_t row;
    int32_t value;
};

int ctl_ask_tables(struct ctl *c, bool *others)
{
    static const uint8_t request[] = { UDS_READ_DATA, DID_CATALOGUE >> 8, DID_CATALOGUE & 0xFF };
    const struct tester *t = &c->cable.tester;
    int end = ctl_run(c, tester_ask(&c->cable.tester, request, sizeof(request), TESTER_OPEN), true);

    *others = false;
    if (end == EXIT_DONE && t->answer_n == ASK_ANSWER) {
        c->board_hash = get_be32(t->answer + 3);
        *others = c->board_hash != tables_hash();
        return EXIT_DONE;
    }
    if (t->end == TESTER_REFUSED)
        return EXIT_DONE; /* an older board, which has no catalogue: what is written is checked by the tester */
    return ctl_fail("%s", end == EXIT_DONE ? "the board's answer makes no sense" : t->detail);
}

int ctl_need_our_tables(struct ctl *c)
{
    bool others;

    if (ctl_ask_tables(c, &others) != EXIT_DONE)
        return EXIT_FAILED;
    return !others ? EXIT_DONE
                   : ctl_fail("the board has the tables %08" PRIx32 ", this program %08" PRIx32
                              ": files need a program with the board's tables",
                              c->board_hash, tables_hash());
}

/* Upload, unpack, check. */
static int load_tables(struct ctl *c)
{
    static uint8_t packed[CATALOGUE_PACKED_MAX];
    struct catalogue_upload u;
    uint8_t request[CATALOGUE_REQUEST_MAX];
    size_t n;

    catalogue_upload_start(&u, packed);
    while ((n = catalogue_upload_request(&u, request)) > 0) { /* each answer brings at least a byte of at most CATALOGUE_PACKED_MAX */
        if (ctl_ask(c, request, n, TESTER_OPEN) != EXIT_DONE)
            return EXIT_FAILED;
        if (catalogue_upload_answer(&u, c->cable.tester.answer, c->cable.tester.answer_n) != BMS_ERR_OK)
            return ctl_fail("the board's answer makes no sense");
    }
    c->board_hash = u.hash;
    int err = board_tables_init(&c->tables, packed, u.packed_size, u.plain_size, u.hash);

    return err == BMS_ERR_OK        ? EXIT_DONE
           : err == BMS_ERR_NOSPACE ? ctl_fail("no memory")
                                    : ctl_fail("the board's tables are damaged: their rows do not have the hash %08" PRIx32, u.hash);
}

int ctl_catalogue(struct ctl *c, int argc, char *const argv[])
{
    char why[WIRE_WHY];
    const char *path = NULL;

    for (int i = 1; i < argc; i++)
        if ((path = options_value("out", argc, argv, &i, why, sizeof(why))) == NULL)
            return ctl_usage("catalogue [--out FILE]");
    if (load_tables(c) != EXIT_DONE)
        return EXIT_FAILED;
    FILE *to = path == NULL ? stdout : fopen(path, "w");
    bool good = to != NULL && fwrite(c->tables.text, 1, c->tables.size, to) == c->tables.size;

    if (to != NULL && to != stdout)
        good = fclose(to) == 0 && good;
    if (!good)
        return ctl_fail("'%s' cannot be written", path ? path : "standard output");
    fprintf(stderr, "tables %08" PRIx32 ", %zu parameters; this program has %08" PRIx32 "\n", c->tables.hash,
            board_tables_params(&c->tables), tables_hash());
    return EXIT_DONE;
}

/* One copy of rows from `at` on, as many as a request takes, into to[]. */
static int read_block(struct ctl *c, uint16_t base, size_t at, size_t count, int32_t *to)
{
    uint8_t request[DID_VALUES_REQUEST_MAX];
    uint16_t id[DID_VALUES_BLOCK];
    struct board_table_row row;

    for (size_t i = 0; i < count; i++) {
        board_tables_row(&c->tables, at + i, &row);
        id[i] = row.id;
    }
    size_t n = did_values_request(base, id, count, request);

    if (ctl_ask(c, request, n, TESTER_OPEN) != EXIT_DONE)
        return EXIT_FAILED;
    if (did_values_take(request, n, c->cable.tester.answer, c->cable.tester.answer_n, to + at) != BMS_ERR_OK)
        return ctl_fail("the board's answer makes no sense");
    return EXIT_DONE;
}

static int read_values(struct ctl *c, struct values *v)
{
    size_t rows = board_tables_params(&c->tables);

    for (size_t at = 0; at < rows; at += DID_VALUES_BLOCK) {
        size_t count = rows - at < DID_VALUES_BLOCK ? rows - at : DID_VALUES_BLOCK;

        if (read_block(c, DID_PARAM_RUNNING, at, count, v->running) != EXIT_DONE ||
            read_block(c, DID_PARAM_STORED, at, count, v->stored) != EXIT_DONE)
            return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static void show(struct ctl *c, const struct values *v, size_t i)
{
    struct board_table_row row;

    board_tables_row(&c->tables, i, &row);
    if (!c->json) {
        printf("%-40s %12" PRId32 " %12" PRId32 "  %s%s\n", row.name, v->running[i], v->stored[i], row.unit,
               v->running[i] == v->stored[i] ? "" : "  not stored");
        return;
    }
    jsonw_object(&c->out);
    jsonw_member_int(&c->out, "id", row.id);
    jsonw_member_str(&c->out, "name", row.name);
    jsonw_member_int(&c->out, "running", v->running[i]);
    jsonw_member_int(&c->out, "stored", v->stored[i]);
    jsonw_member_str(&c->out, "unit", row.unit);
    jsonw_object_end(&c->out);
}

static void begin_list(struct ctl *c)
{
    char hash[9];

    fprintf(stderr, "note: by the board's own tables %08" PRIx32 ", this program has %08" PRIx32 "\n", c->board_hash, tables_hash());
    if (!c->json) {
        printf("%-40s %12s %12s  %s\n", "parameter", "running", "stored", "unit");
        return;
    }
    snprintf(hash, sizeof(hash), "%08" PRIx32, c->board_hash);
    jsonw_object(&c->out);
    jsonw_member_str(&c->out, "tables", hash);
    jsonw_key(&c->out, "values");
    jsonw_array(&c->out);
}

static void end_list(struct ctl *c)
{
    if (!c->json)
        return;
    jsonw_array_end(&c->out);
    jsonw_object_end(&c->out);
}

int ctl_get_by_board(struct ctl *c, int argc, char *const argv[])
{
    static struct values v;

    if (load_tables(c) != EXIT_DONE)
        return EXIT_FAILED;
    for (int i = 0; i < argc; i++)
        if (board_tables_find(&c->tables, argv[i], strlen(argv[i])) < 0)
            return ctl_usage("the board has no parameter '%s'", argv[i]);
    if (read_values(c, &v) != EXIT_DONE)
        return EXIT_FAILED;
    begin_list(c);
    for (size_t p = 0; p < board_tables_params(&c->tables) && argc == 0; p++)
        show(c, &v, p);
    for (int i = 0; i < argc; i++)
        show(c, &v, (size_t)board_tables_find(&c->tables, argv[i], strlen(argv[i])));
    end_list(c);
    return EXIT_DONE;
}

/* NAME=VALUE by the board's names and ranges. EXIT_*. */
static int want(struct ctl *c, const char *text, struct wanted *w)
{
    const char *equals = strchr(text, '=');
    int p = equals ? board_tables_find(&c->tables, text, (size_t)(equals - text)) : -1;
    struct board_table_row row;
    long value;

    if (equals == NULL)
        return ctl_usage("'%s' is not NAME=VALUE", text);
    if (p < 0)
        return ctl_usage("the board has no parameter '%.*s'", (int)(equals - text), text);
    if (!options_number(equals + 1, INT32_MIN, INT32_MAX, &value))
        return ctl_usage("'%s' is not a whole number", equals + 1);
    board_tables_row(&c->tables, (size_t)p, &row);
    if (value < row.min || value > row.max)
        return ctl_fail("%s must be from %" PRId32 " to %" PRId32 " %s on this board, not %ld", row.name, row.min, row.max, row.unit,
                        value);
    *w = (struct wanted) { .row = (size_t)p, .value = (int32_t)value };
    return EXIT_DONE;
}

static int write_one(struct ctl *c, const struct wanted *w)
{
    uint8_t request[7] = { UDS_WRITE_DATA };
    struct board_table_row row;

    board_tables_row(&c->tables, w->row, &row);
    put_be16(request + 1, (uint16_t)(DID_PARAM_RUNNING + row.id));
    put_be32(request + 3, (uint32_t)w->value);
    return ctl_ask(c, request, sizeof(request), TESTER_MAY_KEY);
}

/* Show each value and prove it. */
static int prove(struct ctl *c, const struct wanted *w, size_t count, bool store)
{
    static struct values v;
    bool good = true;

    if (read_values(c, &v) != EXIT_DONE)
        return EXIT_FAILED;
    begin_list(c);
    for (size_t i = 0; i < count; i++) {
        show(c, &v, w[i].row);
        good = good && v.running[w[i].row] == w[i].value;
    }
    end_list(c);
    for (size_t i = 0; i < board_tables_params(&c->tables) && store; i++)
        good = good && v.running[i] == v.stored[i];
    return good ? EXIT_DONE : ctl_fail("not everything reads back as wanted");
}

int ctl_write_by_board(struct ctl *c, int argc, char *const argv[], bool store)
{
    static const uint8_t flash[] = { UDS_ROUTINE, START_ROUTINE, UDS_ROUTINE_STORE >> 8, UDS_ROUTINE_STORE & 0xFF };
    static struct wanted wanted[WRITES_MAX];
    size_t count = 0;

    if (argc - 1 > WRITES_MAX)
        return ctl_usage("at most %d values at once", WRITES_MAX);
    if (load_tables(c) != EXIT_DONE)
        return EXIT_FAILED;
    for (int i = 1; i < argc; i++) { /* all are looked at before the first is sent */
        int bad = want(c, argv[i], &wanted[count++]);

        if (bad)
            return bad;
    }
    for (size_t i = 0; i < count; i++)
        if (write_one(c, &wanted[i]) != EXIT_DONE)
            return EXIT_FAILED;
    if (store && ctl_ask(c, flash, sizeof(flash), TESTER_MAY_KEY) != EXIT_DONE)
        return EXIT_FAILED;
    return prove(c, wanted, count, store);
}
