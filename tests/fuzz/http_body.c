/* SPDX-License-Identifier: Apache-2.0 */
/* http_body.c -- request bodies and what a query can hold: the first byte says which parser gets the rest. */
#include "server/api/api_input.h"
#include "server/history/history.h"
#include "server/http/http_route.h"
#include "server/http/static.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sign_in(const char *body, size_t len)
{
    struct input_sign_in in;
    struct input_problem problem;

    if (input_sign_in(body, len, &in, &problem) == 0 && (strlen(in.user) >= sizeof in.user || strlen(in.password) >= sizeof in.password))
        abort();
}

static void op(const char *body, size_t len)
{
    static struct input_op in;
    struct input_problem problem;

    if (input_op(body, len, &in, &problem) == 0 && in.count > OP_VALUES_MAX)
        abort();
}

static void topics(const char *body, size_t len)
{
    static struct input_topics in;
    struct input_problem problem;

    if (input_topics(body, len, &in, &problem) != 0)
        return;
    for (size_t i = 0; i < in.count; i++) {
        if (!input_topic_is_valid(in.topics[i]))
            abort();
    }
}

static void user(const char *body, size_t len)
{
    struct input_user in;
    struct input_problem problem;
    bool add = len % 2 == 0;

    if (input_user(body, len, add, &in, &problem) == 0 && add && (in.name[0] == '\0' || strlen(in.tenant) > 62))
        abort();
}

static void password(const char *body, size_t len)
{
    struct input_password in;
    struct input_problem problem;

    if (input_password(body, len, &in, &problem) == 0 && strlen(in.new_password) >= sizeof in.new_password)
        abort();
}

static void series(const char *text, size_t len)
{
    struct history h;
    char bad[HISTORY_NAME_SIZE];

    (void)len;
    if (history_parse(text, &h, bad) == 0 && (h.series_count == 0 || h.series_count > HISTORY_SERIES_MAX))
        abort();
}

static void path(const char *text, size_t len)
{
    static const struct http_route routes[] = { { "GET", "/a/{x}/b/{y}", ACCESS_PUBLIC, false, false, NULL } };
    struct http_match match;
    char name[STATIC_NAME_MAX + 1];

    (void)len;
    http_route_find(routes, 1, "GET", text, &match);
    if (static_name(text, name) && (name[0] == '/' || name[0] == '.' || strstr(name, "..") == name || strstr(name, "/.") != NULL))
        abort();
    static_is_immutable(text);
    static_accepts(text, "br");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(const char *, size_t) = { sign_in, op, topics, series, path, user, password };
    char *text = size == 0 ? NULL : malloc(size);

    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0'; /* as http.c hands bodies on */
    parsers[data[0] % (sizeof parsers / sizeof parsers[0])](text, size - 1);
    free(text);
    return 0;
}
