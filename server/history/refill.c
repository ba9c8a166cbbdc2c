/* SPDX-License-Identifier: Apache-2.0 */
/* refill.c -- see refill.h. */
#include "server/history/refill.h"

#include "common/err.h"
#include "server/clock.h"
#include "server/downlink/op_command.h"
#include "server/downlink/op_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 24, HEARD_MIN = 10 };

#define UTC(param) "(timestamptz 'epoch' + " param "::bigint * interval '1 ms')"
#define MS(time)   "(extract(epoch FROM " time ") * 1000)::bigint"

/* Holes between stored records of one epoch. $1 tenant, $2 device, $3 from, $4 to. */
#define HOLES                                                                                                                              \
    " FROM (SELECT epoch, seq + 1 AS first, lead(seq) OVER w - 1 AS last, first_at AS after, lead(first_at) OVER w AS before FROM record " \
    "WHERE tenant = $1 AND device = $2 AND first_at >= " UTC("$3") " AND first_at <= " UTC(                                                \
        "$4") " WINDOW w AS (PARTITION BY epoch ORDER BY seq)) g WHERE g.last >= g.first"

/* What is lost of a hole is its beginning, as holes are asked for piece by piece. */
static const char oldest_hole[] = "SELECT to_hex(h.epoch), h.begins, h.last, " MS("h.after") ", " MS(
    "h.before") " FROM (SELECT g.*, greatest(g.first, 1 + coalesce((SELECT "
                "max(l.last_seq) FROM gap_lost l WHERE l.tenant = $1 AND l.device = $2 AND l.epoch = g.epoch AND l.last_seq BETWEEN "
                "g.first AND g.last), 0)) "
                "AS begins" HOLES
                ") h WHERE h.begins <= h.last AND NOT EXISTS (SELECT FROM op WHERE tenant = $1 AND device = $2 AND kind = 'refill' "
                "AND state IN ('queued', 'sent')) ORDER BY h.after, h.begins LIMIT 1";

/* $5 epoch (hexadecimal digits), $6 first, $7 last, $8 reason when no poison row explains it. */
static const char mark_lost[] =
    "INSERT INTO gap_lost (tenant, device, epoch, first_seq, last_seq, at, reason) SELECT $1, $2, g.epoch, greatest(g.first, $6::bigint), "
    "least(g.last, $7::bigint), now(), CASE WHEN (SELECT count(*) FROM poison p WHERE p.tenant = $1 AND p.device = $2 AND p.epoch = "
    "g.epoch "
    "AND p.seq BETWEEN greatest(g.first, $6::bigint) AND least(g.last, $7::bigint)) >= least(g.last, $7::bigint) - greatest(g.first, "
    "$6::bigint) + 1 THEN 'refused' ELSE $8 END" HOLES
    " AND g.epoch = ('x' || lpad($5, 16, '0'))::bit(64)::bigint AND g.last >= $6::bigint AND g.first <= $7::bigint "
    "ON CONFLICT (tenant, device, epoch, first_seq, last_seq) DO UPDATE SET reason = excluded.reason, at = excluded.at";

/* Devices that were heard of lately, whose numbers of the last days have holes, and who were not asked for a while. $1 from, $2 to, $3 period; one that
 * refused (an old DTU does not know the command) is left alone for a day. What is lost is subtracted outside the grouping: a subquery in HAVING that
 * looks out of itself is none that a cluster can carry out. */
static const char with_holes[] =
    "SELECT e.tenant || '.' || e.device FROM (SELECT r.tenant, r.device, r.epoch, min(r.seq) AS first, max(r.seq) AS last, count(*) AS "
    "records FROM record r JOIN latest l ON l.tenant = r.tenant AND l.device = r.device WHERE r.first_at >= " UTC(
        "$1") " AND r.first_at <= " UTC("$2") " AND l.received_at >= now() - interval '10 min' GROUP BY r.tenant, r.device, r.epoch) e "
                                              "WHERE e.last - e.first + 1 > e.records + coalesce((SELECT sum(g.last_seq - "
                                              "g.first_seq + 1) FROM gap_lost g WHERE g.tenant = e.tenant AND g.device = e.device AND "
                                              "g.epoch = e.epoch AND g.first_seq > "
                                              "e.first AND g.last_seq < e.last), 0) "
                                              "AND NOT EXISTS (SELECT FROM op o WHERE o.tenant = e.tenant AND o.device = e.device AND "
                                              "o.kind = 'refill' AND (o.state IN "
                                              "('queued', 'sent') OR (o.state = 'expired' AND o.changed_at >= now() - $3::bigint * "
                                              "interval '1 ms') OR (o.state = 'failed' "
                                              "AND o.detail NOT LIKE '%another journal%' AND o.changed_at >= now() - interval '1 day'))) "
                                              "LIMIT 64";

_Static_assert(REFILL_DEVICES_MAX == 64 && HEARD_MIN == 10, "the statement says so");

static const char *halve(const char *device, char *tenant, size_t size)
{
    size_t n = strcspn(device, ".");

    snprintf(tenant, size, "%.*s", (int)n, device);
    return device[n] ? device + n + 1 : "";
}

static int64_t number(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static int start(struct db *db, struct op *op, const PGresult *hole, int64_t expiry_ms)
{
    struct op_span *s = &op->span;

    s->epoch = strtoull(PQgetvalue(hole, 0, 0), NULL, 16);
    s->first = (uint64_t)number(hole, 0, 1);
    s->last = (uint64_t)number(hole, 0, 2);
    if (s->last - s->first >= REFILL_RECORDS_MAX)
        s->last = s->first + REFILL_RECORDS_MAX - 1;
    s->from_ms = number(hole, 0, 3);
    s->to_ms = number(hole, 0, 4);
    op->kind = OP_REFILL;
    op->state = OP_QUEUED;
    op->created_at_ms = op->changed_at_ms = clock_utc_ms();
    if (!op_id_random(op->id))
        return BMS_ERR_IO;
    return op_insert(db, op, op->created_at_ms + expiry_ms, strcmp(op->by, "server") != 0);
}

int refill_ask(struct db *db, const char *device, int64_t from_ms, int64_t to_ms, const char *by, int64_t expiry_ms, char *id)
{
    char tenant[DEVICE_NAME_MAX + 1], from[TEXT], to[TEXT];
    const char *params[] = { tenant, halve(device, tenant, sizeof tenant), from, to };
    struct op *op = calloc(1, sizeof *op);
    PGresult *hole = NULL;

    if (op == NULL)
        return BMS_ERR_IO;
    snprintf(op->device, sizeof op->device, "%s", device);
    snprintf(op->by, sizeof op->by, "%s", by);
    snprintf(from, sizeof from, "%" PRId64, from_ms);
    snprintf(to, sizeof to, "%" PRId64, to_ms);
    int err = db_query(db, oldest_hole, 4, params, &hole);
    int made = err ? err : PQntuples(hole);

    if (made == 1) {
        err = start(db, op, hole, expiry_ms);
        made = err ? err : 1;
        memcpy(id, op->id, sizeof op->id);
    }
    PQclear(hole);
    free(op);
    return made;
}

int refill_pass(struct db *db, int64_t now_ms, int64_t settle_ms, int64_t period_ms, int64_t expiry_ms)
{
    int64_t from_ms = now_ms - (int64_t)REFILL_WINDOW_H * 3600000, to_ms = now_ms - settle_ms;
    char from[TEXT], to[TEXT], period[TEXT], id[OP_ID_LEN + 1];
    const char *params[] = { from, to, period };
    PGresult *devices = NULL;
    int made = 0;

    snprintf(from, sizeof from, "%" PRId64, from_ms);
    snprintf(to, sizeof to, "%" PRId64, to_ms);
    snprintf(period, sizeof period, "%" PRId64, period_ms);
    int err = db_query(db, with_holes, 3, params, &devices);

    for (int i = 0; !err && i < PQntuples(devices); i++) {
        int one = refill_ask(db, PQgetvalue(devices, i, 0), from_ms, to_ms, "server", expiry_ms, id);

        err = one < 0 ? one : 0;
        made += one > 0;
    }
    PQclear(devices);
    return err ? err : made;
}

int refill_mark_lost(struct db *db, const struct op *op, bool formatted)
{
    char tenant[DEVICE_NAME_MAX + 1], from[TEXT], to[TEXT], epoch[TEXT], first[TEXT], last[TEXT];
    const char *params[] = { tenant, halve(op->device, tenant, sizeof tenant), from, to, epoch, first,
                             last,   formatted ? "formatted" : "gone" };

    snprintf(from, sizeof from, "%" PRId64, op->span.from_ms);
    snprintf(to, sizeof to, "%" PRId64, op->span.to_ms);
    snprintf(epoch, sizeof epoch, "%016" PRIx64, op->span.epoch);
    snprintf(first, sizeof first, "%" PRIu64, op->span.first);
    snprintf(last, sizeof last, "%" PRIu64, op->span.last);
    return db_query(db, mark_lost, 8, params, NULL);
}
