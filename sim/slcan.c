/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/slcan.h"

#include <string.h>

enum { STANDARD_DIGITS = 3, EXTENDED_DIGITS = 8, STAMP_WRAP_MS = 60000 };

static const char hex_digits[] = "0123456789ABCDEF";

void slcan_init(struct slcan *s)
{
    memset(s, 0, sizeof(*s));
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* n hexadecimal digits, n <= 8. */
static bool parse_hex(const char *p, size_t n, uint32_t *v)
{
    *v = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = hex_value(p[i]);

        if (digit < 0)
            return false;
        *v = *v << 4 | (uint32_t)digit;
    }
    return true;
}

/* "tiiildd..": all of the line, to the digit. */
static bool parse_frame(const struct slcan *s, struct can_frame *f)
{
    bool ext = s->line[0] == 'T';
    size_t digits = ext ? EXTENDED_DIGITS : STANDARD_DIGITS;
    uint32_t len;

    *f = (struct can_frame) { .ext = ext };
    if (s->len < 1 + digits + 1 || !parse_hex(s->line + 1, digits, &f->id) || !parse_hex(s->line + 1 + digits, 1, &len))
        return false;
    if (len > 8 || f->id > (ext ? 0x1FFFFFFFu : 0x7FFu) || s->len != 1 + digits + 1 + 2 * len)
        return false;
    f->len = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        uint32_t byte;

        if (!parse_hex(s->line + 1 + digits + 1 + 2 * i, 2, &byte))
            return false;
        f->data[i] = (uint8_t)byte;
    }
    return true;
}

static void answer(struct slcan_result *out, const char *text)
{
    out->answer_len = strlen(text);
    memcpy(out->answer, text, out->answer_len);
}

static bool send_frame(struct slcan *s, struct slcan_result *out)
{
    if (!s->open || s->listen_only || !parse_frame(s, &out->frame))
        return false;
    out->has_frame = true;
    answer(out, s->line[0] == 'T' ? "Z\r" : "z\r");
    return true;
}

static bool open_channel(struct slcan *s, bool listen_only)
{
    if (s->open)
        return false;
    s->open = true;
    s->listen_only = listen_only;
    return true;
}

static bool digits_follow(const struct slcan *s, size_t n)
{
    uint32_t v;

    return s->len == 1 + n && parse_hex(s->line + 1, n, &v);
}

/* One whole line. True when it is accepted; then `out` holds an answer, or nothing, which means CR. */
static bool command(struct slcan *s, struct slcan_result *out)
{
    switch (s->line[0]) {
    case 't':
    case 'T':
        return send_frame(s, out);
    case 'S':
        return !s->open && s->len == 2 && s->line[1] >= '0' && s->line[1] <= '8';
    case 's':
        return !s->open && digits_follow(s, 4);
    case 'O':
        return s->len == 1 && open_channel(s, false);
    case 'L':
        return s->len == 1 && open_channel(s, true);
    case 'C':
        s->open = false;
        return s->len == 1;
    case 'F':
        answer(out, "F00\r");
        return s->len == 1 && s->open;
    case 'V':
        answer(out, "V1010\r");
        return s->len == 1;
    case 'v':
        answer(out, "v0100\r");
        return s->len == 1;
    case 'N':
        answer(out, "NCW01\r");
        return s->len == 1;
    case 'M':
    case 'm':
        return !s->open && digits_follow(s, 8);
    case 'X':
        return s->len == 2 && (s->line[1] == '0' || s->line[1] == '1');
    case 'Z':
        if (s->open || s->len != 2 || (s->line[1] != '0' && s->line[1] != '1'))
            return false;
        s->stamps = s->line[1] == '1';
        return true;
    default:
        return false;
    }
}

static void end_of_line(struct slcan *s, struct slcan_result *out)
{
    bool empty = s->len == 0 && !s->too_long; /* hosts send CRs to clear the line */

    if (empty || (!s->too_long && command(s, out))) {
        if (out->answer_len == 0)
            answer(out, "\r");
    } else {
        s->refused++;
        answer(out, "\a");
    }
    s->len = 0;
    s->too_long = false;
}

void slcan_take(struct slcan *s, char byte, struct slcan_result *out)
{
    out->answer_len = 0;
    out->has_frame = false;
    if (byte == '\r')
        end_of_line(s, out);
    else if (byte == '\n')
        return; /* some terminals add it */
    else if (s->len < sizeof(s->line))
        s->line[s->len++] = byte;
    else
        s->too_long = true;
}

static char *put_hex(char *p, uint32_t v, size_t digits)
{
    for (size_t i = digits; i-- > 0;)
        *p++ = hex_digits[v >> (4 * i) & 0x0F];
    return p;
}

size_t slcan_give(const struct slcan *s, const struct can_frame *f, uint32_t now_ms, char line[SLCAN_FRAME_MAX])
{
    char *p = line;

    if (!s->open)
        return 0;
    *p++ = f->ext ? 'T' : 't';
    p = put_hex(p, f->id, f->ext ? EXTENDED_DIGITS : STANDARD_DIGITS);
    p = put_hex(p, f->len, 1);
    for (size_t i = 0; i < f->len; i++)
        p = put_hex(p, f->data[i], 2);
    if (s->stamps)
        p = put_hex(p, now_ms % STAMP_WRAP_MS, 4);
    *p++ = '\r';
    return (size_t)(p - line);
}
