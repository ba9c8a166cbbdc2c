/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/assembler.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/can0.h"

enum { PAYLOAD_BIT = 16 };

void assembler_init(struct assembler *a, uint32_t boot, uint32_t no, uint64_t dropped, uint32_t now_ms)
{
    memset(a, 0, sizeof(*a));
    a->boot = boot;
    a->next = no + 1;
    a->dropped = dropped;
    assembler_restart(a, now_ms);
}

void assembler_listen(struct assembler *a)
{
    a->listens = true;
}

void assembler_restart(struct assembler *a, uint32_t now_ms)
{
    a->open = false;
    a->want = true;
    a->asking = false;
    a->anew = false;
    a->jump = 0;
    a->retry_ms = ASSEMBLER_RETRY_MS;
    a->not_before_ms = now_ms;
    a->answered_ms = now_ms;
    a->heard_ms = now_ms;
}

static bool is_seen(const struct assembler *a, unsigned number)
{
    return a->seen[number / 32] >> (number % 32) & 1u;
}

/* 48 bits of a frame, `bits` from start_bit of the row. */
static uint64_t field(const struct assembler *a, unsigned number, unsigned start_bit, unsigned bits)
{
    return a->payload[number] >> (start_bit - PAYLOAD_BIT) & (((uint64_t)1 << bits) - 1);
}

static uint64_t signal_raw(const struct assembler *a, enum can0_signal sig)
{
    const struct can0_signal_row *r = &can0_signals[sig];

    return field(a, r->message, r->start_bit, r->bits);
}

static uint64_t element_raw(const struct assembler *a, const struct can0_array_row *r, unsigned k)
{
    return field(a, r->first_number + k / r->per_message, PAYLOAD_BIT + k % r->per_message * r->bits, r->bits);
}

static int32_t element(const struct assembler *a, const struct can0_array_row *r, unsigned k)
{
    return can0_value_of(element_raw(a, r, k), r->bits, r->kind, r->min, r->max);
}

static bool has_elements(const struct assembler *a, const struct can0_array_row *r, unsigned n)
{
    if (n > r->count_max)
        return false;
    for (unsigned k = 0; k < n; k += r->per_message)
        if (!is_seen(a, r->first_number + k / r->per_message))
            return false;
    return true;
}

static unsigned balancing_words(unsigned cells)
{
    return (cells + 15) / 16;
}

static bool is_complete(const struct assembler *a, const struct sample *s, unsigned frame_count)
{
    return (a->seen_n & 0xFFu) == frame_count && is_seen(a, CAN0_BIU_SampleTime) && is_seen(a, CAN0_BIU_SampleBoot) && s->boot != 0 &&
           s->no != 0 && has_elements(a, &can0_arrays[CAN0_ARR_BIU_CellVoltage], s->cells) &&
           has_elements(a, &can0_arrays[CAN0_ARR_BIU_Temperature], s->temps) &&
           has_elements(a, &can0_arrays[CAN0_ARR_BIU_Balancing], balancing_words(s->cells)) &&
           has_elements(a, &can0_arrays[CAN0_ARR_BIU_ActiveAlarm], s->alarms);
}

static void decode_arrays(const struct assembler *a, struct sample *s)
{
    for (unsigned k = 0; k < s->cells; k++) {
        int32_t v = element(a, &can0_arrays[CAN0_ARR_BIU_CellVoltage], k);
        enum validity why = scalar_validity(v);

        s->cell_mV[k] = why == VALIDITY_OK ? (uint16_t)v : cell_invalid(why);
    }
    for (unsigned k = 0; k < s->temps; k++) {
        int32_t v = element(a, &can0_arrays[CAN0_ARR_BIU_Temperature], k);
        enum validity why = scalar_validity(v);

        s->temp_ddegC[k] = why == VALIDITY_OK ? (int16_t)v : temp_invalid(why);
    }
    for (unsigned k = 0; k < balancing_words(s->cells); k++)
        s->balancing[k] = (uint16_t)element_raw(a, &can0_arrays[CAN0_ARR_BIU_Balancing], k);
    for (unsigned k = 0; k < s->alarms; k++)
        s->alarm[k] = sample_alarm_unpack(element_raw(a, &can0_arrays[CAN0_ARR_BIU_ActiveAlarm], k));
}

static void decode_scalars(const struct assembler *a, struct sample *s)
{
    for (unsigned i = 0; i < CAN0_SIGNALS; i++) {
        const struct can0_signal_row *r = &can0_signals[i];

        if (r->scalar < 0)
            continue;
        s->scalar[r->scalar] = is_seen(a, r->message)
                                   ? can0_value_of(field(a, r->message, r->start_bit, r->bits), r->bits, r->kind, r->min, r->max)
                                   : scalar_invalid(VALIDITY_NEVER);
    }
}

/* Who and how large; false when frames are missing. */
static bool decode(const struct assembler *a, struct sample *s)
{
    *s = (struct sample) { .no = (uint32_t)signal_raw(a, CAN0_SIG_sample_no), .alarms = (uint8_t)signal_raw(a, CAN0_SIG_alarm_count) };
    if (is_seen(a, CAN0_BIU_SampleBoot)) {
        s->boot = (uint32_t)signal_raw(a, CAN0_SIG_boot_count);
        s->cells = (uint8_t)signal_raw(a, CAN0_SIG_cell_count);
        s->temps = (uint8_t)signal_raw(a, CAN0_SIG_temp_count);
    }
    if (!is_complete(a, s, (unsigned)signal_raw(a, CAN0_SIG_frame_count)))
        return false;
    s->utc_ms = signal_raw(a, CAN0_SIG_sample_utc_lo) | signal_raw(a, CAN0_SIG_sample_utc_hi) << 32;
    decode_scalars(a, s);
    decode_arrays(a, s);
    return true;
}

static void adopt_boot(struct assembler *a, uint32_t boot)
{
    if (boot == 0 || boot == a->boot)
        return;
    a->counts.boots += a->boot ? 1 : 0;
    a->boot = boot;
    a->next = 1;
    a->jump = 0;
    a->attempts = 0;
}

/* A whole sample: is it the one? */
static int judge(struct assembler *a, const struct sample *s)
{
    if (s->no < a->next) {
        a->counts.known++;
        return 0;
    }
    if (a->listens) {
        a->dropped += a->counts.taken ? s->no - a->next : 0;
        return 1;
    }
    if (s->no == a->jump) {
        a->dropped += a->jump - a->next;
        a->next = a->jump;
    }
    if (s->no == a->next)
        return 1;
    a->want = true;
    return 0;
}

/* The stream is where it was asked to be: if something is missing again, there is no need to wait. */
static void stream_is_back(struct assembler *a)
{
    if (!a->asking && a->retry_ms == ASSEMBLER_RETRY_MS)
        a->not_before_ms = a->answered_ms + ASSEMBLER_GAP_MS;
}

static void missed_again(struct assembler *a)
{
    stream_is_back(a);
    if (++a->attempts < ASSEMBLER_ATTEMPTS)
        return;
    a->attempts = 0;
    a->dropped++;
    a->next++;
}

static int close_sample(struct assembler *a, uint32_t now_ms, struct sample *out)
{
    bool whole = decode(a, out);

    a->open = false;
    adopt_boot(a, out->boot);
    if (!whole) {
        a->counts.incomplete++;
        if (out->no >= a->next)
            a->want = true;
        if (out->no == a->next)
            missed_again(a);
        return 0;
    }
    a->heard_ms = now_ms;
    a->anew = false;
    return judge(a, out);
}

/* Put a frame into the open sample; opens one when needed. */
static void collect(struct assembler *a, unsigned number, uint8_t counter, uint64_t payload)
{
    bool same = a->open && counter == a->counter;

    if (same && is_seen(a, number)) {
        if (a->payload[number] == payload) {
            a->counts.repeated++;
            return;
        }
        a->counts.counter++;
        same = false;
    }
    if (!same) {
        memset(a->seen, 0, sizeof(a->seen));
        a->seen_n = 0;
        a->open = true;
        a->counter = counter;
    }
    a->seen[number / 32] |= 1u << (number % 32);
    a->seen_n++;
    a->payload[number] = payload;
    a->counts.frames++;
}

/* SYNC, the clock and the sensor travel on the same bus; only rows of the stream and numbers that no row has (a newer board) count. */
static bool is_stream(unsigned number)
{
    return number >= CAN0_BIU_PackElectrical && number <= CAN0_BIU_SampleEnd;
}

int assembler_feed(struct assembler *a, const struct can_frame *f, uint32_t now_ms, struct sample *out)
{
    unsigned number = 0;
    uint8_t address = (uint8_t)f->id;

    if (!f->ext || (f->id & 0xFFFF0000u) != CAN0_ID_FROM(0, 0) || address != CAN0_ADDR_BIU || !is_stream(f->id >> 8 & 0xFFu)) {
        a->counts.foreign++;
        return 0;
    }
    if (can0_check(f, &number, &address) != BMS_ERR_OK) {
        a->counts.crc++;
        return 0;
    }
    uint64_t payload = get_le64(f->data) >> PAYLOAD_BIT;

    if (a->open && now_ms - a->frame_ms > ASSEMBLER_FRAME_MS)
        a->open = false;
    a->frame_ms = now_ms;
    if (number == CAN0_BIU_SampleEnd && (uint8_t)payload != f->data[1]) {
        a->counts.counter++;
        a->open = false;
        return 0;
    }
    collect(a, number, f->data[1], payload);
    return number == CAN0_BIU_SampleEnd ? close_sample(a, now_ms, out) : 0;
}

void assembler_taken(struct assembler *a, const struct sample *s, uint32_t now_ms)
{
    a->counts.taken++;
    a->attempts = 0;
    a->next = s->no + 1;
    a->jump = a->jump > a->next ? a->jump : 0;
    a->want = false;
    a->retry_ms = ASSEMBLER_RETRY_MS;
    a->heard_ms = now_ms;
    stream_is_back(a);
}

bool assembler_wants(struct assembler *a, uint32_t now_ms, uint32_t *from)
{
    if (a->listens)
        return false;
    if (now_ms - a->heard_ms >= ASSEMBLER_SILENCE_MS) {
        a->want = true;
        a->heard_ms = now_ms;
    }
    if (!a->want || a->asking || (int32_t)(now_ms - a->not_before_ms) < 0)
        return false;
    a->asking = true;
    a->counts.requests++;
    *from = a->anew ? 1 : a->next;
    return true;
}

void assembler_answer(struct assembler *a, uint32_t first, uint32_t now_ms)
{
    a->asking = false;
    a->want = false;
    a->jump = first > a->next ? first : 0;
    a->retry_ms = ASSEMBLER_RETRY_MS;
    a->answered_ms = now_ms;
    a->not_before_ms = now_ms + ASSEMBLER_HOLD_MS;
}

void assembler_no_answer(struct assembler *a, uint32_t now_ms)
{
    a->asking = false;
    a->want = true;
    a->not_before_ms = now_ms + a->retry_ms;
    a->retry_ms = a->retry_ms * 2 < ASSEMBLER_RETRY_MAX_MS ? a->retry_ms * 2 : ASSEMBLER_RETRY_MAX_MS;
}

void assembler_refused(struct assembler *a, uint32_t now_ms)
{
    a->anew = true;
    assembler_no_answer(a, now_ms);
}
