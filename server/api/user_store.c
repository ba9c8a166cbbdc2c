/* SPDX-License-Identifier: Apache-2.0 */
/* user_store.c -- see user_store.h. */
#include "server/api/user_store.h"

#include "common/err.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION_TEXT = 2 * sizeof(uint64_t) + 1 };

int user_list(struct db *db, const struct user_admin *admin, const char *name, user_row_fn *row, void *ctx)
{
    static const char sql[] = "SELECT u.name, u.role, u.tenant, u.disabled, (extract(epoch FROM u.created_at) * 1000)::bigint,"
                              " (extract(epoch FROM u.changed_at) * 1000)::bigint,"
                              " (SELECT count(*) FROM app_session s WHERE s.user_name = u.name AND s.expires_at > now() AND NOT u.disabled)"
                              " FROM app_user u WHERE ($1 = '*' OR u.tenant = $1) AND ($2::text IS NULL OR u.name = $2) ORDER BY u.name";
    const char *params[] = { admin->tenant, name };
    PGresult *r = NULL;
    int err = db_query(db, sql, 2, params, &r);

    if (err != 0)
        return err;
    int count = PQntuples(r);

    for (int i = 0; i < count; i++) {
        struct user_row one = { .name = PQgetvalue(r, i, 0),
                                .role = PQgetvalue(r, i, 1),
                                .tenant = PQgetvalue(r, i, 2),
                                .disabled = PQgetvalue(r, i, 3)[0] == 't',
                                .created_at_ms = strtoll(PQgetvalue(r, i, 4), NULL, 10),
                                .changed_at_ms = strtoll(PQgetvalue(r, i, 5), NULL, 10),
                                .sessions = strtoll(PQgetvalue(r, i, 6), NULL, 10) };

        row(ctx, &one);
    }
    PQclear(r);
    return count;
}

/* Run a statement that changes at most one row. Returns 1, 0 when there was none, or BMS_ERR_IO. */
static int change_one(struct db *db, const char *sql, int count, const char *const *params)
{
    PGresult *r = NULL;
    int err = db_query(db, sql, count, params, &r);
    int changed = err != 0 ? err : strcmp(PQcmdTuples(r), "0") != 0;

    PQclear(r);
    return changed;
}

/* COMMIT, or leave nothing behind. */
static int end(struct db *db, int err)
{
    err = err ? err : db_exec(db, "COMMIT");
    if (err && db->conn)
        db_exec(db, "ROLLBACK");
    return err;
}

int user_add(struct db *db, const struct user_admin *admin, const struct user_change *add)
{
    static const char sql[] =
        "WITH made AS (INSERT INTO app_user (name, role, tenant, password_hash) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name) DO NOTHING RETURNING name, role, tenant)"
        " INSERT INTO audit (tenant, device, by, action, detail)"
        " SELECT tenant, '', $5, 'add_user', jsonb_build_object('user', name, 'role', role, 'tenant', tenant) FROM made";
    const char *params[] = { add->name, add->role, add->tenant, add->hash, admin->name };
    int made = change_one(db, sql, 5, params);

    return made < 0 ? made : made == 0 ? BMS_ERR_RANGE : 0;
}

/* Administrators of everything, locked until the end of the transaction and always in the same order: two who remove each other come one after the
 * other. Returns how many, or BMS_ERR_IO. */
static int administrators(struct db *db)
{
    PGresult *r = NULL;
    int err = db_query(db, "SELECT name FROM app_user WHERE role = 'admin' AND tenant = '*' AND NOT disabled ORDER BY name FOR UPDATE", 0,
                       NULL, &r);
    int count = err != 0 ? err : PQntuples(r);

    PQclear(r);
    return count;
}

/* In the transaction: do it and write it down. `sql` changes one row. Returns 0 or a BMS_ERR_* as user_change(). */
static int do_guarded(struct db *db, const char *sql, int count, const char *const *params)
{
    int before = administrators(db);
    int changed = before < 0 ? before : change_one(db, sql, count, params);

    if (changed <= 0)
        return changed == 0 ? BMS_ERR_UNKNOWN : changed;
    int after = administrators(db);

    if (after < 0)
        return after;
    return before > 0 && after == 0 ? BMS_ERR_STATE : 0;
}

static const char *truth(const bool *value)
{
    return value == NULL ? NULL : *value ? "t" : "f";
}

int user_change(struct db *db, const struct user_admin *admin, const struct user_change *change)
{
    static const char sql[] =
        "WITH old AS (SELECT name, role, tenant, disabled FROM app_user WHERE name = $1 AND ($2 = '*' OR tenant = $2) FOR UPDATE),"
        " new AS (UPDATE app_user u SET role = coalesce($3, u.role), tenant = coalesce($4, u.tenant), disabled = coalesce($5::boolean, "
        "u.disabled),"
        " password_hash = coalesce($6, u.password_hash), changed_at = now() FROM old WHERE u.name = old.name"
        " RETURNING u.name, u.role, u.tenant, u.disabled),"
        " gone AS (DELETE FROM app_session s USING old, new WHERE s.user_name = new.name AND (new.disabled OR new.tenant <> old.tenant"
        " OR ($6::text IS NOT NULL AND left(s.token_hash, 16) <> $7)))"
        " INSERT INTO audit (tenant, device, by, action, detail)"
        " SELECT new.tenant, '', $8, 'change_user', jsonb_build_object('user', new.name, 'new_password', $6::text IS NOT NULL,"
        " 'before', jsonb_build_object('role', old.role, 'tenant', old.tenant, 'disabled', old.disabled),"
        " 'after', jsonb_build_object('role', new.role, 'tenant', new.tenant, 'disabled', new.disabled)) FROM old, new";
    char own[SESSION_TEXT];
    const char *params[] = { change->name, admin->tenant, change->role, change->tenant, truth(change->disabled),
                             change->hash, own,           admin->name };

    sodium_bin2hex(own, sizeof own, (const unsigned char *)&admin->session, sizeof admin->session);
    int err = db_exec(db, "BEGIN");

    return end(db, err ? err : do_guarded(db, sql, 8, params));
}

int user_remove(struct db *db, const struct user_admin *admin, const char *name)
{
    static const char sql[] =
        "WITH old AS (DELETE FROM app_user WHERE name = $1 AND ($2 = '*' OR tenant = $2) RETURNING name, role, tenant, disabled)"
        " INSERT INTO audit (tenant, device, by, action, detail)"
        " SELECT tenant, '', $3, 'remove_user', jsonb_build_object('user', name, 'role', role, 'tenant', tenant, 'disabled', disabled)"
        " FROM old";
    const char *params[] = { name, admin->tenant, admin->name };
    int err = db_exec(db, "BEGIN");

    return end(db, err ? err : do_guarded(db, sql, 3, params));
}
