/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/afe_frame.h"

#include "common/crc.h"
#include "common/err.h"

void afe_command(struct writer *tx, enum afe_request request, int device, uint8_t reg, const uint8_t *data, size_t size)
{
    uint8_t frame[AFE_COMMAND_MAX];
    size_t n = 0;

    frame[n++] = (uint8_t)(AFE_INIT_COMMAND | (unsigned)request << 4 | size);
    if (device != AFE_EVERYONE)
        frame[n++] = (uint8_t)device;
    frame[n++] = reg;
    memcpy(frame + n, data, size);
    n += size;
    put_le16(frame + n, crc16_ibm(0, frame, n));
    write_bytes(tx, frame, n + 2);
}

void afe_parser_reset(struct afe_parser *p)
{
    p->have = 0;
}

/* Copy until the buffer holds `want` bytes; true when it does. */
static bool fill(struct afe_parser *p, struct reader *rx, size_t want)
{
    size_t n = want - p->have;

    if (n > reader_left(rx))
        n = reader_left(rx);
    if (n)
        memcpy(p->buf + p->have, read_bytes(rx, n), n);
    p->have += n;
    return p->have == want;
}

int afe_parse(struct afe_parser *p, struct reader *rx, struct afe_response *r)
{
    if (p->have == 0) {
        if (reader_left(rx) == 0)
            return 0;
        if (*rx->p & 0x80u) {
            read_u8(rx);
            return BMS_ERR_RANGE;
        }
        p->buf[p->have++] = read_u8(rx);
    }
    size_t size = (size_t)p->buf[0] + 1;

    if (!fill(p, rx, 1 + size + 2))
        return 0;
    p->have = 0;
    if (crc16_ibm(0, p->buf, 1 + size) != get_le16(p->buf + 1 + size))
        return BMS_ERR_CORRUPT;
    *r = (struct afe_response) { .data = p->buf + 1, .size = size };
    return 1;
}
