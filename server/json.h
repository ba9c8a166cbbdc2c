/* SPDX-License-Identifier: Apache-2.0 */
/* json.h -- write JSON into one growing buffer.
 *
 * For the hot answers (frames, fleet rows, history): integers are formatted by hand, commas come by themselves, and text from
 * outside is always escaped. Bytes that are not UTF-8 become U+FFFD, so a bad name cannot spoil the document around it. Besides
 * what JSON asks for, `<`, `>` and `&` are escaped too: a document pasted into markup stays text.
 *
 * This is a writer only: input is parsed by jansson (api_input.h). The caller keeps the nesting right; the tests check the documents.
 * Nothing here fails early: when memory or `max` is exceeded, `failed` is set, the rest is dropped, and the owner looks once at the end.
 */
#ifndef SERVER_JSON_H
#define SERVER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *buf;   /* owned; not NUL terminated */
    size_t len;  /* bytes used */
    size_t cap;  /* bytes allocated */
    size_t max;  /* refuses to grow beyond */
    bool comma;  /* a value was written: the next one needs a comma first */
    bool failed; /* out of memory or beyond `max`: the document is not usable */
};

/* An empty document that may grow to `max` bytes. Allocates nothing yet. */
void json_init(struct json *j, size_t max);
void json_deinit(struct json *j);

/* Forget what was written, keep the memory. */
void json_reset(struct json *j);

void json_object(struct json *j);
void json_object_end(struct json *j);
void json_array(struct json *j);
void json_array_end(struct json *j);

/* A member's name; the value comes next. */
void json_key(struct json *j, const char *name);

void json_int(struct json *j, int64_t value);
void json_uint(struct json *j, uint64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* Text, escaped; NULL becomes null. */
void json_str(struct json *j, const char *text);
void json_strn(struct json *j, const char *text, size_t len);

/* A finished JSON value of ours, copied as it is. */
void json_raw(struct json *j, const char *value, size_t len);

/* A member in one call. `json_member_opt` writes null when `known` is false. */
void json_member_int(struct json *j, const char *name, int64_t value);
void json_member_uint(struct json *j, const char *name, uint64_t value);
void json_member_bool(struct json *j, const char *name, bool value);
void json_member_str(struct json *j, const char *name, const char *text);
void json_member_opt(struct json *j, const char *name, bool known, int64_t value);

#endif
