/* SPDX-License-Identifier: Apache-2.0 */
/* api_gaps.c -- what of a vehicle's past is not there: records whose numbers are missing, and times without samples.
 *
 * Records of one journal (epoch) are numbered without holes, so a hole is a record that never came, was refused, or was lost with a database. A number
 * that the journal spent on a write that was cut by a power loss is a hole too, of a record that never was.
 */
#include "server/api/api_parts.h"

#include "common/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 500, TEXT = 24, SILENCE_DEFAULT_S = 300, SILENCE_MAX_S = 86400 };

#define SPAN_MAX_MS (400ll * 24 * 3600 * 1000)
#define UTC(param)  "timestamptz 'epoch' + " param "::bigint * interval '1 ms'"
#define MS(time)    "(extract(epoch FROM " time ") * 1000)::bigint"
#define OF_SPAN     " FROM record WHERE tenant = $1 AND device = $2 AND first_at >= " UTC("$3") " AND first_at < " UTC("$4")

/* What is lost lies inside of holes (refill.h). */
static const char missing[] = "SELECT to_hex(g.epoch), g.first, g.last, " MS("g.after") ", " MS(
    "g.before") ", (SELECT count(*) FROM poison p WHERE p.tenant = $1 AND "
                "p.device = $2 AND p.epoch = g.epoch AND p.seq BETWEEN g.first AND g.last), l.records, l.reason FROM (SELECT epoch, seq + "
                "1 AS first, "
                "lead(seq) OVER w - 1 AS last, last_at AS after, lead(first_at) OVER w AS before" OF_SPAN
                " WINDOW w AS (PARTITION BY epoch ORDER BY seq)) "
                "g, LATERAL (SELECT coalesce(sum(last_seq - first_seq + 1), 0)::bigint AS records, min(reason) AS reason FROM gap_lost l "
                "WHERE "
                "l.tenant = $1 AND l.device = $2 AND l.epoch = g.epoch AND l.first_seq >= g.first AND l.last_seq <= g.last) l "
                "WHERE g.last >= g.first ORDER BY g.after, g.first LIMIT 501";

static const char silent[] =
    "SELECT " MS("s.after") ", " MS("s.before") " FROM (SELECT last_at AS after, lead(first_at) OVER (ORDER BY first_at, epoch, seq) "
                                                "AS before" OF_SPAN
                                                ") s WHERE s.before - s.after >= $5::integer * interval '1 s' ORDER BY 1 LIMIT 501";

_Static_assert(SHOWN_MAX == 500, "the statements say one more, to know whether there are more");

struct span {
    char tenant[DEVICE_NAME_MAX + 1];
    const char *vehicle;
    int64_t from_ms, to_ms, silence_s;
};

static int64_t number(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

/* The query into *s. False: answered. */
static bool parse(struct http_exchange *ex, const char *device, struct span *s)
{
    snprintf(s->tenant, sizeof s->tenant, "%.*s", (int)strcspn(device, "."), device);
    s->vehicle = device + strlen(s->tenant) + 1;
    s->silence_s = SILENCE_DEFAULT_S;
    if (http_query_int(ex, "from", 0, INT64_MAX / 2, &s->from_ms) != 1 || http_query_int(ex, "to", 0, INT64_MAX / 2, &s->to_ms) != 1 ||
        s->to_ms <= s->from_ms || s->to_ms - s->from_ms > SPAN_MAX_MS) {
        http_problem(ex, 400, "bad_field", "from",
                     "from and to are required: UTC, milliseconds since 1970, to after from by at most 400 days");
        return false;
    }
    if (http_query_int(ex, "silence_s", 1, SILENCE_MAX_S, &s->silence_s) < 0) {
        http_problem(ex, 400, "bad_field", "silence_s", "must be 1 to 86400");
        return false;
    }
    return true;
}

static void render_missing(struct jsonw *j, const PGresult *r, int shown)
{
    int64_t records = 0, lost = 0;
    char epoch[TEXT];

    jsonw_key(j, "missing");
    jsonw_array(j);
    for (int i = 0; i < shown; i++) {
        int64_t first = number(r, i, 1), last = number(r, i, 2);

        snprintf(epoch, sizeof epoch, "%016" PRIx64, (uint64_t)strtoull(PQgetvalue(r, i, 0), NULL, 16));
        jsonw_object(j);
        jsonw_member_str(j, "epoch", epoch);
        jsonw_member_int(j, "first_seq", first);
        jsonw_member_int(j, "last_seq", last);
        jsonw_member_int(j, "records", last - first + 1);
        jsonw_member_int(j, "refused", number(r, i, 5));
        jsonw_member_str(j, "lost", number(r, i, 6) == last - first + 1 ? PQgetvalue(r, i, 7) : NULL);
        jsonw_member_int(j, "after", number(r, i, 3));
        jsonw_member_int(j, "before", number(r, i, 4));
        jsonw_object_end(j);
        lost += number(r, i, 6);
        records += last - first + 1;
    }
    jsonw_array_end(j);
    jsonw_member_int(j, "records_missing", records - lost);
    jsonw_member_int(j, "records_lost", lost);
}

static void render_silences(struct jsonw *j, const PGresult *r, int shown)
{
    jsonw_key(j, "silences");
    jsonw_array(j);
    for (int i = 0; i < shown; i++) {
        jsonw_object(j);
        jsonw_member_int(j, "after", number(r, i, 0));
        jsonw_member_int(j, "before", number(r, i, 1));
        jsonw_object_end(j);
    }
    jsonw_array_end(j);
}

static int at_most(const PGresult *r)
{
    return PQntuples(r) > SHOWN_MAX ? SHOWN_MAX : PQntuples(r);
}

static void render(struct http_exchange *ex, const struct span *s, const PGresult *holes, const PGresult *silences)
{
    struct jsonw *j = &ex->out;

    ex->status = 200;
    jsonw_object(j);
    jsonw_member_int(j, "from", s->from_ms);
    jsonw_member_int(j, "to", s->to_ms);
    jsonw_member_int(j, "silence_s", s->silence_s);
    render_missing(j, holes, at_most(holes));
    render_silences(j, silences, at_most(silences));
    jsonw_member_bool(j, "more", PQntuples(holes) > SHOWN_MAX || PQntuples(silences) > SHOWN_MAX);
    jsonw_object_end(j);
}

void api_get_gaps(struct http_exchange *ex)
{
    struct fleet_vehicle vehicle;
    struct span s = { .vehicle = NULL };
    char from[TEXT], to[TEXT], silence[TEXT];
    PGresult *holes = NULL, *silences = NULL;

    if (!api_vehicle_of(ex, &vehicle) || !parse(ex, vehicle.device, &s))
        return;
    const char *params[] = { s.tenant, s.vehicle, from, to, silence };

    snprintf(from, sizeof from, "%" PRId64, s.from_ms);
    snprintf(to, sizeof to, "%" PRId64, s.to_ms);
    snprintf(silence, sizeof silence, "%" PRId64, s.silence_s);
    if (ex->db == NULL || db_query(ex->db, missing, 4, params, &holes) != 0 || db_query(ex->db, silent, 5, params, &silences) != 0)
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; try again");
    else
        render(ex, &s, holes, silences);
    PQclear(holes);
    PQclear(silences);
}
