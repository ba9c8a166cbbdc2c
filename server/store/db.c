/* SPDX-License-Identifier: Apache-2.0 */
/* db.c -- connect, run, and tell a fault of the data from a fault of the way. */
#include "server/store/db.h"

#include "common/err.h"
#include "server/log.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

void db_init(struct db *db, const char *conninfo, const char *name)
{
    *db = (struct db) { .conninfo = conninfo, .name = name };
}

static void note(struct db *db, const char *text, const char *sqlstate)
{
    snprintf(db->error, sizeof db->error, "%s", text ? text : "");
    snprintf(db->sqlstate, sizeof db->sqlstate, "%s", sqlstate ? sqlstate : "");
    for (char *p = db->error; *p; p++)
        if (*p == '\n')
            *p = ' ';
    for (size_t n = strlen(db->error); n && db->error[n - 1] == ' '; n--)
        db->error[n - 1] = '\0';
}

/* libpq would print them to standard error by itself. */
static void on_notice(void *ctx, const char *text)
{
    (void)ctx;
    log_debug("database", "notice", "text='%s'", text);
}

int db_open(struct db *db)
{
    /* Later keys win over those of the connection string, which is expanded in place of `dbname`. No JIT: the same statements run many times a
     * second over a few thousand rows, and compiling one takes longer than running it. */
    static const char settings[] =
        "-c statement_timeout=60s -c lock_timeout=10s -c idle_in_transaction_session_timeout=120s -c timezone=UTC -c jit=off "
        "-c client_min_messages=warning";
    const char *keys[] = { "dbname",           "application_name", "options", "connect_timeout", "keepalives_idle", "keepalives_interval",
                           "keepalives_count", "tcp_user_timeout", NULL };
    const char *values[] = { db->conninfo, db->name, settings, "5", "10", "5", "3", "30000", NULL };

    if (db->conn && PQstatus(db->conn) == CONNECTION_OK)
        return 0;
    db_close(db);
    db->conn = PQconnectdbParams(keys, values, 1);
    if (PQstatus(db->conn) == CONNECTION_OK) {
        PQsetNoticeProcessor(db->conn, on_notice, NULL);
        return 0;
    }
    note(db, db->conn ? PQerrorMessage(db->conn) : "no memory", "");
    db_close(db);
    return BMS_ERR_IO;
}

void db_close(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
}

int db_check(struct db *db, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN)
        return 0;
    note(db, res && *PQresultErrorMessage(res) ? PQresultErrorMessage(res) : PQerrorMessage(db->conn),
         res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : "");
    if (PQstatus(db->conn) != CONNECTION_OK)
        db_close(db);
    return BMS_ERR_IO;
}

int db_query(struct db *db, const char *sql, int count, const char *const *params, PGresult **result)
{
    if (db_open(db) != 0)
        return BMS_ERR_IO;
    PGresult *res = PQexecParams(db->conn, sql, count, NULL, params, NULL, NULL, 0);
    int err = db_check(db, res);

    if (!err && result)
        *result = res;
    else
        PQclear(res);
    return err;
}

int db_each(struct db *db, const char *sql, int count, const char *const *params, db_row_fn *row, void *ctx)
{
    PGresult *res;
    int err = 0;

    if (db_open(db) != 0)
        return BMS_ERR_IO;
    if (!PQsendQueryParams(db->conn, sql, count, NULL, params, NULL, NULL, 1) || !PQsetSingleRowMode(db->conn)) {
        note(db, PQerrorMessage(db->conn), "");
        db_close(db);
        return BMS_ERR_IO;
    }
    while (db->conn && (res = PQgetResult(db->conn)) != NULL) {
        if (PQresultStatus(res) == PGRES_SINGLE_TUPLE)
            row(ctx, res, 0);
        else
            err = err ? err : db_check(db, res);
        PQclear(res);
    }
    return err;
}

int db_exec(struct db *db, const char *sql)
{
    if (db_open(db) != 0)
        return BMS_ERR_IO;
    PGresult *res = PQexec(db->conn, sql);
    int err = db_check(db, res);

    PQclear(res);
    return err;
}

int db_copy_begin(struct db *db, const char *sql)
{
    PGresult *res = PQexec(db->conn, sql);
    int err = db_check(db, res);

    PQclear(res);
    return err;
}

int db_copy_put(struct db *db, const void *data, size_t n)
{
    return n <= INT_MAX && PQputCopyData(db->conn, data, (int)n) == 1 ? 0 : BMS_ERR_IO;
}

int db_copy_end(struct db *db, const char *give_up)
{
    PGresult *res;
    int err = 0;

    if (PQputCopyEnd(db->conn, give_up) != 1) { /* still in COPY: no other statement would be understood */
        note(db, PQerrorMessage(db->conn), "");
        db_close(db);
        return BMS_ERR_IO;
    }
    while (db->conn && (res = PQgetResult(db->conn)) != NULL) {
        int one = db_check(db, res);

        err = err ? err : one;
        PQclear(res);
    }
    return err;
}

int db_copy(struct db *db, const char *sql, const void *data, size_t n)
{
    int err = db_copy_begin(db, sql);

    if (err)
        return err;
    err = db_copy_put(db, data, n);
    int end = db_copy_end(db, err ? "no connection" : NULL);

    return err ? err : end;
}

bool db_error_is_data(const struct db *db)
{
    return strncmp(db->sqlstate, "22", 2) == 0 || strncmp(db->sqlstate, "23", 2) == 0;
}
