/* SPDX-License-Identifier: Apache-2.0 */
/* api_users.c -- administrators list, add, change and remove users; everybody changes the own password. */
#include "server/api/api_input.h"
#include "server/api/api_parts.h"
#include "server/api/auth_password.h"
#include "server/api/user_store.h"

#include "common/err.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define OF_FILE "this user's password is the first line of the server's password file; change it there"

static struct user_admin admin_of(const struct http_exchange *ex)
{
    return (struct user_admin) { ex->user.name, ex->user.tenant, ex->user.session };
}

static void render_user(void *ctx, const struct user_row *row)
{
    struct http_exchange *ex = ctx;

    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "name", row->name);
    jsonw_member_str(&ex->out, "role", row->role);
    jsonw_member_str(&ex->out, "tenant", row->tenant);
    jsonw_member_bool(&ex->out, "disabled", row->disabled);
    jsonw_member_bool(&ex->out, "of_file", auth_is_of_file(api_of(ex)->auth, row->name));
    jsonw_member_int(&ex->out, "sessions", row->sessions);
    jsonw_member_int(&ex->out, "created_at", row->created_at_ms);
    jsonw_member_int(&ex->out, "changed_at", row->changed_at_ms);
    jsonw_object_end(&ex->out);
}

static void answer_error(struct http_exchange *ex, int err)
{
    if (err == BMS_ERR_UNKNOWN) {
        http_problem(ex, 404, "no_such_user", NULL, "there is no user with this name");
    } else if (err == BMS_ERR_RANGE) {
        http_problem(ex, 409, "user_exists", "name", "a user with this name exists already");
    } else if (err == BMS_ERR_STATE) {
        http_problem(ex, 409, "last_admin", NULL, "this is the last administrator of all tenants; make another one first");
    } else {
        ex->retry_after_s = 2;
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; nothing was changed");
    }
}

/* What the user is now. */
static void answer_user(struct http_exchange *ex, const char *name, unsigned status)
{
    struct user_admin everybody = { ex->user.name, "*", 0 }; /* it may have left the tenant that this administrator sees */
    int found = user_list(ex->db, &everybody, name, render_user, ex);

    ex->status = status;
    if (found != 1)
        answer_error(ex, found < 0 ? found : BMS_ERR_UNKNOWN);
}

void api_list_users(struct http_exchange *ex)
{
    struct user_admin admin = admin_of(ex);

    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_int(&ex->out, "as_of", http_utc_ms());
    jsonw_key(&ex->out, "users");
    jsonw_array(&ex->out);
    int count = user_list(ex->db, &admin, NULL, render_user, ex);

    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
    if (count < 0)
        answer_error(ex, count);
}

/* Tenants that are not this administrator's are not given away, and the password is one that may be. False: answered. */
static bool is_acceptable(struct http_exchange *ex, const char *name, const struct input_user *in)
{
    const char *problem = in->has_password ? auth_password_problem(name, in->password) : NULL;

    if (in->tenant[0] != '\0' && strcmp(ex->user.tenant, "*") != 0 && strcmp(ex->user.tenant, in->tenant) != 0)
        http_problem(ex, 403, "tenant", "tenant", "you may only have users of your own tenant");
    else if (problem != NULL)
        http_problem(ex, 422, "password_rule", "password", problem);
    else if (in->has_password && auth_is_of_file(api_of(ex)->auth, name))
        http_problem(ex, 409, "of_file", "password", OF_FILE);
    else
        return true;
    return false;
}

/* Body to a change. False: answered. */
static bool read_body(struct http_exchange *ex, bool add, struct input_user *in)
{
    struct input_problem problem;

    if (input_user(ex->body, ex->body_len, add, in, &problem) != 0)
        http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
    return ex->status == 0 && is_acceptable(ex, add ? in->name : ex->match.param[0], in);
}

static bool make_hash(struct http_exchange *ex, const char *password, char hash[crypto_pwhash_STRBYTES])
{
    int err = auth_hash(api_of(ex)->auth, password, hash);

    if (err == 0)
        return true;
    ex->retry_after_s = 1;
    http_problem(ex, 503, "busy", NULL, "too many passwords are being looked at; try again");
    return false;
}

/* Whoever it was about meets the change with the next request, and a stream that it ends has ended before this is answered. */
static void make_effective(struct http_exchange *ex)
{
    auth_forget(api_of(ex)->auth);
    api_check_streams(api_of(ex), ex->db);
}

static const char *said(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static void write_user(struct http_exchange *ex, const struct input_user *in, const char *hash, bool add)
{
    struct user_admin admin = admin_of(ex);
    const char *name = add ? in->name : ex->match.param[0];
    struct user_change change = { name, said(in->role), said(in->tenant), hash, in->has_disabled ? &in->disabled : NULL };
    int err = add ? user_add(ex->db, &admin, &change) : user_change(ex->db, &admin, &change);

    if (err != 0) {
        answer_error(ex, err);
        return;
    }
    make_effective(ex);
    if (add)
        snprintf(ex->location, sizeof ex->location, "/api/v1/users/%s", name);
    answer_user(ex, name, add ? 201 : 200);
}

static void take_user(struct http_exchange *ex, bool add)
{
    struct input_user in = { .name = "" };
    char hash[crypto_pwhash_STRBYTES];

    if (read_body(ex, add, &in) && (!in.has_password || make_hash(ex, in.password, hash)))
        write_user(ex, &in, in.has_password ? hash : NULL, add);
    sodium_memzero(&in, sizeof in);
    if (ex->body != NULL)
        sodium_memzero(ex->body, ex->body_len);
}

void api_add_user(struct http_exchange *ex)
{
    take_user(ex, true);
}

void api_change_user(struct http_exchange *ex)
{
    take_user(ex, false);
}

void api_remove_user(struct http_exchange *ex)
{
    struct user_admin admin = admin_of(ex);
    const char *name = ex->match.param[0];

    if (auth_is_of_file(api_of(ex)->auth, name)) {
        http_problem(ex, 409, "of_file", NULL, "the server's password file would make this user again; disable it instead");
        return;
    }
    int err = user_remove(ex->db, &admin, name);

    if (err != 0) {
        answer_error(ex, err);
        return;
    }
    make_effective(ex);
    ex->status = 204;
}

/* 403 and not 401, which would tell the page that nobody is signed in any more. */
static bool knows_password(struct http_exchange *ex, const char *password)
{
    int err = auth_verify(api_of(ex)->auth, ex, ex->user.name, password);

    if (err == BMS_ERR_RANGE)
        http_problem(ex, 403, "wrong_password", "password", "this is not the password that you sign in with");
    return err == 0;
}

/* False: answered. */
static bool may_be_own(struct http_exchange *ex, const char *password)
{
    const char *problem = auth_password_problem(ex->user.name, password);

    if (auth_is_of_file(api_of(ex)->auth, ex->user.name))
        http_problem(ex, 409, "of_file", "new_password", OF_FILE);
    else if (problem != NULL)
        http_problem(ex, 422, "password_rule", "new_password", problem);
    else
        return true;
    return false;
}

static void store_own(struct http_exchange *ex, const char *hash)
{
    struct user_admin self = admin_of(ex);
    struct user_change change = { .name = ex->user.name, .hash = hash };
    int err = user_change(ex->db, &self, &change);

    if (err != 0) {
        answer_error(ex, err);
        return;
    }
    make_effective(ex);
    ex->status = 204;
}

void api_change_own_password(struct http_exchange *ex)
{
    struct input_password in;
    struct input_problem problem;
    char hash[crypto_pwhash_STRBYTES];

    if (input_password(ex->body, ex->body_len, &in, &problem) != 0)
        http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
    else if (may_be_own(ex, in.new_password) && knows_password(ex, in.password) && make_hash(ex, in.new_password, hash))
        store_own(ex, hash);
    sodium_memzero(&in, sizeof in);
    if (ex->body != NULL)
        sodium_memzero(ex->body, ex->body_len);
}
