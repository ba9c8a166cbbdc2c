/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c -- cellwarden-verify: does the database hold what the boards measured?
 *
 * For each pair of --device and --truth it reads every record of the device, decodes it, and looks each sample up in the truth file.
 *   lost        samples of the file that no record has           duplicates  samples that were stored more than once
 *   mismatched  samples whose cells or temperatures differ       unknown     stored samples that the file does not have
 * One JSON object on standard output; exit 0 when nothing is lost, doubled or different, 1 when something is, 2 for wrong usage.
 */
#include "common/bytes.h"
#include "common/err.h"
#include "proto/body.h"
#include "tools/truth_file.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIRS_MAX = 1000, FETCH = 500 };

struct counts {
    unsigned long frames_in, frames_stored, lost, duplicates, mismatched, unknown, unreadable, poison;
    long max_cell_error_mV;
};

struct pair {
    const char *device, *path;
    struct counts counts;
};

struct options {
    const char *database;
    struct pair pairs[PAIRS_MAX];
    size_t devices, truths;
    int wait_s;
};

static void compare_sample(const struct sample *s, const struct truth_entry *t, struct counts *c)
{
    bool same = s->cells == t->cells && s->temps == t->temps;

    for (int i = 0; same && i < s->cells; i++) {
        uint16_t world = get_le16(t->world_mV + 2 * i);
        long error = labs((long)s->cell_mV[i] - (long)world);

        same = s->cell_mV[i] == get_le16(t->measured_mV + 2 * i);
        if (world != 0xFFFF && cell_validity(s->cell_mV[i]) == VALIDITY_OK && error > c->max_cell_error_mV)
            c->max_cell_error_mV = error;
    }
    for (int i = 0; same && i < s->temps; i++)
        same = (uint16_t)s->temp_ddegC[i] == get_le16(t->temps_ddegC + 2 * i);
    c->mismatched += !same;
}

static void take_record(const uint8_t *bytes, size_t size, const struct truth_file *t, struct counts *c)
{
    struct sample samples[RECORD_SAMPLES_MAX];
    struct record r;

    if (record_open(bytes, size, &r) != 0 || body_decode(&r, samples) != 0) {
        c->unreadable++;
        return;
    }
    for (uint32_t i = 0; i < r.count; i++) {
        struct truth_entry *e = truth_find(t, samples[i].boot, samples[i].no);

        if (!e) {
            c->unknown++;
            continue;
        }
        if (e->seen++)
            c->duplicates++;
        else
            c->frames_stored++;
        compare_sample(&samples[i], e, c);
    }
}

static PGresult *query(PGconn *db, const char *sql, int n, const char *const *params, int binary)
{
    PGresult *res = PQexecParams(db, sql, n, NULL, params, NULL, NULL, binary);
    ExecStatusType status = PQresultStatus(res);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return res;
    fprintf(stderr, "cellwarden-verify: %s", PQerrorMessage(db));
    PQclear(res);
    return NULL;
}

/* All records of one device, FETCH at a time. Returns 0 or BMS_ERR_IO. */
static int read_records(PGconn *db, const char *const *name, const struct truth_file *t, struct counts *c)
{
    char fetch[40];
    int rows = 0;
    PGresult *res = query(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, 0);

    PQclear(res);
    res = res ? query(db, "DECLARE r NO SCROLL CURSOR FOR SELECT record FROM record WHERE tenant = $1 AND device = $2", 2, name, 0) : NULL;
    PQclear(res);
    if (!res)
        return BMS_ERR_IO;
    snprintf(fetch, sizeof fetch, "FETCH %d FROM r", FETCH);
    do {
        res = query(db, fetch, 0, NULL, 1);
        if (!res)
            return BMS_ERR_IO;
        rows = PQntuples(res);
        for (int i = 0; i < rows; i++)
            take_record((const uint8_t *)PQgetvalue(res, i, 0), (size_t)PQgetlength(res, i, 0), t, c);
        PQclear(res);
    } while (rows == FETCH);
    res = query(db, "COMMIT", 0, NULL, 0);
    PQclear(res);
    return res ? 0 : BMS_ERR_IO;
}

static int verify_one(PGconn *db, struct pair *p)
{
    char tenant[DEVICE_NAME_MAX + 1];
    struct truth_file t;
    const char *dot = strchr(p->device, '.');
    const char *name[] = { tenant, dot ? dot + 1 : "" };
    int err = truth_load(&t, p->path);

    if (err) {
        fprintf(stderr, "cellwarden-verify: %s: %s\n", p->path, bms_err_text(err));
        return err;
    }
    snprintf(tenant, sizeof tenant, "%.*s", dot ? (int)(dot - p->device) : 0, p->device);
    p->counts = (struct counts) { .frames_in = t.count };
    err = read_records(db, name, &t, &p->counts);
    PGresult *res = err ? NULL : query(db, "SELECT count(*) FROM poison WHERE tenant = $1 AND device = $2", 2, name, 0);

    if (res)
        p->counts.poison = strtoul(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    p->counts.lost = p->counts.frames_in - p->counts.frames_stored;
    truth_free(&t);
    return res ? 0 : BMS_ERR_IO;
}

static void add(struct counts *sum, const struct counts *c)
{
    sum->frames_in += c->frames_in;
    sum->frames_stored += c->frames_stored;
    sum->lost += c->lost;
    sum->duplicates += c->duplicates;
    sum->mismatched += c->mismatched;
    sum->unknown += c->unknown;
    sum->unreadable += c->unreadable;
    sum->poison += c->poison;
    if (c->max_cell_error_mV > sum->max_cell_error_mV)
        sum->max_cell_error_mV = c->max_cell_error_mV;
}

static bool is_good(const struct counts *c)
{
    return c->lost == 0 && c->duplicates == 0 && c->mismatched == 0 && c->unreadable == 0;
}

static void print_counts(const char *device, const struct counts *c)
{
    printf("{\"device\":\"%s\",\"frames_in\":%lu,\"frames_stored\":%lu,\"lost\":%lu,\"duplicates\":%lu,\"mismatched\":%lu,"
           "\"max_cell_error_mV\":%ld,\"poison\":%lu,\"unknown\":%lu,\"unreadable\":%lu",
           device, c->frames_in, c->frames_stored, c->lost, c->duplicates, c->mismatched, c->max_cell_error_mV, c->poison, c->unknown,
           c->unreadable);
}

static void print_all(const struct options *o, const struct counts *sum)
{
    if (o->devices == 1) {
        print_counts(o->pairs[0].device, sum);
    } else {
        print_counts("*", sum);
        printf(",\"devices\":[");
        for (size_t i = 0; i < o->devices; i++) {
            printf("%s", i ? "," : "");
            print_counts(o->pairs[i].device, &o->pairs[i].counts);
            printf("}");
        }
        printf("]");
    }
    printf("}\n");
}

static int verify_all(struct options *o, struct counts *sum)
{
    PGconn *db = PQconnectdb(o->database);
    int err = PQstatus(db) == CONNECTION_OK ? 0 : BMS_ERR_IO;

    *sum = (struct counts) { 0 };
    if (err)
        fprintf(stderr, "cellwarden-verify: %s", PQerrorMessage(db));
    for (size_t i = 0; !err && i < o->devices; i++) {
        err = verify_one(db, &o->pairs[i]);
        add(sum, &o->pairs[i].counts);
    }
    PQfinish(db);
    return err;
}

/* Again and again until all is there or the time is over. The look itself is the progress: it is cheap beside what it waits for. */
static int wait_and_verify(struct options *o, struct counts *sum)
{
    time_t until = time(NULL) + o->wait_s;

    for (;;) {
        int err = verify_all(o, sum);

        if ((!err && sum->lost == 0) || time(NULL) >= until)
            return err;
        fprintf(stderr, "cellwarden-verify: %lu of %lu frames stored, waiting\n", sum->frames_stored, sum->frames_in);
        for (int i = 0; i < 2 + (int)(sum->frames_in / 100000) && time(NULL) < until; i++) {
            struct timespec t = { .tv_nsec = 500000000 };

            nanosleep(&t, NULL);
        }
    }
}

static int usage(const char *why)
{
    fprintf(stderr,
            "cellwarden-verify: %s\n"
            "usage: cellwarden-verify --database CONNINFO --device TENANT.VEHICLE --truth FILE [--device .. --truth ..] [--wait SECONDS] "
            "[--json]\n"
            "\n  --database CONNINFO  PostgreSQL, a libpq connection string (CELLWARDEN_DATABASE)\n"
            "  --device NAME        whose records to read; with several, the k-th --truth belongs to the k-th --device\n"
            "  --truth FILE         what its board measured (cellwarden-pack --truth)\n"
            "  --wait SECONDS       look again until every frame is stored, at most so long (default 0)\n"
            "  --json               one JSON object on standard output (always so)\n",
            why);
    return 2;
}

static int take_option(struct options *o, const char *flag, const char *value)
{
    char *end = NULL;

    if (strcmp(flag, "--database") == 0) {
        o->database = value;
    } else if (strcmp(flag, "--device") == 0 && o->devices < PAIRS_MAX && strchr(value, '.')) {
        o->pairs[o->devices++].device = value;
    } else if (strcmp(flag, "--truth") == 0 && o->truths < PAIRS_MAX) {
        o->pairs[o->truths++].path = value;
    } else if (strcmp(flag, "--wait") == 0) {
        o->wait_s = (int)strtol(value, &end, 10);
        return *value && !*end && o->wait_s >= 0 ? 0 : BMS_ERR_RANGE;
    } else {
        return BMS_ERR_RANGE;
    }
    return 0;
}

int main(int argc, char *argv[])
{
    static struct options o;
    struct counts sum;

    o.database = getenv("CELLWARDEN_DATABASE");
    for (int i = 1; i < argc; i++) {
        char why[100];

        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (strcmp(argv[i], "--help") == 0) {
            usage("compares what boards measured with what the database holds");
            return 0;
        }
        snprintf(why, sizeof why, "wrong option or value: %.60s", argv[i]);
        if (i + 1 == argc || take_option(&o, argv[i], argv[i + 1]) != 0)
            return usage(why);
        i++;
    }
    if (!o.database || o.devices == 0 || o.devices != o.truths)
        return usage("--database, --device and --truth must be given, the last two in pairs");
    int err = wait_and_verify(&o, &sum);

    if (err)
        return 1;
    print_all(&o, &sum);
    return is_good(&sum) ? 0 : 1;
}
