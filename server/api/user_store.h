/* SPDX-License-Identifier: Apache-2.0 */
/* user_store.h -- the table app_user, as administrators change it.
 *
 * Every change is one transaction with its row in `audit` (before and after; a password is only said to have changed) and with the end of the
 * sessions that it ends: of a removed or disabled user, of one with a new password or another tenant. An administrator of one tenant sees and
 * changes that tenant's users alone; one of "*" all. The last enabled administrator of "*" stays: without it nobody could let anybody in. */
#ifndef SERVER_USER_STORE_H
#define SERVER_USER_STORE_H

#include "server/store/db.h"

#include <stdbool.h>
#include <stdint.h>

/* Borrowed by the function that gets it. */
struct user_row {
    const char *name, *role, *tenant;
    bool disabled;
    int64_t created_at_ms, changed_at_ms; /* UTC */
    int64_t sessions;                     /* signed in now */
};

typedef void user_row_fn(void *ctx, const struct user_row *row);

/* Who changes. */
struct user_admin {
    const char *name, *tenant; /* tenant: "*" sees all */
    uint64_t session;          /* http_user.session: the one that a new password of one's own does not end */
};

/* What is to change; NULL is left alone. All of them for a new user. */
struct user_change {
    const char *name, *role, *tenant, *hash;
    const bool *disabled;
};

/* All users that `admin` sees, by name, or with `name` the one. Returns how many, or BMS_ERR_IO. */
int user_list(struct db *db, const struct user_admin *admin, const char *name, user_row_fn *row, void *ctx);

/* Returns 0, BMS_ERR_RANGE when the name is taken, BMS_ERR_IO. */
int user_add(struct db *db, const struct user_admin *admin, const struct user_change *add);

/* Returns 0, BMS_ERR_UNKNOWN when `admin` sees no such user, BMS_ERR_STATE for the last administrator, BMS_ERR_IO. */
int user_change(struct db *db, const struct user_admin *admin, const struct user_change *change);
int user_remove(struct db *db, const struct user_admin *admin, const char *name);

#endif
