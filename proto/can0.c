/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/can0.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "proto/sample.h"
#include "proto/validity.h"

const struct can0_message_row can0_messages[CAN0_MESSAGES] = {
#define MESSAGE(name_, number_, period_ms_, stream_, comment_)                                                                             \
    { .name = #name_, .number = (number_), .period_ms = (period_ms_), .stream = (stream_), .comment = (comment_) },
#include "proto/signals.def"
};

#define INDEX_0(name) -1
#define INDEX_1(name) SAMPLE_##name
const struct can0_signal_row can0_signals[CAN0_SIGNALS] = {
#define SIGNAL(message_, name_, start_bit_, bits_, kind_, unit_, min_, max_, recorded_, comment_)                                          \
    [CAN0_SIG_##name_] = { .name = #name_,                                                                                                 \
                           .unit = (unit_),                                                                                                \
                           .comment = (comment_),                                                                                          \
                           .min = (min_),                                                                                                  \
                           .max = (max_),                                                                                                  \
                           .message = CAN0_##message_,                                                                                     \
                           .start_bit = (start_bit_),                                                                                      \
                           .bits = (bits_),                                                                                                \
                           .kind = #kind_[0],                                                                                              \
                           .scalar = INDEX_##recorded_(name_) },
#include "proto/signals.def"
};

const struct can0_array_row can0_arrays[CAN0_ARRAYS] = {
#define ARRAY(name_, first_number_, per_message_, bits_, kind_, unit_, min_, max_, count_max_, comment_)                                   \
    [CAN0_ARR_##name_] = { .name = #name_,                                                                                                 \
                           .unit = (unit_),                                                                                                \
                           .comment = (comment_),                                                                                          \
                           .min = (min_),                                                                                                  \
                           .max = (max_),                                                                                                  \
                           .first_number = (first_number_),                                                                                \
                           .per_message = (per_message_),                                                                                  \
                           .bits = (bits_),                                                                                                \
                           .count_max = (count_max_),                                                                                      \
                           .kind = #kind_[0] },
#include "proto/signals.def"
};

struct can_frame can0_begin(unsigned number, uint8_t address)
{
    return (struct can_frame) { .id = CAN0_ID_FROM(number, address), .ext = true, .len = 8 };
}

void can0_put_raw(struct can_frame *f, unsigned start_bit, unsigned bits, uint64_t raw)
{
    uint64_t mask = (((uint64_t)1 << bits) - 1) << start_bit;
    uint64_t all = get_le64(f->data);

    put_le64(f->data, (all & ~mask) | ((raw << start_bit) & mask));
}

uint64_t can0_get_raw(const struct can_frame *f, unsigned start_bit, unsigned bits)
{
    return (get_le64(f->data) >> start_bit) & (((uint64_t)1 << bits) - 1);
}

uint64_t can0_raw_of(int32_t value, unsigned bits, char kind, int32_t min, int32_t max)
{
    if (kind == 'B')
        return (uint32_t)value;
    enum validity why = scalar_validity(value);

    if (why == VALIDITY_OK && (value < min || value > max))
        why = VALIDITY_IMPLAUSIBLE;
    if (why == VALIDITY_OK)
        return (uint64_t)(int64_t)value;
    return kind == 'U' ? ((uint64_t)1 << bits) - (uint64_t)why : ((uint64_t)1 << (bits - 1)) + (uint64_t)why - 1;
}

int32_t can0_value_of(uint64_t raw, unsigned bits, char kind, int32_t min, int32_t max)
{
    if (kind == 'B')
        return (int32_t)(uint32_t)raw;
    uint64_t half = (uint64_t)1 << (bits - 1);
    int64_t value = kind == 'U' || raw < half ? (int64_t)raw : (int64_t)raw - (int64_t)(half << 1);
    int64_t code = kind == 'U' ? (int64_t)(half << 1) - value : value + (int64_t)half + 1;

    if (code <= VALIDITY_CODES)
        return scalar_invalid((enum validity)code);
    return value < min || value > max ? scalar_invalid(VALIDITY_IMPLAUSIBLE) : (int32_t)value;
}

void can0_put(struct can_frame *f, enum can0_signal sig, int32_t value)
{
    const struct can0_signal_row *r = &can0_signals[sig];

    can0_put_raw(f, r->start_bit, r->bits, can0_raw_of(value, r->bits, r->kind, r->min, r->max));
}

int32_t can0_get(const struct can_frame *f, enum can0_signal sig)
{
    const struct can0_signal_row *r = &can0_signals[sig];

    return can0_value_of(can0_get_raw(f, r->start_bit, r->bits), r->bits, r->kind, r->min, r->max);
}

static uint8_t checksum(const struct can_frame *f)
{
    uint8_t id[4];

    put_le32(id, f->id);
    return crc8_j1850(crc8_j1850(CRC8_J1850_INIT, id, sizeof(id)), f->data + 1, 7);
}

void can0_finish(struct can_frame *f, uint8_t counter)
{
    f->data[1] = counter;
    f->data[0] = checksum(f);
}

int can0_check(const struct can_frame *f, unsigned *number, uint8_t *address)
{
    if (!f->ext || f->len != 8 || (f->id & 0xFFFF0000u) != 0x18F00000u || f->data[0] != checksum(f))
        return BMS_ERR_CORRUPT;
    *number = (f->id >> 8) & 0xFFu;
    *address = (uint8_t)f->id;
    return BMS_ERR_OK;
}
