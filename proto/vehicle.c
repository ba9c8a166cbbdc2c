/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/vehicle.h"

#include "common/bytes.h"
#include "common/crc.h"
#include "proto/can0.h"
#include "proto/sample.h"

enum { PAYLOAD_BIT = 12, COUNTER_MASK = 0x0F, CRC_START = 0xFF, CRC_INVERT = 0xFF };

const struct vehicle_message_row vehicle_messages[VEHICLE_MESSAGES] = {
#define VEHICLE_MESSAGE(name_, id_, from_, period_ms_, slot_, comment_)                                                                    \
    { .name = #name_, .comment = (comment_), .id = (id_), .period_ms = (period_ms_), .slot = (slot_), .from = VEHICLE_##from_ },
#include "proto/vehicle.def"
};

const struct vehicle_signal_row vehicle_signals[VEHICLE_SIGNALS] = {
#define VEHICLE_SIGNAL(message_, name_, start_bit_, bits_, kind_, unit_, min_, max_, source_, comment_)                                    \
    { .name = #name_,                                                                                                                      \
      .unit = (unit_),                                                                                                                     \
      .comment = (comment_),                                                                                                               \
      .min = (min_),                                                                                                                       \
      .max = (max_),                                                                                                                       \
      .message = VEHICLE_##message_,                                                                                                       \
      .start_bit = (start_bit_),                                                                                                           \
      .bits = (bits_),                                                                                                                     \
      .kind = #kind_[0],                                                                                                                   \
      .source = (source_) },
#include "proto/vehicle.def"
};

const struct vehicle_array_row vehicle_arrays[VEHICLE_ARRAYS] = {
#define VEHICLE_ARRAY(name_, first_id_, per_message_, bits_, kind_, unit_, min_, max_, count_max_, comment_)                               \
    { .name = #name_,                                                                                                                      \
      .unit = (unit_),                                                                                                                     \
      .comment = (comment_),                                                                                                               \
      .min = (min_),                                                                                                                       \
      .max = (max_),                                                                                                                       \
      .first_id = (first_id_),                                                                                                             \
      .per_message = (per_message_),                                                                                                       \
      .bits = (bits_),                                                                                                                     \
      .count_max = (count_max_),                                                                                                           \
      .kind = #kind_[0] },
#include "proto/vehicle.def"
};

/* The schedule is in the rows: a slot beyond its period would never come, payload in front of bit 12 would be the counter. */
#define VEHICLE_MESSAGE(name, id, from, period_ms, slot, comment)                                                                          \
    _Static_assert((slot) < (period_ms) / VEHICLE_SLOT_MS && VEHICLE_SLOTS % ((period_ms) / VEHICLE_SLOT_MS) == 0, #name);
#define VEHICLE_SIGNAL(message, name, start_bit, bits, kind, unit, min, max, source, comment)                                              \
    _Static_assert((start_bit) >= PAYLOAD_BIT && (start_bit) + (bits) <= 64, #name);
#define VEHICLE_ARRAY(name, first_id, per_message, bits, kind, unit, min, max, count_max, comment)                                         \
    _Static_assert(PAYLOAD_BIT + (per_message) * (bits) <= 64, #name);
#include "proto/vehicle.def"
_Static_assert((int)VEHICLE_ARRAY_MESSAGES <= (int)VEHICLE_SLOTS, "one array message a slot");

bool vehicle_is_due(enum vehicle_message message, unsigned slot)
{
    const struct vehicle_message_row *r = &vehicle_messages[message];

    return slot % (r->period_ms / VEHICLE_SLOT_MS) == r->slot;
}

int vehicle_array_due(unsigned slot)
{
    unsigned before = slot * VEHICLE_ARRAY_MESSAGES / VEHICLE_SLOTS, after = (slot + 1) * VEHICLE_ARRAY_MESSAGES / VEHICLE_SLOTS;

    return after > before ? (int)before : -1;
}

struct can_frame vehicle_begin(uint16_t id)
{
    return (struct can_frame) { .id = id, .len = 8 };
}

void vehicle_put(struct can_frame *f, enum vehicle_signal sig, int32_t value)
{
    const struct vehicle_signal_row *r = &vehicle_signals[sig];

    can0_put_raw(f, r->start_bit, r->bits, can0_raw_of(value, r->bits, r->kind, r->min, r->max));
}

int32_t vehicle_get(const struct can_frame *f, enum vehicle_signal sig)
{
    const struct vehicle_signal_row *r = &vehicle_signals[sig];

    return can0_value_of(can0_get_raw(f, r->start_bit, r->bits), r->bits, r->kind, r->min, r->max);
}

void vehicle_put_element(struct can_frame *f, enum vehicle_array array, unsigned at, int32_t value)
{
    const struct vehicle_array_row *r = &vehicle_arrays[array];

    can0_put_raw(f, PAYLOAD_BIT + at * r->bits, r->bits, can0_raw_of(value, r->bits, r->kind, r->min, r->max));
}

static uint8_t checksum(const struct can_frame *f)
{
    uint8_t id[2];

    put_le16(id, VEHICLE_DATA_ID(f->id));
    return (uint8_t)(crc8_j1850(crc8_j1850(CRC_START, id, sizeof(id)), f->data + 1, sizeof(f->data) - 1) ^ CRC_INVERT);
}

void vehicle_protect(struct can_frame *f, uint8_t counter)
{
    f->data[1] = (uint8_t)((f->data[1] & ~COUNTER_MASK) | counter % VEHICLE_COUNTERS);
    f->data[0] = checksum(f);
}

bool vehicle_check(const struct can_frame *f, uint8_t *counter)
{
    if (f->ext || f->len != sizeof(f->data) || f->data[0] != checksum(f) || (f->data[1] & COUNTER_MASK) >= VEHICLE_COUNTERS)
        return false;
    *counter = f->data[1] & COUNTER_MASK;
    return true;
}
