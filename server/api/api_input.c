/* SPDX-License-Identifier: Apache-2.0 */
/* api_input.c -- see api_input.h. */
#include "server/api/api_input.h"

#include "common/err.h"
#include "server/api/auth_role.h"
#include "server/ingest/decode.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct input_problem *problem, const char *code, const char *field, const char *format, ...)
{
    va_list args;

    problem->code = code;
    snprintf(problem->field, sizeof problem->field, "%s", field);
    va_start(args, format);
    vsnprintf(problem->detail, sizeof problem->detail, format, args);
    va_end(args);
    return BMS_ERR_RANGE;
}

/* The body as an object; NULL with the problem. */
static json_t *parse(const char *body, size_t len, struct input_problem *problem)
{
    json_error_t error;
    json_t *root = json_loadb(body == NULL ? "" : body, len, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        refuse(problem, "bad_json", "", "line %d, column %d: %.100s", error.line, error.column, error.text);
        return NULL;
    }
    if (!json_is_object(root)) {
        refuse(problem, "bad_json", "", "the body must be one JSON object");
        json_decref(root);
        return NULL;
    }
    return root;
}

/* Only names of the list (ended by NULL) may be there. */
static int only(json_t *object, const char *const *names, const char *where, struct input_problem *problem)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        size_t i = 0;

        while (names[i] != NULL && strcmp(names[i], name) != 0)
            i++;
        if (names[i] == NULL)
            return refuse(problem, "bad_field", name, "%sunknown member", where);
    }
    return 0;
}

/* Copy a text of at most size - 1 bytes. Absent is "" unless required. Text with a NUL inside is refused by jansson. */
static int text(json_t *object, const char *name, bool required, char *out, size_t size, struct input_problem *problem)
{
    json_t *value = json_object_get(object, name);

    out[0] = '\0';
    if (value == NULL)
        return required ? refuse(problem, "bad_field", name, "is required") : 0;
    if (!json_is_string(value))
        return refuse(problem, "bad_field", name, "must be a string");
    size_t len = json_string_length(value);

    if (len >= size)
        return refuse(problem, "bad_field", name, "may have at most %zu bytes", size - 1);
    memcpy(out, json_string_value(value), len + 1);
    return 0;
}

int input_sign_in(const char *body, size_t len, struct input_sign_in *out, struct input_problem *problem)
{
    static const char *const names[] = { "user", "password", NULL };
    json_t *root = parse(body, len, problem);
    int err = root == NULL ? BMS_ERR_RANGE : only(root, names, "", problem);

    if (err == 0)
        err = text(root, "user", true, out->user, sizeof out->user, problem);
    if (err == 0)
        err = text(root, "password", true, out->password, sizeof out->password, problem);
    json_decref(root);
    return err;
}

int input_password(const char *body, size_t len, struct input_password *out, struct input_problem *problem)
{
    static const char *const names[] = { "password", "new_password", NULL };
    json_t *root = parse(body, len, problem);
    int err = root == NULL ? BMS_ERR_RANGE : only(root, names, "", problem);

    if (err == 0)
        err = text(root, "password", true, out->password, sizeof out->password, problem);
    if (err == 0)
        err = text(root, "new_password", true, out->new_password, sizeof out->new_password, problem);
    json_decref(root);
    return err;
}

#define LETTERS  "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"

/* As the tables ask for: app_user of 010_auth.sql. Lower case, so that nobody is another one's double. */
static int user_words(const struct input_user *user, struct input_problem *problem)
{
    if (user->name[strspn(user->name, LETTERS DIGITS "._@-")] != '\0' || (user->name[0] != '\0' && strchr("._@-", user->name[0]) != NULL))
        return refuse(problem, "bad_field", "name",
                      "may have lower case letters, digits and . _ @ -, and begins with one of the first two");
    if (user->role[0] != '\0' && auth_role_access(user->role) == ACCESS_PUBLIC)
        return refuse(problem, "bad_field", "role", "must be viewer, operator, engineer or admin");
    if (strcmp(user->tenant, "*") != 0 &&
        (user->tenant[strspn(user->tenant, LETTERS CAPITALS DIGITS "_-")] != '\0' || strlen(user->tenant) > 62))
        return refuse(problem, "bad_field", "tenant", "must be a tenant's name, or * for all");
    return 0;
}

static int user_switch(json_t *root, struct input_user *out, struct input_problem *problem)
{
    json_t *value = json_object_get(root, "disabled");

    if (value != NULL && !json_is_boolean(value))
        return refuse(problem, "bad_field", "disabled", "must be true or false");
    out->has_disabled = value != NULL;
    out->disabled = json_is_true(value);
    return 0;
}

/* A member that is there and empty says nothing that could be done. */
static int user_text(json_t *root, const char *name, bool required, char *out, size_t size, struct input_problem *problem)
{
    int err = text(root, name, required, out, size, problem);

    return err == 0 && out[0] == '\0' && json_object_get(root, name) != NULL ? refuse(problem, "bad_field", name, "must not be empty")
                                                                             : err;
}

int input_user(const char *body, size_t len, bool add, struct input_user *out, struct input_problem *problem)
{
    static const char *const of_new[] = { "name", "role", "tenant", "password", NULL };
    static const char *const of_change[] = { "role", "tenant", "password", "disabled", NULL };
    json_t *root = parse(body, len, problem);
    int err = root == NULL ? BMS_ERR_RANGE : only(root, add ? of_new : of_change, "", problem);

    err = err ? err : user_text(root, "name", add, out->name, sizeof out->name, problem);
    err = err ? err : user_text(root, "role", add, out->role, sizeof out->role, problem);
    err = err ? err : user_text(root, "tenant", add, out->tenant, sizeof out->tenant, problem);
    err = err ? err : text(root, "password", add, out->password, sizeof out->password, problem);
    err = err ? err : user_switch(root, out, problem);
    err = err ? err : user_words(out, problem);
    out->has_password = json_object_get(root, "password") != NULL;
    if (err == 0 && json_object_size(root) == 0)
        err = refuse(problem, "bad_field", "", "say what is to change");
    json_decref(root);
    return err;
}

static int whole_number(json_t *object, size_t index, const char *name, int64_t *out, struct input_problem *problem)
{
    json_t *value = json_object_get(object, name);
    char field[48];

    snprintf(field, sizeof field, "values[%zu].%s", index, name);
    if (!json_is_integer(value))
        return refuse(problem, "bad_field", field, value == NULL ? "is required" : "must be a whole number");
    *out = json_integer_value(value);
    return 0;
}

static int values(json_t *root, struct input_op *out, struct input_problem *problem)
{
    static const char *const names[] = { "id", "value", NULL };
    json_t *list = json_object_get(root, "values");
    json_t *item;
    size_t i;

    out->count = 0;
    if (list == NULL)
        return 0;
    if (!json_is_array(list) || json_array_size(list) > OP_VALUES_MAX)
        return refuse(problem, "bad_field", "values", "must be a list of at most %d values", OP_VALUES_MAX);
    json_array_foreach(list, i, item)
    {
        char where[32];

        snprintf(where, sizeof where, "values[%zu]: ", i);
        if (!json_is_object(item))
            return refuse(problem, "bad_field", "values", "%smust be an object with id and value", where);
        if (only(item, names, where, problem) != 0 || whole_number(item, i, "id", &out->values[i].id, problem) != 0 ||
            whole_number(item, i, "value", &out->values[i].value, problem) != 0)
            return BMS_ERR_RANGE;
        out->count++;
    }
    return 0;
}

int input_op(const char *body, size_t len, struct input_op *out, struct input_problem *problem)
{
    static const char *const names[] = { "kind", "values", "reason", "confirm", NULL };
    char kind[16];
    json_t *root = parse(body, len, problem);
    int err = root == NULL ? BMS_ERR_RANGE : only(root, names, "", problem);

    if (err == 0)
        err = text(root, "kind", true, kind, sizeof kind, problem);
    if (err == 0 && (!op_kind_of(kind, &out->kind) || out->kind == OP_REFILL))
        err = refuse(problem, "bad_field", "kind", "must be calibrate, flash, restart or read");
    if (err == 0)
        err = values(root, out, problem);
    if (err == 0)
        err = text(root, "reason", false, out->reason, sizeof out->reason, problem);
    if (err == 0)
        err = text(root, "confirm", false, out->confirm, sizeof out->confirm, problem);
    json_decref(root);
    return err;
}

static int time_of(json_t *object, const char *name, int64_t *out, struct input_problem *problem)
{
    json_t *value = json_object_get(object, name);

    *out = json_integer_value(value);
    if (!json_is_integer(value) || *out < 0 || *out > INT64_MAX / 2)
        return refuse(problem, "bad_field", name, "must be a time: UTC, milliseconds since 1970");
    return 0;
}

int input_span(const char *body, size_t len, struct input_span *out, struct input_problem *problem)
{
    static const char *const names[] = { "from", "to", NULL };
    json_t *root = parse(body, len, problem);
    int err = root == NULL ? BMS_ERR_RANGE : only(root, names, "", problem);

    if (err == 0)
        err = time_of(root, "from", &out->from_ms, problem);
    if (err == 0)
        err = time_of(root, "to", &out->to_ms, problem);
    if (err == 0 && (out->to_ms <= out->from_ms || out->to_ms - out->from_ms > INPUT_SPAN_MAX_MS))
        err = refuse(problem, "bad_field", "to", "must be after from, by at most 400 days");
    json_decref(root);
    return err;
}

bool input_topic_is_valid(const char *topic)
{
    return strcmp(topic, "fleet") == 0 || (strncmp(topic, "v:", 2) == 0 && device_name_is_valid(topic + 2, strlen(topic + 2)));
}

int input_topics(const char *body, size_t len, struct input_topics *out, struct input_problem *problem)
{
    static const char *const names[] = { "topics", NULL };
    json_t *root = parse(body, len, problem);
    json_t *list = root == NULL ? NULL : json_object_get(root, "topics");
    int err = root == NULL ? BMS_ERR_RANGE : only(root, names, "", problem);

    out->count = 0;
    if (err == 0 && (!json_is_array(list) || json_array_size(list) > INPUT_TOPICS_MAX))
        err = refuse(problem, "bad_field", "topics", "must be a list of at most %d topics", INPUT_TOPICS_MAX);
    for (size_t i = 0; err == 0 && i < json_array_size(list); i++) {
        const char *topic = json_string_value(json_array_get(list, i));

        if (topic == NULL || strlen(topic) >= INPUT_TOPIC_SIZE || !input_topic_is_valid(topic))
            err = refuse(problem, "bad_field", "topics", "topic %zu must be fleet or v:<tenant>.<vehicle>", i + 1);
        else
            snprintf(out->topics[out->count++], INPUT_TOPIC_SIZE, "%s", topic);
    }
    json_decref(root);
    return err;
}
