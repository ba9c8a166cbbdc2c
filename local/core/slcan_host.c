/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/slcan_host.h"

#include <string.h>

enum { STANDARD_DIGITS = 3, EXTENDED_DIGITS = 8, STAMP_DIGITS = 4 };

void slcan_host_init(struct slcan_host *h)
{
    memset(h, 0, sizeof(*h));
}

size_t slcan_host_start(unsigned kbit, char *out)
{
    static const uint16_t rates[] = { 10, 20, 50, 100, 125, 250, 500, 800, 1000 };

    for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        if (rates[i] == kbit) {
            memcpy(out, "\r\rC\rS0\rO\r", 10);
            out[5] = (char)('0' + i);
            return 9;
        }
    return 0;
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

static bool parse_frame(const struct slcan_host *h, struct can_frame *f)
{
    bool ext = h->line[0] == 'T';
    size_t digits = ext ? EXTENDED_DIGITS : STANDARD_DIGITS, head = 1 + digits + 1;
    uint32_t len, byte;

    *f = (struct can_frame) { .ext = ext };
    if (h->len < head || !parse_hex(h->line + 1, digits, &f->id) || !parse_hex(h->line + 1 + digits, 1, &len))
        return false;
    if (len > 8 || f->id > (ext ? 0x1FFFFFFFu : 0x7FFu) || (h->len != head + 2 * len && h->len != head + 2 * len + STAMP_DIGITS))
        return false;
    f->len = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        if (!parse_hex(h->line + head + 2 * i, 2, &byte))
            return false;
        f->data[i] = (uint8_t)byte;
    }
    return true;
}

static bool end_of_line(struct slcan_host *h, struct can_frame *frame)
{
    bool like = h->len > 0 && (h->line[0] == 't' || h->line[0] == 'T');
    bool is_frame = like && !h->too_long && parse_frame(h, frame);

    h->malformed += like && !is_frame ? 1 : 0;
    h->len = 0;
    h->too_long = false;
    return is_frame;
}

bool slcan_host_take(struct slcan_host *h, char byte, struct can_frame *frame)
{
    if (byte == '\r')
        return end_of_line(h, frame);
    if (byte == '\a') {
        h->refused++;
        h->len = 0;
        h->too_long = false;
    } else if (byte == '\n') {
        return false; /* some adapters add it */
    } else if (h->len < sizeof(h->line)) {
        h->line[h->len++] = byte;
    } else {
        h->too_long = true;
    }
    return false;
}

static char *put_hex(char *p, uint32_t v, size_t digits)
{
    for (size_t i = digits; i-- > 0;)
        *p++ = "0123456789ABCDEF"[v >> (4 * i) & 0x0F];
    return p;
}

size_t slcan_host_put(const struct can_frame *f, char *out)
{
    char *p = out;

    *p++ = f->ext ? 'T' : 't';
    p = put_hex(p, f->id, f->ext ? EXTENDED_DIGITS : STANDARD_DIGITS);
    p = put_hex(p, f->len, 1);
    for (size_t i = 0; i < f->len; i++)
        p = put_hex(p, f->data[i], 2);
    *p++ = '\r';
    return (size_t)(p - out);
}
