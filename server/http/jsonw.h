/* SPDX-License-Identifier: Apache-2.0 */
/* jsonw.h -- write JSON into one growing buffer.
 *
 * For the hot answers (frames, fleet rows, history): integers are formatted by hand, commas come by themselves, and text from
 * outside is always escaped. Bytes that are not UTF-8 become U+FFFD, so a bad name cannot spoil the document around it. Besides
 * what JSON asks for, `<`, `>` and `&` are escaped too: a document pasted into markup stays text.
 *
 * This is a writer only: input is parsed by jansson (api_input.h). The caller keeps the nesting right; the tests check the documents.
 * Nothing here fails early: when memory or `max` is exceeded, `failed` is set, the rest is dropped, and the owner looks once at the end.
 */
#ifndef SERVER_JSONW_H
#define SERVER_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonw {
    char *buf;   /* owned; not NUL terminated */
    size_t len;  /* bytes used */
    size_t cap;  /* bytes allocated */
    size_t max;  /* refuses to grow beyond */
    bool comma;  /* a value was written: the next one needs a comma first */
    bool failed; /* out of memory or beyond `max`: the document is not usable */
};

/* An empty document that may grow to `max` bytes. Allocates nothing yet. */
void jsonw_init(struct jsonw *j, size_t max);
void jsonw_deinit(struct jsonw *j);

/* Forget what was written, keep the memory. */
void jsonw_reset(struct jsonw *j);

void jsonw_object(struct jsonw *j);
void jsonw_object_end(struct jsonw *j);
void jsonw_array(struct jsonw *j);
void jsonw_array_end(struct jsonw *j);

/* A member's name; the value comes next. */
void jsonw_key(struct jsonw *j, const char *name);

void jsonw_int(struct jsonw *j, int64_t value);
void jsonw_uint(struct jsonw *j, uint64_t value);
void jsonw_bool(struct jsonw *j, bool value);
void jsonw_null(struct jsonw *j);

/* Text, escaped; NULL becomes null. */
void jsonw_str(struct jsonw *j, const char *text);
void jsonw_strn(struct jsonw *j, const char *text, size_t len);

/* A finished JSON value of ours, copied as it is. */
void jsonw_raw(struct jsonw *j, const char *value, size_t len);

/* A member in one call. `json_member_opt` writes null when `known` is false. */
void jsonw_member_int(struct jsonw *j, const char *name, int64_t value);
void jsonw_member_uint(struct jsonw *j, const char *name, uint64_t value);
void jsonw_member_bool(struct jsonw *j, const char *name, bool value);
void jsonw_member_str(struct jsonw *j, const char *name, const char *text);
void jsonw_member_opt(struct jsonw *j, const char *name, bool known, int64_t value);

#endif
