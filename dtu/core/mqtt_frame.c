/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_frame.c -- see mqtt_frame.h. */
#include "dtu/core/mqtt_frame.h"

#include <string.h>

#include "common/err.h"

enum { FIRST, LENGTH, BODY = 0xFF }; /* stage: LENGTH + bytes of the length seen */

void mqtt_frame_init(struct mqtt_frame *f, uint8_t *buf, size_t size)
{
    *f = (struct mqtt_frame) { .buf = buf, .size = size };
}

/* One byte of the fixed header (2.1.1, 1.5.5). */
static int header(struct mqtt_frame *f, uint8_t byte)
{
    if (f->stage == FIRST) {
        f->first = byte;
        f->want = 0;
        f->got = 0;
        f->stage = LENGTH;
        return BMS_ERR_OK;
    }
    unsigned at = f->stage - LENGTH;

    f->want |= (uint32_t)(byte & 0x7Fu) << 7 * at;
    if (byte & 0x80u) {
        f->stage++;
        return at == 3 ? BMS_ERR_CORRUPT : BMS_ERR_OK;
    }
    f->stage = BODY;
    return f->want > f->size ? BMS_ERR_NOSPACE : BMS_ERR_OK;
}

int mqtt_frame_feed(struct mqtt_frame *f, const uint8_t *bytes, size_t n, int *done)
{
    size_t used = 0;

    *done = 0;
    while (used < n && f->stage != BODY) {
        int err = header(f, bytes[used++]);

        if (err)
            return err;
    }
    if (f->stage != BODY)
        return (int)used;
    size_t take = f->want - f->got < n - used ? f->want - f->got : n - used;

    if (take)
        memcpy(f->buf + f->got, bytes + used, take);
    f->got += take;
    if (f->got == f->want) {
        f->stage = FIRST;
        *done = 1;
    }
    return (int)(used + take);
}
