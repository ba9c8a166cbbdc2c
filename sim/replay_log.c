/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay_log.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/err.h"

enum { CELL_MAX_mV = 5000, TEMP_MIN_C = -40, TEMP_MAX_C = 125 };

static const double time_max_s = 1e10;

static int refuse(struct replay_log *log, int err, const char *format, ...)
{
    va_list args;
    int n = snprintf(log->error, sizeof(log->error), "%s: ", log->path);

    if (n < 0 || (size_t)n >= sizeof(log->error))
        return err;
    va_start(args, format);
    vsnprintf(log->error + n, sizeof(log->error) - (size_t)n, format, args);
    va_end(args);
    return err;
}

/* One line without its end: 1, 0 at the end of the file, or an error. */
static int read_line(struct replay_log *log, char *text)
{
    int err;

    if (!gzgets(log->file, text, REPLAY_LINE_MAX)) {
        const char *why = gzerror(log->file, &err);

        if (err == Z_OK || err == Z_STREAM_END)
            return 0;
        if (err == Z_BUF_ERROR)
            return refuse(log, BMS_ERR_TRUNCATED, "line %u: the compressed file is cut short", log->line + 1);
        return refuse(log, BMS_ERR_CORRUPT, "line %u: cannot be read: %s", log->line + 1, err == Z_ERRNO ? strerror(errno) : why);
    }
    log->line++;
    size_t n = strlen(text);

    if (n == REPLAY_LINE_MAX - 1 && text[n - 1] != '\n')
        return refuse(log, BMS_ERR_RANGE, "line %u is longer than %d characters", log->line, REPLAY_LINE_MAX - 2);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        text[--n] = 0;
    return 1;
}

/* "<prefix><number><suffix>": the number from 1, or 0 when the name is another one. */
static int numbered(const char *name, char prefix, const char *suffix)
{
    char *end;

    if (name[0] != prefix || name[1] < '1' || name[1] > '9')
        return 0;
    long k = strtol(name + 1, &end, 10);

    return strcmp(end, suffix) == 0 && k < 100000 ? (int)k : 0;
}

static struct replay_column column_by_name(const char *name)
{
    int cell = numbered(name, 'c', "_mV");
    int temp = numbered(name, 't', "_C");

    if (strcmp(name, "t_s") == 0)
        return (struct replay_column) { .kind = REPLAY_TIME };
    if (strcmp(name, "i_A") == 0)
        return (struct replay_column) { .kind = REPLAY_CURRENT };
    if (strcmp(name, "pack_V") == 0)
        return (struct replay_column) { .kind = REPLAY_PACK };
    if (cell)
        return (struct replay_column) { .kind = REPLAY_CELL, .index = cell - 1 };
    if (temp)
        return (struct replay_column) { .kind = REPLAY_TEMP, .index = temp - 1 };
    return (struct replay_column) { .kind = REPLAY_OTHER };
}

/* Field i of a line, in place; fields end with 0 after split(). */
static size_t split(char *text, char *field[REPLAY_COLUMNS_MAX])
{
    size_t n = 0;

    for (char *p = text; p; n++) {
        char *comma = strchr(p, ',');

        if (n < REPLAY_COLUMNS_MAX)
            field[n] = p;
        if (comma)
            *comma++ = 0;
        p = comma;
    }
    return n;
}

static const char *column_name(const struct replay_log *log, size_t i)
{
    const char *p = log->header;

    while (i-- > 0)
        p += strlen(p) + 1;
    return p;
}

static int count_columns(struct replay_log *log, int number[REPLAY_TEMP + 1])
{
    for (size_t i = 0; i < log->columns; i++) {
        const struct replay_column *c = &log->column[i];

        for (size_t k = 0; k < i && c->kind != REPLAY_OTHER; k++) {
            if (log->column[k].kind == c->kind && log->column[k].index == c->index)
                return refuse(log, BMS_ERR_CORRUPT, "line 1: column %s (%zu) is there twice", column_name(log, i), i + 1);
        }
        number[c->kind]++;
        if (c->kind == REPLAY_CELL && c->index + 1 > log->cells)
            log->cells = c->index + 1;
        if (c->kind == REPLAY_TEMP && c->index + 1 > log->temps)
            log->temps = c->index + 1;
    }
    return BMS_ERR_OK;
}

static int check_columns(struct replay_log *log)
{
    int number[REPLAY_TEMP + 1] = { 0 };
    int err = count_columns(log, number);

    if (err)
        return err;
    if (!number[REPLAY_TIME])
        return refuse(log, BMS_ERR_CORRUPT, "line 1: there is no column t_s");
    if (!number[REPLAY_CURRENT])
        return refuse(log, BMS_ERR_CORRUPT, "line 1: there is no column i_A");
    if (log->cells > PACK_CELLS_MAX)
        return refuse(log, BMS_ERR_RANGE, "line 1: column c%d_mV: a pack has at most %d cells", log->cells, PACK_CELLS_MAX);
    for (int k = 0; k < log->cells || k == 0; k++) {
        size_t i = 0;

        while (i < log->columns && !(log->column[i].kind == REPLAY_CELL && log->column[i].index == k))
            i++;
        if (i == log->columns)
            return refuse(log, BMS_ERR_CORRUPT, "line 1: there is no column c%d_mV", k + 1);
    }
    if (log->cells < PACK_CELLS_MIN)
        return refuse(log, BMS_ERR_RANGE, "line 1: %d cell columns: a pack has at least %d cells", log->cells, PACK_CELLS_MIN);
    if (log->temps > PACK_TEMPS_MAX)
        return refuse(log, BMS_ERR_RANGE, "line 1: column t%d_C: a pack has at most %d probes", log->temps, PACK_TEMPS_MAX);
    log->has_pack_V = number[REPLAY_PACK] != 0;
    return BMS_ERR_OK;
}

static int read_header(struct replay_log *log)
{
    char *name[REPLAY_COLUMNS_MAX];
    int got = read_line(log, log->header);

    if (got < 0)
        return got;
    if (got == 0)
        return refuse(log, BMS_ERR_CORRUPT, "is empty");
    log->columns = split(log->header, name);
    if (log->columns > REPLAY_COLUMNS_MAX)
        return refuse(log, BMS_ERR_RANGE, "line 1: more than %d columns", REPLAY_COLUMNS_MAX);
    for (size_t i = 0; i < log->columns; i++)
        log->column[i] = column_by_name(name[i]);
    return check_columns(log);
}

/* A decimal number and nothing else; NAN for an empty field. */
static bool parse_number(const char *text, double *v)
{
    char *end;

    *v = NAN;
    if (*text == 0)
        return true;
    if (strspn(text, "+-.0123456789eE") != strlen(text))
        return false;
    *v = strtod(text, &end);
    return *end == 0 && isfinite(*v);
}

static bool is_plausible(enum replay_kind kind, double v)
{
    switch (kind) {
    case REPLAY_CELL:
        return v >= 0 && v <= CELL_MAX_mV; /* false for NAN, too */
    case REPLAY_TEMP:
        return v >= TEMP_MIN_C && v <= TEMP_MAX_C;
    default:
        return !isnan(v);
    }
}

static double *place_of(struct replay_row *row, const struct replay_column *c)
{
    switch (c->kind) {
    case REPLAY_TIME:
        return &row->t_s;
    case REPLAY_CURRENT:
        return &row->current_A;
    case REPLAY_PACK:
        return &row->pack_V;
    case REPLAY_CELL:
        return &row->cell_mV[c->index];
    default:
        return &row->temp_C[c->index];
    }
}

static int take_time(struct replay_log *log, double t_s)
{
    if (isnan(t_s) || fabs(t_s) > time_max_s)
        return refuse(log, BMS_ERR_CORRUPT, "line %u, column t_s: there is no time", log->line);
    if (log->line > 2 && t_s < log->row.t_s)
        return refuse(log, BMS_ERR_CORRUPT, "line %u, column t_s: time goes back from %g to %g", log->line, log->row.t_s, t_s);
    log->row.t_s = t_s;
    return BMS_ERR_OK;
}

/* What is not fitted has no holes. */
static bool is_counted(const struct replay_log *log, const struct replay_column *c)
{
    return c->kind == REPLAY_TEMP ? log->fitted[c->index] : c->kind != REPLAY_PACK || log->has_pack_V;
}

static int take_field(struct replay_log *log, size_t i, const char *text)
{
    struct replay_column *c = &log->column[i];
    double v;

    if (c->kind == REPLAY_OTHER)
        return BMS_ERR_OK;
    if (!parse_number(text, &v))
        return refuse(log, BMS_ERR_CORRUPT, "line %u, column %s (%zu): '%.40s' is not a number", log->line, column_name(log, i), i + 1,
                      text);
    if (c->kind == REPLAY_TIME)
        return take_time(log, v);
    bool good = is_plausible(c->kind, v);

    if (good) {
        *place_of(&log->row, c) = v;
        if (!c->seen)
            c->first = v;
        c->seen = true;
    } else if (is_counted(log, c)) {
        log->holes++;
    }
    if (c->kind == REPLAY_CELL)
        log->row.hole[c->index] = !good;
    return BMS_ERR_OK;
}

int replay_next(struct replay_log *log)
{
    char *field[REPLAY_COLUMNS_MAX];
    int got = read_line(log, log->text);

    if (got <= 0)
        return got;
    size_t n = split(log->text, field);

    if (n != log->columns)
        return refuse(log, BMS_ERR_CORRUPT, "line %u: %zu columns, not %zu", log->line, n, log->columns);
    for (size_t i = 0; i < n; i++) {
        int err = take_field(log, i, field[i]);

        if (err)
            return err;
    }
    if (!log->has_pack_V) {
        log->row.pack_V = 0;
        for (int k = 0; k < log->cells; k++)
            log->row.pack_V += log->row.cell_mV[k] / 1000;
    }
    return 1;
}

/* Every column that is needed has a value somewhere; what stands before the first one is the first one. */
static int settle_columns(struct replay_log *log)
{
    for (size_t i = 0; i < log->columns; i++) {
        const struct replay_column *c = &log->column[i];

        if (c->kind == REPLAY_TEMP)
            log->fitted[c->index] = c->seen;
        if (c->seen)
            *place_of(&log->row, c) = c->first;
        else if (c->kind == REPLAY_CELL || c->kind == REPLAY_CURRENT)
            return refuse(log, BMS_ERR_CORRUPT, "column %s (%zu) never has a value", column_name(log, i), i + 1);
        else if (c->kind == REPLAY_PACK)
            log->has_pack_V = false;
    }
    return BMS_ERR_OK;
}

static int read_all_once(struct replay_log *log)
{
    int got = read_header(log);

    if (got < 0)
        return got;
    while ((got = replay_next(log)) == 1) {
        if (log->line == 2)
            log->first_s = log->row.t_s;
    }
    if (got < 0)
        return got;
    log->rows = log->line - 1;
    if (log->rows == 0)
        return refuse(log, BMS_ERR_CORRUPT, "has no rows");
    log->last_s = log->row.t_s;
    return settle_columns(log);
}

/* Back to the first row, with what the first reading has learned. */
static int begin_again(struct replay_log *log)
{
    if (gzrewind(log->file) != 0)
        return refuse(log, BMS_ERR_IO, "cannot be read twice");
    log->line = 0;
    int got = read_line(log, log->text);

    if (got <= 0)
        return got < 0 ? got : refuse(log, BMS_ERR_IO, "was changed meanwhile");
    log->holes = 0;
    return BMS_ERR_OK;
}

int replay_open(struct replay_log *log, const char *path)
{
    memset(log, 0, sizeof(*log));
    log->path = path;
    log->file = gzopen(path, "rb");
    if (!log->file)
        return refuse(log, BMS_ERR_IO, "cannot be opened: %s", strerror(errno ? errno : ENOMEM));
    gzbuffer(log->file, 128 * 1024);
    int err = read_all_once(log);

    if (err == BMS_ERR_OK)
        err = begin_again(log);
    if (err != BMS_ERR_OK)
        replay_close(log);
    return err;
}

void replay_close(struct replay_log *log)
{
    if (log->file)
        gzclose(log->file);
    log->file = NULL;
}
