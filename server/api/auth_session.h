/* SPDX-License-Identifier: Apache-2.0 */
/* auth_session.h -- tokens of those who are signed in.
 *
 * The token (256 random bits) is in the cookie and nowhere else: the table app_session has its hash, so a stolen database signs nobody in.
 * A small cache spares the database; an entry is believed for AUTH_SESSION_TRUST_MS, then asked for again, so what another process or
 * an administrator changed takes effect by then. The CSRF token is made from the session token, it needs no place of its own.
 */
#ifndef SERVER_AUTH_SESSION_H
#define SERVER_AUTH_SESSION_H

#include "server/http/http.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#define AUTH_TOKEN_SIZE 44 /* base64url of 32 bytes, with its NUL */

enum { AUTH_SESSION_TRUST_MS = 15000, AUTH_SESSION_CACHE = 1024, AUTH_SESSION_LIFE_S = 24 * 3600 };

struct auth_sessions;

/* NULL when there is no memory. */
struct auth_sessions *auth_sessions_create(void);
void auth_sessions_destroy(struct auth_sessions *sessions);

/* True when the cache knows the token: *user is filled. Any thread. */
bool auth_session_cached(struct auth_sessions *sessions, const char *token, struct http_user *user);

/* Ask the database. Returns 1 with *user (and keeps it in the cache), 0 when there is no such session, BMS_ERR_IO. */
int auth_session_load(struct auth_sessions *sessions, PGconn *db, const char *token, struct http_user *user);

/* Make a session for `name`; the token goes to the browser. Returns 0 or BMS_ERR_IO. */
int auth_session_open(PGconn *db, const char *name, char token[AUTH_TOKEN_SIZE]);

/* End it, in the database and the cache. */
void auth_session_close(struct auth_sessions *sessions, PGconn *db, const char *token);

/* Whether the session named by http_user.session still stands: not ended, not run out, its user not disabled. 1, 0 or BMS_ERR_IO. */
int auth_session_stands(PGconn *db, uint64_t session);

/* Nothing of the cache is believed any more, e.g. after a password changed. */
void auth_sessions_forget(struct auth_sessions *sessions);

#endif
