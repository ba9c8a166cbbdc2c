/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.c -- db_migrate(): the files of deploy/sql, each once, in order of their names. */
#include "common/crc.h"
#include "common/err.h"
#include "server/log.h"
#include "server/store/db.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, NAME_LEN_MAX = 100 };

static int is_sql(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && n < NAME_LEN_MAX && e->d_name[0] >= '0' && e->d_name[0] <= '9' && strcmp(e->d_name + n - 4, ".sql") == 0;
}

/* Whole file with a 0 behind it, to be freed; NULL when it cannot be read or is too large. */
static char *slurp(const char *folder, const char *name, size_t *size)
{
    char path[1024];
    char *text = NULL;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");

    if (!f)
        return NULL;
    text = malloc(FILE_MAX + 1);
    *size = text ? fread(text, 1, FILE_MAX + 1, f) : 0;
    fclose(f);
    if (!text || *size > FILE_MAX) {
        free(text);
        return NULL;
    }
    text[*size] = '\0';
    return text;
}

/* 1 = was applied with this checksum, 0 = was not, else an error. */
static int is_applied(struct db *db, const char *name, uint32_t crc)
{
    const char *params[] = { name };
    PGresult *res = NULL;
    int found = db_query(db, "SELECT crc32c FROM migration WHERE name = $1", 1, params, &res);

    if (found)
        return found;
    if (PQntuples(res) == 1)
        found = strtoul(PQgetvalue(res, 0, 0), NULL, 10) == crc ? 1 : BMS_ERR_CORRUPT;
    PQclear(res);
    if (found == BMS_ERR_CORRUPT)
        log_error("database", "a migration that was applied has changed since; put the old file back and write a new one", "file=%s", name);
    return found;
}

static int apply(struct db *db, const char *folder, const char *name)
{
    size_t size = 0;
    char *sql = slurp(folder, name, &size);

    if (!sql) {
        log_error("database", "migration cannot be read", "folder=%s file=%s", folder, name);
        return BMS_ERR_IO;
    }
    uint32_t crc = crc32c(0, (const uint8_t *)sql, size);
    int done = db_exec(
        db, "BEGIN; SELECT pg_advisory_xact_lock(20260101)"); /* of the transaction: a pooler may give the next one to another connection */

    done = done ? done : is_applied(db, name, crc);
    if (done == 0) {
        char crc_text[16];
        const char *params[] = { name, crc_text };

        snprintf(crc_text, sizeof crc_text, "%lu", (unsigned long)crc);
        int err = db_exec(db, sql);

        err = err ? err : db_query(db, "INSERT INTO migration (name, crc32c) VALUES ($1, $2)", 2, params, NULL);
        err = err ? err : db_exec(db, "COMMIT");
        if (err) {
            log_error("database", "migration failed", "file=%s error='%s'", name, db->error);
            db_close(db); /* rolls back */
        } else {
            log_info("database", "migration applied", "file=%s", name);
        }
        done = err ? err : 2;
    } else if (db->conn) {
        db_exec(db, "ROLLBACK");
    }
    free(sql);
    return done < 0 ? done : done == 2;
}

int db_migrate(struct db *db, const char *folder)
{
    struct dirent **files = NULL;
    int applied = 0;
    int n = scandir(folder, &files, is_sql, alphasort);

    if (n <= 0) {
        log_error("database", "no migrations found", "folder=%s", folder);
        free(files);
        return BMS_ERR_IO;
    }
    int err = db_exec(db, "BEGIN; SELECT pg_advisory_xact_lock(20260101); CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, "
                          "crc32c bigint NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()); COMMIT");

    for (int i = 0; i < n; i++) {
        int one = err ? 0 : apply(db, folder, files[i]->d_name);

        if (one < 0)
            err = one;
        else
            applied += one;
        free(files[i]);
    }
    free(files);
    return err ? err : applied;
}
