/* SPDX-License-Identifier: Apache-2.0 */
/* jsonw.c -- see jsonw.h. */
#include "server/http/jsonw.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024u

void jsonw_init(struct jsonw *j, size_t max)
{
    *j = (struct jsonw) { .max = max };
}

void jsonw_deinit(struct jsonw *j)
{
    free(j->buf);
    *j = (struct jsonw) { .max = j->max };
}

void jsonw_reset(struct jsonw *j)
{
    j->len = 0;
    j->comma = false;
    j->failed = false;
}

/* Make room for `more` bytes. False: the document has failed. */
static bool grow(struct jsonw *j, size_t more)
{
    if (j->failed)
        return false;
    if (j->cap - j->len >= more)
        return true;
    size_t cap = j->cap == 0 ? FIRST_CAPACITY : j->cap;

    while (cap - j->len < more && cap < j->max)
        cap *= 2;
    cap = cap > j->max ? j->max : cap;
    char *buf = cap < j->len || cap - j->len < more ? NULL : realloc(j->buf, cap);

    if (buf == NULL) {
        j->failed = true;
        return false;
    }
    j->buf = buf;
    j->cap = cap;
    return true;
}

static void put(struct jsonw *j, const char *bytes, size_t len)
{
    if (!grow(j, len))
        return;
    memcpy(j->buf + j->len, bytes, len);
    j->len += len;
}

/* What comes before a value: the comma after the one before. */
static void value_begins(struct jsonw *j)
{
    if (j->comma)
        put(j, ",", 1);
    j->comma = true;
}

static void opens(struct jsonw *j, const char *bracket)
{
    value_begins(j);
    put(j, bracket, 1);
    j->comma = false;
}

static void closes(struct jsonw *j, const char *bracket)
{
    put(j, bracket, 1);
    j->comma = true;
}

void jsonw_object(struct jsonw *j)
{
    opens(j, "{");
}

void jsonw_object_end(struct jsonw *j)
{
    closes(j, "}");
}

void jsonw_array(struct jsonw *j)
{
    opens(j, "[");
}

void jsonw_array_end(struct jsonw *j)
{
    closes(j, "]");
}

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629: no overlong form, no surrogate, at most U+10FFFF); 0 when it is none. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
    static const struct {
        unsigned char first, last, low, high; /* range of the lead byte, range of the second byte */
        size_t len;
    } forms[] = {
        { 0x00, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last)
            continue;
        if (forms[i].len > left || (forms[i].len > 1 && (s[1] < forms[i].low || s[1] > forms[i].high)))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++) {
            if ((s[k] & 0xC0u) != 0x80u)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

static bool must_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x7F;
}

static void put_escape(struct jsonw *j, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15u] };

    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        put(j, text, 2);
    } else {
        put(j, text, sizeof text);
    }
}

/* U+2028 and U+2029 end a line in script source; they are escaped so that no reader has to care. */
static bool is_line_separator(const unsigned char *s, size_t len)
{
    return len == 3 && s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9);
}

static void put_text(struct jsonw *j, const unsigned char *s, size_t len)
{
    size_t plain = 0; /* start of the run that needs no escape */

    put(j, "\"", 1);
    for (size_t i = 0; i < len;) {
        size_t n = utf8_sequence(s + i, len - i);

        if (n > 0 && !must_escape(s[i]) && !is_line_separator(s + i, n)) {
            i += n;
            continue;
        }
        put(j, (const char *)s + plain, i - plain);
        if (n == 0)
            put(j, "\xEF\xBF\xBD", 3);
        else if (n == 3)
            put(j, s[i + 2] == 0xA8 ? "\\u2028" : "\\u2029", 6);
        else
            put_escape(j, s[i]);
        i += n == 0 ? 1 : n;
        plain = i;
    }
    put(j, (const char *)s + plain, len - plain);
    put(j, "\"", 1);
}

void jsonw_strn(struct jsonw *j, const char *text, size_t len)
{
    value_begins(j);
    put_text(j, (const unsigned char *)text, len);
}

void jsonw_str(struct jsonw *j, const char *text)
{
    if (text == NULL)
        jsonw_null(j);
    else
        jsonw_strn(j, text, strlen(text));
}

void jsonw_key(struct jsonw *j, const char *name)
{
    jsonw_str(j, name);
    put(j, ":", 1);
    j->comma = false;
}

static void put_digits(struct jsonw *j, bool negative, uint64_t magnitude)
{
    char text[21];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (negative)
        text[--at] = '-';
    value_begins(j);
    put(j, text + at, sizeof text - at);
}

void jsonw_int(struct jsonw *j, int64_t value)
{
    put_digits(j, value < 0, value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value);
}

void jsonw_uint(struct jsonw *j, uint64_t value)
{
    put_digits(j, false, value);
}

void jsonw_bool(struct jsonw *j, bool value)
{
    value_begins(j);
    put(j, value ? "true" : "false", value ? 4 : 5);
}

void jsonw_null(struct jsonw *j)
{
    value_begins(j);
    put(j, "null", 4);
}

void jsonw_raw(struct jsonw *j, const char *value, size_t len)
{
    value_begins(j);
    put(j, value, len);
}

void jsonw_member_int(struct jsonw *j, const char *name, int64_t value)
{
    jsonw_key(j, name);
    jsonw_int(j, value);
}

void jsonw_member_uint(struct jsonw *j, const char *name, uint64_t value)
{
    jsonw_key(j, name);
    jsonw_uint(j, value);
}

void jsonw_member_bool(struct jsonw *j, const char *name, bool value)
{
    jsonw_key(j, name);
    jsonw_bool(j, value);
}

void jsonw_member_str(struct jsonw *j, const char *name, const char *text)
{
    jsonw_key(j, name);
    jsonw_str(j, text);
}

void jsonw_member_opt(struct jsonw *j, const char *name, bool known, int64_t value)
{
    jsonw_key(j, name);
    if (known)
        jsonw_int(j, value);
    else
        jsonw_null(j);
}
