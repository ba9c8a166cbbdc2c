/* SPDX-License-Identifier: Apache-2.0 */
/* store_extra.c -- a few statements for a few rows; what comes often is in store.c. */
#include "server/store/store_extra.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POISON_BYTES_MAX = 65536, TEXT_MAX = 24 };

#define UTC(param) "timestamptz 'epoch' + " param "::bigint * interval '1 ms'"

/* Prepared once for each connection, as planning takes longer than running it; looked for in each transaction, as behind a pooler the next one may run on
 * another connection. */
static const char join_span[] =
    "DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'join_span') THEN EXECUTE $sql$PREPARE join_span (text, "
    "text, bigint, smallint, integer, bigint, bigint, bigint, bigint, smallint, integer) AS "
    "WITH old AS (DELETE FROM alarm_span WHERE tenant = $1 AND device = $2 AND boot = $3 AND alarm = $4 AND number = $5 "
    "AND from_no <= $7::bigint + 1 AND to_no >= $6::bigint - 1 RETURNING *) "
    "INSERT INTO alarm_span (tenant, device, boot, alarm, number, from_no, to_no, from_at, to_at, level, value) "
    "SELECT $1, $2, $3, $4, $5, least($6::bigint, min(from_no)), greatest($7::bigint, max(to_no)), "
    "least(" UTC("$8") ", min(from_at)), greatest(" UTC(
        "$9") ", max(to_at)), greatest($10::smallint, max(level)), "
              "coalesce((SELECT value FROM old WHERE from_no < $6::bigint ORDER BY from_no LIMIT 1), $11) FROM old$sql$; END IF; END $do$";

/* The digest makes the same bytes one row, however often a device sends them. */
static const char add_poison[] =
    "INSERT INTO poison AS p (tenant, device, digest, reason, topic, epoch, seq, size, bytes, received_at) "
    "SELECT $1, $2, sha256(convert_to($4, 'UTF8') || $8::bytea), $3, $4, $5, $6, $7, substr($8::bytea, 1, 65536), " UTC(
        "$9") " "
              "ON CONFLICT (tenant, device, digest) DO UPDATE SET times = p.times + 1, again_at = excluded.received_at";

void store_extra_begin(struct store_extra *x)
{
    x->run_count = 0;
    x->poison_count = 0;
}

void store_extra_free(struct store_extra *x)
{
    free(x->runs);
    free(x->poisons);
    *x = (struct store_extra) { .runs = NULL };
}

/* Room for one more element, or NULL. */
static void *grow(void *list, size_t *room, size_t count, size_t element)
{
    if (count < *room)
        return list;
    size_t wanted = *room ? *room * 2 : 64;
    void *bigger = realloc(list, wanted * element);

    if (bigger)
        *room = wanted;
    return bigger;
}

int store_extra_add_run(struct store_extra *x, const char *device, uint32_t boot, const struct alarm_run *run)
{
    struct device_run *runs = grow(x->runs, &x->run_room, x->run_count, sizeof *runs);

    if (!runs)
        return BMS_ERR_NOSPACE;
    x->runs = runs;
    struct device_run *r = &runs[x->run_count++];

    snprintf(r->device, sizeof r->device, "%s", device);
    r->boot = boot;
    r->run = *run;
    return 0;
}

int store_extra_add_poison(struct store_extra *x, const struct poison *p)
{
    struct poison *poisons = grow(x->poisons, &x->poison_room, x->poison_count, sizeof *poisons);

    if (!poisons)
        return BMS_ERR_NOSPACE;
    x->poisons = poisons;
    poisons[x->poison_count++] = *p;
    return 0;
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_place(const void *left, const void *right)
{
    const struct device_run *a = left, *b = right;
    int d = strcmp(a->device, b->device);

    d = d ? d : compare(a->boot, b->boot);
    d = d ? d : compare((uint64_t)a->run.alarm << 16 | a->run.number, (uint64_t)b->run.alarm << 16 | b->run.number);
    return d ? d : compare(a->run.from_no, b->run.from_no);
}

static bool can_join(const struct device_run *a, const struct device_run *b)
{
    return strcmp(a->device, b->device) == 0 && a->boot == b->boot && a->run.alarm == b->run.alarm && a->run.number == b->run.number &&
           b->run.from_no <= a->run.to_no + 1;
}

/* Sort, and join what touches within the batch. Only then the database is asked. */
static void join_runs(struct store_extra *x)
{
    size_t n = 0;

    if (x->run_count == 0)
        return;
    qsort(x->runs, x->run_count, sizeof *x->runs, by_place);
    for (size_t i = 1; i < x->run_count; i++) {
        struct alarm_run *last = &x->runs[n].run;
        const struct alarm_run *next = &x->runs[i].run;

        if (!can_join(&x->runs[n], &x->runs[i])) {
            x->runs[++n] = x->runs[i];
            continue;
        }
        if (next->to_no > last->to_no) {
            last->to_no = next->to_no;
            last->to_ms = next->to_ms;
        }
        last->level = next->level > last->level ? next->level : last->level;
    }
    x->run_count = n + 1;
}

/* "<tenant>.<vehicle>" into its two halves; "" gives two empty ones. */
static const char *halve(const char *device, char *tenant, size_t size)
{
    size_t n = strcspn(device, ".");

    snprintf(tenant, size, "%.*s", (int)n, device);
    return device[n] ? device + n + 1 : "";
}

static int lock_device(struct db *db, const char *device)
{
    const char *params[] = { device };

    return db_query(db, "SELECT pg_advisory_xact_lock(hashtextextended($1, 20260103))", 1, params, NULL);
}

static int write_run(struct db *db, const struct device_run *r)
{
    char tenant[DEVICE_NAME_MAX + 1], text[9][TEXT_MAX];
    const char *vehicle = halve(r->device, tenant, sizeof tenant);
    const char *params[] = { tenant, vehicle, text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7], text[8] };

    snprintf(text[0], TEXT_MAX, "%lu", (unsigned long)r->boot);
    snprintf(text[1], TEXT_MAX, "%u", r->run.alarm);
    snprintf(text[2], TEXT_MAX, "%u", r->run.number);
    snprintf(text[3], TEXT_MAX, "%lu", (unsigned long)r->run.from_no);
    snprintf(text[4], TEXT_MAX, "%lu", (unsigned long)r->run.to_no);
    snprintf(text[5], TEXT_MAX, "%lld", (long long)r->run.from_ms);
    snprintf(text[6], TEXT_MAX, "%lld", (long long)r->run.to_ms);
    snprintf(text[7], TEXT_MAX, "%u", r->run.level);
    snprintf(text[8], TEXT_MAX, "%d", r->run.value);
    if (db_open(db) != 0)
        return BMS_ERR_IO;
    PGresult *res = PQexecPrepared(db->conn, "join_span", 11, params, NULL, NULL, 0);
    int err = db_check(db, res);

    PQclear(res);
    return err;
}

static int write_poison(struct db *db, const struct poison *p)
{
    char tenant[DEVICE_NAME_MAX + 1], epoch[TEXT_MAX], seq[TEXT_MAX], size[TEXT_MAX], at[TEXT_MAX];
    const char *vehicle = halve(p->device, tenant, sizeof tenant);
    size_t kept = p->size < POISON_BYTES_MAX ? p->size : POISON_BYTES_MAX;
    const char *values[] = { tenant,
                             vehicle,
                             poison_word(p->reason),
                             p->topic,
                             p->named ? epoch : NULL,
                             p->named ? seq : NULL,
                             size,
                             kept ? (const char *)p->bytes : "",
                             at };
    const int lengths[] = { 0, 0, 0, 0, 0, 0, 0, (int)kept, 0 };
    const int formats[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0 };

    snprintf(epoch, TEXT_MAX, "%lld", (long long)p->epoch);
    snprintf(seq, TEXT_MAX, "%lld", (long long)p->seq);
    snprintf(size, TEXT_MAX, "%zu", p->size);
    snprintf(at, TEXT_MAX, "%lld", (long long)p->received_ms);
    if (db_open(db) != 0)
        return BMS_ERR_IO;
    PGresult *res = PQexecParams(db->conn, add_poison, 9, NULL, values, lengths, formats, 0);
    int err = db_check(db, res);

    PQclear(res);
    return err;
}

int store_extra_write(struct store_extra *x, struct db *db)
{
    int err = x->run_count > 0 ? db_exec(db, join_span) : 0;

    join_runs(x);
    for (size_t i = 0; !err && i < x->run_count; i++) {
        if (i == 0 || strcmp(x->runs[i].device, x->runs[i - 1].device) != 0)
            err = lock_device(db, x->runs[i].device);
        err = err ? err : write_run(db, &x->runs[i]);
    }
    for (size_t i = 0; !err && i < x->poison_count; i++)
        err = write_poison(db, &x->poisons[i]);
    return err;
}
