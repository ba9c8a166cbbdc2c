/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/dtc_image.h"

#include "common/bytes.h"
#include "common/err.h"

_Static_assert((int)ALARMS <= (int)DTC_IMAGE_CODES_MAX, "every code fits into the image");

static void write_row(struct writer *w, uint8_t id, const struct dtc_row *row)
{
    const struct dtc_snapshot *s = &row->snapshot;

    write_u8(w, id);
    write_u8(w, row->status & DTC_KEPT);
    write_u8(w, row->occurrences);
    write_u8(w, row->ageing);
    write_u8(w, s->alarm.level);
    write_le16(w, s->alarm.number);
    write_le16(w, (uint16_t)s->alarm.value);
    write_le32(w, (uint32_t)s->pack_mV);
    write_le32(w, (uint32_t)s->pack_mA);
    write_le32(w, (uint32_t)s->soc_permyriad);
    write_le64(w, s->utc_ms);
}

static uint8_t read_row(struct reader *r, struct dtc_row *row)
{
    struct dtc_snapshot *s = &row->snapshot;
    uint8_t id = read_u8(r);

    row->status = read_u8(r) & DTC_KEPT;
    row->occurrences = read_u8(r);
    row->ageing = read_u8(r);
    s->alarm.alarm = id;
    s->alarm.level = read_u8(r);
    s->alarm.number = read_le16(r);
    s->alarm.value = (int16_t)read_le16(r);
    s->pack_mV = (int32_t)read_le32(r);
    s->pack_mA = (int32_t)read_le32(r);
    s->soc_permyriad = (int32_t)read_le32(r);
    s->utc_ms = read_le64(r);
    return id;
}

size_t dtc_pack(const struct dtc_memory *d, uint8_t *out)
{
    struct writer w = writer_of(out, DTC_IMAGE_MAX);
    uint64_t tested = 0;
    uint8_t count = 0;

    for (int i = 0; i < ALARMS; i++) {
        tested |= (uint64_t) !(d->row[i].status & DTC_NOT_TESTED_SINCE_CLEAR) << alarm_rows[i].id;
        count += dtc_is_kept(&d->row[i]);
    }
    write_u8(&w, DTC_IMAGE_VERSION);
    write_le64(&w, tested);
    write_u8(&w, count);
    for (int i = 0; i < ALARMS; i++)
        if (dtc_is_kept(&d->row[i]))
            write_row(&w, (uint8_t)alarm_rows[i].id, &d->row[i]);
    return writer_used(&w);
}

static struct dtc_row *row_of(struct dtc_memory *d, uint8_t id)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarm_rows[i].id == id)
            return &d->row[i];
    return NULL;
}

int dtc_unpack(struct dtc_memory *d, const uint8_t *in, size_t n)
{
    struct reader r = reader_of(in, n);
    uint8_t version = read_u8(&r);
    uint64_t tested = read_le64(&r);
    size_t count = read_u8(&r);

    if (version != DTC_IMAGE_VERSION || count > DTC_IMAGE_CODES_MAX || n != DTC_IMAGE_HEAD + count * DTC_IMAGE_ROW)
        return BMS_ERR_CORRUPT;
    for (int i = 0; i < ALARMS; i++)
        if (tested >> alarm_rows[i].id & 1u)
            d->row[i].status = (uint8_t)(d->row[i].status & ~(unsigned)DTC_NOT_TESTED_SINCE_CLEAR);
    for (size_t i = 0; i < count; i++) {
        struct dtc_row read = { 0 }, *row = row_of(d, read_row(&r, &read));

        if (row)
            *row = read;
    }
    return BMS_ERR_OK;
}
