/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c -- see auth.h. */
#include "server/api/auth.h"

#include "common/err.h"
#include "server/api/auth_limit.h"
#include "server/api/auth_password.h"
#include "server/api/auth_role.h"
#include "server/log.h"
#include "server/metrics.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COOKIE      "cw_session"
#define KEY_SIZE    80u
#define NOT_SIGNED  "sign in to see this"
#define WRONG_LOGIN "user or password is wrong"

struct auth {
    struct auth_sessions *sessions;
    pthread_mutex_t lock; /* of `limit` and the file's stamp */
    struct auth_limit limit;
    atomic_int hashes; /* running now */
    const char *password_file;
    struct timespec applied_mtime;       /* of the file that was applied; 0 = none yet */
    char nobody[crypto_pwhash_STRBYTES]; /* what an unknown user's password is compared with */
};

struct auth *auth_create(const char *password_file)
{
    struct auth *auth = sodium_init() < 0 ? NULL : calloc(1, sizeof *auth);

    if (auth == NULL)
        return NULL;
    auth->sessions = auth_sessions_create();
    auth->password_file = password_file;
    auth_limit_init(&auth->limit);
    pthread_mutex_init(&auth->lock, NULL);
    if (auth->sessions == NULL || auth_password_hash("nobody has this password", auth->nobody) != 0) {
        auth_destroy(auth);
        return NULL;
    }
    return auth;
}

void auth_destroy(struct auth *auth)
{
    if (auth == NULL)
        return;
    auth_sessions_destroy(auth->sessions);
    pthread_mutex_destroy(&auth->lock);
    free(auth);
}

static enum http_guard refuse(struct http_exchange *ex, unsigned status, const char *code, const char *detail)
{
    http_problem(ex, status, code, NULL, detail);
    return HTTP_REFUSED;
}

/* Whether the header's token is the session's; the time does not tell how far it was right. */
static bool csrf_is_right(const struct http_exchange *ex)
{
    const char *token = http_header(ex, "X-CSRF");
    size_t len = strlen(ex->user.csrf);

    return token != NULL && strlen(token) == len && sodium_memcmp(token, ex->user.csrf, len) == 0;
}

enum http_guard auth_guard(struct auth *auth, struct http_exchange *ex)
{
    const struct http_route *route = ex->match.route;
    const char *token = http_cookie(ex, COOKIE);

    if (route->access == ACCESS_PUBLIC)
        return HTTP_PASS;
    if (token == NULL || strlen(token) != AUTH_TOKEN_SIZE - 1)
        return refuse(ex, 401, "not_signed_in", NOT_SIGNED);
    if (!auth_session_cached(auth->sessions, token, &ex->user)) {
        if (ex->db == NULL)
            return HTTP_ASK_DATABASE;
        int found = auth_session_load(auth->sessions, ex->db->conn, token, &ex->user);

        if (found < 0)
            return refuse(ex, 503, "database_away", "the database cannot be reached; try again");
        if (found == 0)
            return refuse(ex, 401, "not_signed_in", NOT_SIGNED);
    }
    if (ex->user.access < route->access)
        return refuse(ex, 403, "role", "your role does not allow this");
    if (route->csrf && !csrf_is_right(ex))
        return refuse(ex, 403, "csrf", "the header X-CSRF must carry the session's token");
    return HTTP_PASS;
}

/* Count the attempt for the user and for the address. False: answered with 429. */
static bool take_attempt(struct auth *auth, struct http_exchange *ex, const char *user_key, const char *address_key)
{
    uint64_t now = http_clock_ms();

    pthread_mutex_lock(&auth->lock);
    unsigned wait_user = auth_limit_take(&auth->limit, user_key, now);
    unsigned wait_address = auth_limit_take(&auth->limit, address_key, now);

    pthread_mutex_unlock(&auth->lock);
    unsigned wait = wait_user > wait_address ? wait_user : wait_address;

    if (wait == 0)
        return true;
    metrics_add(METRIC_SIGN_INS_LIMITED, 1);
    ex->retry_after_s = (int)wait;
    http_problem(ex, 429, "too_many_attempts", NULL, "too many failed attempts; wait a minute");
    return false;
}

static void forgive_attempt(struct auth *auth, const char *user_key, const char *address_key)
{
    pthread_mutex_lock(&auth->lock);
    auth_limit_forgive(&auth->limit, user_key, 1);
    auth_limit_forgive(&auth->limit, address_key, 0);
    pthread_mutex_unlock(&auth->lock);
}

/* The stored hash of an active user. Returns 1, 0 when there is none (then `nobody`'s hash, which nothing matches), or BMS_ERR_IO. */
static int load_hash(struct auth *auth, PGconn *db, const char *name, char hash[crypto_pwhash_STRBYTES])
{
    const char *params[] = { name };
    PGresult *r = PQexecParams(db, "SELECT password_hash FROM app_user WHERE name = $1 AND NOT disabled", 1, NULL, params, NULL, NULL, 0);
    int found = PQresultStatus(r) != PGRES_TUPLES_OK ? BMS_ERR_IO : PQntuples(r) > 0;

    memset(hash, 0, crypto_pwhash_STRBYTES);
    snprintf(hash, crypto_pwhash_STRBYTES, "%s", found == 1 ? PQgetvalue(r, 0, 0) : auth->nobody);
    PQclear(r);
    return found;
}

/* Returns 1 when right, 0 when wrong, BMS_ERR_STATE when too many are being hashed, BMS_ERR_IO. */
static int check_password(struct auth *auth, PGconn *db, const char *name, const char *password)
{
    char hash[crypto_pwhash_STRBYTES];
    int found = load_hash(auth, db, name, hash);

    if (found < 0)
        return found;
    int running = atomic_fetch_add(&auth->hashes, 1);
    int right = running >= AUTH_HASHES_MAX ? BMS_ERR_STATE : crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;

    atomic_fetch_sub(&auth->hashes, 1);
    return right == 1 ? found : right;
}

/* Secure goes with https, which a proxy in front tells: over plain http (a LAN, a test) the browser would drop the cookie. */
static void set_cookie(struct http_exchange *ex, const char *token, int life_s)
{
    const char *proto = http_header(ex, "X-Forwarded-Proto");
    bool secure = proto != NULL && strcmp(proto, "https") == 0;

    snprintf(ex->cookie, sizeof ex->cookie, COOKIE "=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s", token, life_s,
             secure ? "; Secure" : "");
}

static int open_session(struct auth *auth, struct http_exchange *ex, const char *name)
{
    char token[AUTH_TOKEN_SIZE];

    if (auth_session_open(ex->db->conn, name, token) != 0 || auth_session_load(auth->sessions, ex->db->conn, token, &ex->user) != 1) {
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; try again");
        return BMS_ERR_IO;
    }
    set_cookie(ex, token, AUTH_SESSION_LIFE_S);
    metrics_add(METRIC_SIGN_INS, 1);
    log_info("auth", "signed in", "user=%s address=%s", name, ex->address);
    return 0;
}

int auth_verify(struct auth *auth, struct http_exchange *ex, const char *name, const char *password)
{
    char user_key[KEY_SIZE], address_key[KEY_SIZE];

    snprintf(user_key, sizeof user_key, "u:%s", name);
    snprintf(address_key, sizeof address_key, "a:%s", ex->address);
    if (!take_attempt(auth, ex, user_key, address_key))
        return BMS_ERR_STATE;
    int right = check_password(auth, ex->db->conn, name, password);

    if (right != 0)
        forgive_attempt(auth, user_key, address_key); /* also when it could not be judged */
    if (right == 1)
        return 0;
    if (right == 0) {
        metrics_add(METRIC_SIGN_INS_REFUSED, 1);
        log_warn("auth", "password refused", "user=%s address=%s", name, ex->address);
        http_problem(ex, 401, "wrong_login", NULL, WRONG_LOGIN);
    } else {
        ex->retry_after_s = 1;
        http_problem(ex, 503, right == BMS_ERR_STATE ? "busy" : "database_away", NULL, "the password cannot be looked at now; try again");
    }
    return right == 0 ? BMS_ERR_RANGE : right;
}

int auth_sign_in(struct auth *auth, struct http_exchange *ex, const char *name, const char *password)
{
    int err = auth_verify(auth, ex, name, password);

    return err != 0 ? err : open_session(auth, ex, name);
}

void auth_sign_out(struct auth *auth, struct http_exchange *ex)
{
    const char *token = http_cookie(ex, COOKIE);

    if (token != NULL)
        auth_session_close(auth->sessions, ex->db->conn, token);
    set_cookie(ex, "", 0);
}

int auth_hash(struct auth *auth, const char *password, char hash[crypto_pwhash_STRBYTES])
{
    int running = atomic_fetch_add(&auth->hashes, 1);
    int err = running >= AUTH_HASHES_MAX ? BMS_ERR_STATE : auth_password_hash(password, hash);

    atomic_fetch_sub(&auth->hashes, 1);
    return err;
}

void auth_forget(struct auth *auth)
{
    auth_sessions_forget(auth->sessions);
}

bool auth_is_of_file(const struct auth *auth, const char *name)
{
    return auth->password_file[0] != '\0' && strcmp(name, "admin") == 0;
}

bool auth_admin_is_due(struct auth *auth)
{
    struct stat st;

    if (auth->password_file[0] == '\0' || stat(auth->password_file, &st) != 0)
        return false;
    pthread_mutex_lock(&auth->lock);
    bool due = memcmp(&st.st_mtim, &auth->applied_mtime, sizeof st.st_mtim) != 0;

    pthread_mutex_unlock(&auth->lock);
    return due;
}

/* First line of the file. Returns 0, BMS_ERR_IO, or BMS_ERR_RANGE when it is no password. */
static int read_password(const char *path, char password[AUTH_PASSWORD_MAX + 2])
{
    FILE *f = fopen(path, "r");

    if (f == NULL)
        return BMS_ERR_IO;
    bool read = fgets(password, AUTH_PASSWORD_MAX + 2, f) != NULL;

    fclose(f);
    if (!read)
        return BMS_ERR_RANGE;
    password[strcspn(password, "\r\n")] = '\0';
    size_t len = strlen(password);

    return len < AUTH_FILE_PASSWORD_MIN || len > AUTH_PASSWORD_MAX ? BMS_ERR_RANGE : 0;
}

/* Write the new hash; who was signed in as admin is not any more. */
static int store_admin(PGconn *db, const char *hash)
{
    const char *params[] = { hash };
    PGresult *r = PQexecParams(db,
                               "WITH gone AS (DELETE FROM app_session WHERE user_name = 'admin')"
                               " INSERT INTO app_user (name, role, tenant, password_hash) VALUES ('admin', 'admin', '*', $1)"
                               " ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
                               1, NULL, params, NULL, NULL, 0);
    int err = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : BMS_ERR_IO;

    if (err != 0)
        log_error("auth", "administrator not stored", "why=\"%s\"", PQerrorMessage(db));
    PQclear(r);
    return err;
}

/* Returns 0 when the table has the file's password (changed or not). */
static int apply_file(struct auth *auth, PGconn *db)
{
    char password[AUTH_PASSWORD_MAX + 2], hash[crypto_pwhash_STRBYTES];
    int err = read_password(auth->password_file, password);

    if (err != 0) {
        log_error("auth", "administrator's password file is not usable", "file=%s least=%d most=%d", auth->password_file,
                  AUTH_FILE_PASSWORD_MIN, AUTH_PASSWORD_MAX);
        return err == BMS_ERR_RANGE ? 0 : err; /* looked at again when the file changes */
    }
    int same = load_hash(auth, db, "admin", hash) == 1 && crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;

    err = same ? 0 : auth_password_hash(password, hash);
    if (!same && err == 0) {
        err = store_admin(db, hash);
        auth_sessions_forget(auth->sessions);
        log_info("auth", "administrator's password set from file", "file=%s", auth->password_file);
    }
    sodium_memzero(password, sizeof password);
    return err;
}

void auth_admin_apply(struct auth *auth, PGconn *db)
{
    struct stat st;

    if (!auth_admin_is_due(auth) || stat(auth->password_file, &st) != 0 || apply_file(auth, db) != 0)
        return;
    pthread_mutex_lock(&auth->lock);
    auth->applied_mtime = st.st_mtim;
    pthread_mutex_unlock(&auth->lock);
}
