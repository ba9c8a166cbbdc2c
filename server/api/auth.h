/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h -- who may do what: sign in, the guard of every request, the first administrator.
 *
 * Passwords are Argon2id hashes (auth_password.h); hashing runs in the worker pool, at most AUTH_HASHES_MAX at once, and an unknown user costs as
 * much time as a wrong password. The administrator's password is the first line of a file: when the file changes, so does the password.
 */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "server/api/auth_session.h"
#include "server/http/http.h"
#include "server/store/db.h"

#include <libpq-fe.h>
#include <sodium.h>
#include <stdbool.h>

enum { AUTH_HASHES_MAX = 2, AUTH_FILE_PASSWORD_MIN = 8 };

struct auth;

/* `password_file` may be "": then nobody is made. Borrowed. NULL when there is no memory. */
struct auth *auth_create(const char *password_file);
void auth_destroy(struct auth *auth);

/* For http_config: session, role and CSRF token of a request. ex->user is filled when it passes. */
enum http_guard auth_guard(struct auth *auth, struct http_exchange *ex);

/* Whether the password is the user's, within the limit of failures. Returns 0; otherwise the problem is in `ex`. In a worker. */
int auth_verify(struct auth *auth, struct http_exchange *ex, const char *name, const char *password);

/* The same; on success ex->user and ex->cookie are set and 0 is returned. Otherwise the problem is in `ex`. In a worker. */
int auth_sign_in(struct auth *auth, struct http_exchange *ex, const char *name, const char *password);

/* End the session of `ex`. In a worker. */
void auth_sign_out(struct auth *auth, struct http_exchange *ex);

/* Hash a new password, one of the AUTH_HASHES_MAX. Returns 0, BMS_ERR_STATE when they are all busy, BMS_ERR_NOSPACE. In a worker. */
int auth_hash(struct auth *auth, const char *password, char hash[crypto_pwhash_STRBYTES]);

/* What was committed about users counts from now on: every session is looked up again when it next asks. */
void auth_forget(struct auth *auth);

/* Whether the password file makes this user: its password is changed there, and it would come back. */
bool auth_is_of_file(const struct auth *auth, const char *name);

/* True when the administrator's password file has changed since it was applied. Cheap; call every few seconds. */
bool auth_admin_is_due(struct auth *auth);

/* Make or change the user `admin` from the file. In a worker. */
void auth_admin_apply(struct auth *auth, PGconn *db);

#endif
