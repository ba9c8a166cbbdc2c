/* SPDX-License-Identifier: Apache-2.0 */
/* db.h -- one PostgreSQL connection with bounded waits, and the migrations.
 *
 * A struct db belongs to one thread. It connects when first used and again after a failure; a caller sees BMS_ERR_IO and tries again later.
 * Every connection sets statement_timeout, lock_timeout, TCP keep-alives and the time zone UTC, so no call hangs for ever.
 */
#ifndef SERVER_DB_H
#define SERVER_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db {
    const char *conninfo; /* borrowed */
    const char *name;     /* application_name, seen in pg_stat_activity; borrowed */
    PGconn *conn;         /* NULL while away */
    char error[256];      /* the last error, one line */
    char sqlstate[6];     /* of the last error, "" when the server gave none */
};

void db_init(struct db *db, const char *conninfo, const char *name);

/* Connected afterwards, or BMS_ERR_IO. Costs nothing when it is. */
int db_open(struct db *db);

void db_close(struct db *db);

/* Run one statement with text parameters (NULL = null). Returns 0 with the result in *result (PQclear it; `result` may be NULL), or
 * BMS_ERR_IO. A broken connection is closed and opened again by the next call. */
int db_query(struct db *db, const char *sql, int count, const char *const *params, PGresult **result);

/* Run one statement and hand over its rows one by one as they come, columns in binary: no transaction, and no memory for more than a row. After an
 * error some rows may have been handed over. Returns 0 or BMS_ERR_IO. `row` must not use this connection. */
typedef void db_row_fn(void *ctx, const PGresult *r, int row);
int db_each(struct db *db, const char *sql, int count, const char *const *params, db_row_fn *row, void *ctx);

/* Look at a result that was made on db->conn: 0 when it is fine, else BMS_ERR_IO, the error is noted, and a broken connection is closed. */
int db_check(struct db *db, PGresult *result);

/* Several statements without parameters. */
int db_exec(struct db *db, const char *sql);

/* COPY .. FROM STDIN with all its data at once, on an open connection. Returns 0 or BMS_ERR_IO. */
int db_copy(struct db *db, const char *sql, const void *data, size_t n);

/* The same in pieces: begin, put.., end. After a begin that returned 0 there must be an end, whatever put returned; with a reason to give up (a word for
 * the database's log) the COPY fails, else NULL. All return 0 or BMS_ERR_IO; the error of the database comes with the end. */
int db_copy_begin(struct db *db, const char *sql);
int db_copy_put(struct db *db, const void *data, size_t n);
int db_copy_end(struct db *db, const char *give_up);

/* True when the last error says that the data are at fault (classes 22 and 23), not the connection or the server. */
bool db_error_is_data(const struct db *db);

/* Apply the files `NNN_name.sql` of `folder` in order, each in its own transaction, once, under an advisory lock. A file that was applied and has
 * other content now (CRC-32C) stops the start. Returns the number applied, BMS_ERR_IO (database or folder) or BMS_ERR_CORRUPT (checksum). */
int db_migrate(struct db *db, const char *folder);

#endif
