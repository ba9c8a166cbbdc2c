/* SPDX-License-Identifier: Apache-2.0 */
/* api_input.h -- request bodies, checked before anything is done with them.
 *
 * One function per body of openapi.yaml. JSON is strict (jansson): no duplicate names, UTF-8 only, integers are integers; unknown members are
 * refused. Each function returns 0, or BMS_ERR_RANGE with the first thing that is wrong in *problem. Pure, fuzzed.
 */
#ifndef SERVER_API_INPUT_H
#define SERVER_API_INPUT_H

#include "server/downlink/downlink.h"

#include <stddef.h>

#define INPUT_SPAN_MAX_MS (400ll * 24 * 3600 * 1000)

enum { INPUT_TOPICS_MAX = 32, INPUT_TOPIC_SIZE = 80 };

struct input_problem {
    const char *code; /* "bad_json", "bad_field" */
    char field[64];   /* "" when it is the whole body */
    char detail[160];
};

struct input_sign_in {
    char user[65];
    char password[257];
};

struct input_password {
    char password[257]; /* the one that is signed in with now */
    char new_password[257];
};

struct input_op {
    enum op_kind kind;
    struct op_value values[OP_VALUES_MAX];
    size_t count;
    char reason[OP_REASON_MAX + 1];
    char confirm[65];
};

struct input_topics {
    char topics[INPUT_TOPICS_MAX][INPUT_TOPIC_SIZE]; /* "fleet" or "v:<id>" */
    size_t count;
};

/* What is said of a user; what is not said is "" and left alone. */
struct input_user {
    char name[65]; /* of a new user only: lower case letters, digits, . _ @ - */
    char role[16];
    char tenant[65]; /* "*" or a tenant's name */
    char password[257];
    bool has_password, has_disabled, disabled;
};

struct input_span {
    int64_t from_ms, to_ms; /* UTC */
};

int input_sign_in(const char *body, size_t len, struct input_sign_in *out, struct input_problem *problem);
int input_password(const char *body, size_t len, struct input_password *out, struct input_problem *problem);

/* `add`: name, role, tenant and password are asked for. Otherwise there must be something to change, and no name. */
int input_user(const char *body, size_t len, bool add, struct input_user *out, struct input_problem *problem);

int input_op(const char *body, size_t len, struct input_op *out, struct input_problem *problem);
int input_span(const char *body, size_t len, struct input_span *out, struct input_problem *problem);
int input_topics(const char *body, size_t len, struct input_topics *out, struct input_problem *problem);

/* One topic: "fleet", or "v:" and a valid vehicle id. */
bool input_topic_is_valid(const char *topic);

#endif
