/* SPDX-License-Identifier: Apache-2.0 */
/* api_session.c -- sign in, who is signed in, sign out. */
#include "server/api/api_input.h"
#include "server/api/api_parts.h"
#include "server/api/auth_role.h"

#include <sodium.h>

static void answer_session(struct http_exchange *ex)
{
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "user", ex->user.name);
    jsonw_member_str(&ex->out, "role", auth_role_word(ex->user.access));
    jsonw_member_str(&ex->out, "tenant", ex->user.tenant);
    jsonw_member_str(&ex->out, "csrf", ex->user.csrf);
    jsonw_member_int(&ex->out, "server_time", http_utc_ms());
    jsonw_member_str(&ex->out, "build", API_VERSION);
    jsonw_object_end(&ex->out);
}

void api_sign_in(struct http_exchange *ex)
{
    struct input_sign_in in;
    struct input_problem problem;

    if (input_sign_in(ex->body, ex->body_len, &in, &problem) != 0)
        http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
    else if (auth_sign_in(api_of(ex)->auth, ex, in.user, in.password) == 0)
        answer_session(ex);
    sodium_memzero(&in, sizeof in);
    sodium_memzero(ex->body, ex->body_len);
}

void api_get_session(struct http_exchange *ex)
{
    answer_session(ex);
}

void api_sign_out(struct http_exchange *ex)
{
    auth_sign_out(api_of(ex)->auth, ex);
    stream_end_session(api_of(ex)->hub, ex->user.session);
    ex->status = 204;
}
