/* SPDX-License-Identifier: Apache-2.0 */
/* auth_session.c -- see auth_session.h. */
#include "server/api/auth_session.h"

#include "common/err.h"
#include "server/api/auth_role.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 32u
#define HASH_TEXT  (2u * HASH_BYTES + 1u)

struct entry {
    unsigned char hash[HASH_BYTES];
    struct http_user user; /* name[0] == 0: free */
    uint64_t checked_ms;
};

struct auth_sessions {
    pthread_mutex_t lock;
    uint64_t forgotten; /* how often something was forgotten: an answer that was asked for before is not kept */
    struct entry entries[AUTH_SESSION_CACHE];
};

struct auth_sessions *auth_sessions_create(void)
{
    struct auth_sessions *s = sodium_init() < 0 ? NULL : calloc(1, sizeof *s);

    if (s != NULL)
        pthread_mutex_init(&s->lock, NULL);
    return s;
}

void auth_sessions_destroy(struct auth_sessions *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Hash of the token with a purpose, so that the CSRF token tells nothing of the row in the database. */
static void hash_token(const char *purpose, const char *token, unsigned char *hash, size_t size)
{
    crypto_generichash(hash, size, (const unsigned char *)token, strlen(token), (const unsigned char *)purpose, strlen(purpose));
}

static void token_key(const char *token, unsigned char hash[HASH_BYTES])
{
    hash_token("cellwarden-session-row", token, hash, HASH_BYTES);
}

static void fill_from_token(struct http_user *user, const char *token)
{
    unsigned char csrf[32], hash[HASH_BYTES];

    hash_token("cellwarden-csrf", token, csrf, sizeof csrf);
    sodium_bin2hex(user->csrf, sizeof user->csrf, csrf, sizeof csrf);
    token_key(token, hash);
    memcpy(&user->session, hash, sizeof user->session);
}

static struct entry *find(struct auth_sessions *s, const unsigned char *hash)
{
    for (size_t i = 0; i < AUTH_SESSION_CACHE; i++) {
        if (s->entries[i].user.name[0] != '\0' && sodium_memcmp(s->entries[i].hash, hash, HASH_BYTES) == 0)
            return &s->entries[i];
    }
    return NULL;
}

bool auth_session_cached(struct auth_sessions *s, const char *token, struct http_user *user)
{
    unsigned char hash[HASH_BYTES];
    bool good = false;

    token_key(token, hash);
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, hash);

    if (e != NULL) {
        good = http_clock_ms() - e->checked_ms < AUTH_SESSION_TRUST_MS && http_utc_ms() < e->user.ends_at_ms;
        *user = e->user;
    }
    pthread_mutex_unlock(&s->lock);
    return good;
}

static uint64_t times_forgotten(struct auth_sessions *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t times = s->forgotten;

    pthread_mutex_unlock(&s->lock);
    return times;
}

/* Unless something was forgotten since `asked`. */
static void keep(struct auth_sessions *s, const unsigned char *hash, const struct http_user *user, uint64_t asked)
{
    pthread_mutex_lock(&s->lock);
    struct entry *place = find(s, hash);
    struct entry *oldest = &s->entries[0]; /* a free entry was checked at 0 */

    for (size_t i = 1; i < AUTH_SESSION_CACHE; i++) {
        if (s->entries[i].checked_ms < oldest->checked_ms)
            oldest = &s->entries[i];
    }
    place = place == NULL ? oldest : place;
    if (s->forgotten == asked) {
        memcpy(place->hash, hash, HASH_BYTES);
        place->user = *user;
        place->checked_ms = http_clock_ms();
    }
    pthread_mutex_unlock(&s->lock);
}

int auth_session_load(struct auth_sessions *s, PGconn *db, const char *token, struct http_user *user)
{
    unsigned char hash[HASH_BYTES];
    char text[HASH_TEXT];
    const char *params[] = { text };
    uint64_t asked = times_forgotten(s);

    token_key(token, hash);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    PGresult *r = PQexecParams(db,
                               "SELECT u.name, u.role, u.tenant, (extract(epoch FROM s.expires_at) * 1000)::bigint"
                               " FROM app_session s JOIN app_user u ON u.name = s.user_name"
                               " WHERE s.token_hash = $1 AND s.expires_at > now() AND NOT u.disabled",
                               1, NULL, params, NULL, NULL, 0);
    int found = PQresultStatus(r) != PGRES_TUPLES_OK ? BMS_ERR_IO : PQntuples(r) > 0;

    if (found == 1) {
        *user =
            (struct http_user) { .access = auth_role_access(PQgetvalue(r, 0, 1)), .ends_at_ms = strtoll(PQgetvalue(r, 0, 3), NULL, 10) };
        snprintf(user->name, sizeof user->name, "%s", PQgetvalue(r, 0, 0));
        snprintf(user->tenant, sizeof user->tenant, "%s", PQgetvalue(r, 0, 2));
        fill_from_token(user, token);
        keep(s, hash, user, asked);
    }
    PQclear(r);
    return found;
}

int auth_session_open(PGconn *db, const char *name, char token[AUTH_TOKEN_SIZE])
{
    unsigned char random[32], hash[HASH_BYTES];
    char text[HASH_TEXT], life[16];
    const char *params[] = { text, name, life };

    randombytes_buf(random, sizeof random);
    sodium_bin2base64(token, AUTH_TOKEN_SIZE, random, sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    token_key(token, hash);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    snprintf(life, sizeof life, "%d", AUTH_SESSION_LIFE_S);
    PGresult *r =
        PQexecParams(db,
                     "WITH old AS (DELETE FROM app_session WHERE expires_at < now())"
                     " INSERT INTO app_session (token_hash, user_name, expires_at) VALUES ($1, $2, now() + $3 * interval '1 second')",
                     3, NULL, params, NULL, NULL, 0);
    int err = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : BMS_ERR_IO;

    PQclear(r);
    return err;
}

void auth_session_close(struct auth_sessions *s, PGconn *db, const char *token)
{
    unsigned char hash[HASH_BYTES];
    char text[HASH_TEXT];
    const char *params[] = { text };

    token_key(token, hash);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    PQclear(PQexecParams(db, "DELETE FROM app_session WHERE token_hash = $1", 1, NULL, params, NULL, NULL, 0));
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, hash);

    if (e != NULL)
        *e = (struct entry) { .checked_ms = 0 };
    s->forgotten++;
    pthread_mutex_unlock(&s->lock);
}

int auth_session_stands(PGconn *db, uint64_t session)
{
    char prefix[2 * sizeof session + 1];
    const char *params[] = { prefix };

    sodium_bin2hex(prefix, sizeof prefix, (const unsigned char *)&session, sizeof session);
    PGresult *r =
        PQexecParams(db,
                     "SELECT 1 FROM app_session s JOIN app_user u ON u.name = s.user_name"
                     " WHERE s.token_hash >= $1 AND left(s.token_hash, 16) = $1 AND s.expires_at > now() AND NOT u.disabled LIMIT 1",
                     1, NULL, params, NULL, NULL, 0);
    int stands = PQresultStatus(r) != PGRES_TUPLES_OK ? BMS_ERR_IO : PQntuples(r) > 0;

    PQclear(r);
    return stands;
}

void auth_sessions_forget(struct auth_sessions *s)
{
    pthread_mutex_lock(&s->lock);
    memset(s->entries, 0, sizeof s->entries);
    s->forgotten++;
    pthread_mutex_unlock(&s->lock);
}
