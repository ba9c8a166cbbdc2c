/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/stream.h"

#include <stdbool.h>

#include "proto/validity.h"

enum { FIRST_ARRAY = CAN0_BIU_CellVoltage, PAYLOAD_BIT = 16 };

_Static_assert(CAN0_BIU_SampleEnd > CAN0_BIU_SampleBoot && CAN0_BIU_SampleBoot > CAN0_BIU_ActiveAlarm, "the end comes last");

void stream_init(struct stream *s)
{
    *s = (struct stream) { .no = 1 };
    for (unsigned i = 0; i < CAN0_MESSAGES; i++) { /* rows of the stream stand in rising order (tested) */
        if (!can0_messages[i].stream)
            continue;
        s->message[s->count++] = (uint8_t)i;
        if (can0_messages[i].number < FIRST_ARRAY)
            s->head = s->count;
    }
}

static unsigned elements(enum can0_array array, const struct sample *x)
{
    switch (array) {
    case CAN0_ARR_BIU_CellVoltage:
        return x->cells;
    case CAN0_ARR_BIU_Temperature:
        return x->temps;
    case CAN0_ARR_BIU_Balancing:
        return (x->cells + 15u) / 16u;
    case CAN0_ARR_BIU_ActiveAlarm:
        return x->alarms;
    default:
        return 0;
    }
}

static unsigned array_frames(enum can0_array array, const struct sample *x)
{
    unsigned per = can0_arrays[array].per_message;

    return (elements(array, x) + per - 1) / per;
}

unsigned stream_frames(const struct stream *s, const struct sample *x)
{
    unsigned n = s->count;

    for (int a = 0; a < CAN0_ARRAYS; a++)
        n += array_frames((enum can0_array)a, x);
    return n;
}

static int32_t cell_scalar(const struct sample *x, unsigned i)
{
    enum validity why = cell_validity(x->cell_mV[i]);

    return why == VALIDITY_OK ? x->cell_mV[i] : scalar_invalid(why);
}

static int32_t temp_scalar(const struct sample *x, unsigned i)
{
    enum validity why = temp_validity(x->temp_ddegC[i]);

    return why == VALIDITY_OK ? x->temp_ddegC[i] : scalar_invalid(why);
}

/* The highest (sign 1) or lowest (sign -1) valid value; its number, or why there is none, in *number. */
static int32_t extreme(int32_t (*at)(const struct sample *, unsigned), const struct sample *x, unsigned n, int sign, int32_t *number)
{
    int32_t best = n ? at(x, 0) : scalar_invalid(VALIDITY_NOT_FITTED);
    bool any = false;

    *number = best;
    for (unsigned i = 0; i < n; i++) {
        int32_t v = at(x, i);

        if (scalar_validity(v) != VALIDITY_OK || (any && v * sign <= best * sign))
            continue;
        any = true;
        best = v;
        *number = (int32_t)i + 1;
    }
    return best;
}

static int32_t extreme_of(enum can0_signal sig, const struct sample *x)
{
    bool cell = sig == CAN0_SIG_cell_max_mV || sig == CAN0_SIG_cell_max_no || sig == CAN0_SIG_cell_min_mV || sig == CAN0_SIG_cell_min_no;
    bool max = sig == CAN0_SIG_cell_max_mV || sig == CAN0_SIG_cell_max_no || sig == CAN0_SIG_temp_max_ddegC || sig == CAN0_SIG_temp_max_no;
    bool no = sig == CAN0_SIG_cell_max_no || sig == CAN0_SIG_cell_min_no || sig == CAN0_SIG_temp_max_no || sig == CAN0_SIG_temp_min_no;
    int32_t number;
    int32_t value = extreme(cell ? cell_scalar : temp_scalar, x, cell ? x->cells : x->temps, max ? 1 : -1, &number);

    return no ? number : value;
}

/* A signal that is on CAN only. */
static int32_t derived(const struct stream *s, enum can0_signal sig, const struct sample *x)
{
    switch (sig) {
    case CAN0_SIG_sample_utc_lo:
        return (int32_t)(uint32_t)x->utc_ms;
    case CAN0_SIG_sample_utc_hi:
        return (int32_t)(x->utc_ms >> 32 & 0xFFFFu);
    case CAN0_SIG_boot_count:
        return (int32_t)x->boot;
    case CAN0_SIG_cell_count:
        return x->cells;
    case CAN0_SIG_temp_count:
        return x->temps;
    case CAN0_SIG_sample_no:
        return (int32_t)x->no;
    case CAN0_SIG_alarm_count:
        return x->alarms;
    case CAN0_SIG_frame_count:
        return (int32_t)(stream_frames(s, x) & 0xFFu);
    default:
        return extreme_of(sig, x);
    }
}

static struct can_frame message_frame(const struct stream *s, const struct sample *x, unsigned index)
{
    unsigned number = can0_messages[index].number;
    struct can_frame f = can0_begin(number, CAN0_ADDR_BIU);

    for (int i = 0; i < CAN0_SIGNALS; i++) {
        const struct can0_signal_row *row = &can0_signals[i];

        if (row->message == number)
            can0_put(&f, (enum can0_signal)i, row->scalar >= 0 ? x->scalar[row->scalar] : derived(s, (enum can0_signal)i, x));
    }
    return f;
}

static uint64_t element_raw(enum can0_array array, const struct sample *x, unsigned k)
{
    const struct can0_array_row *row = &can0_arrays[array];

    switch (array) {
    case CAN0_ARR_BIU_ActiveAlarm:
        return sample_alarm_pack(&x->alarm[k]);
    case CAN0_ARR_BIU_Balancing:
        return x->balancing[k];
    default:
        return can0_raw_of(array == CAN0_ARR_BIU_CellVoltage ? cell_scalar(x, k) : temp_scalar(x, k), row->bits, row->kind, row->min,
                           row->max);
    }
}

static struct can_frame array_frame(enum can0_array array, const struct sample *x, unsigned i)
{
    const struct can0_array_row *row = &can0_arrays[array];
    struct can_frame f = can0_begin(row->first_number + i, CAN0_ADDR_BIU);
    unsigned n = elements(array, x);

    for (unsigned e = 0; e < row->per_message; e++) {
        unsigned k = i * row->per_message + e;
        uint64_t raw = k < n              ? element_raw(array, x, k)
                       : row->kind == 'B' ? 0
                                          : can0_raw_of(scalar_invalid(VALIDITY_NOT_FITTED), row->bits, row->kind, row->min, row->max);

        can0_put_raw(&f, PAYLOAD_BIT + e * row->bits, row->bits, raw);
    }
    return f;
}

static struct can_frame build(const struct stream *s, const struct sample *x, unsigned i)
{
    if (i < s->head)
        return message_frame(s, x, s->message[i]);
    i -= s->head;
    for (int a = 0; a < CAN0_ARRAYS; a++) {
        unsigned n = array_frames((enum can0_array)a, x);

        if (i < n)
            return array_frame((enum can0_array)a, x, i);
        i -= n;
    }
    return message_frame(s, x, s->message[s->head + i]);
}

struct can_frame stream_frame(const struct stream *s, const struct sample *x, unsigned i)
{
    struct can_frame f = build(s, x, i);

    can0_finish(&f, (uint8_t)x->no);
    return f;
}

size_t stream_step(struct stream *s, const struct sampler *from, struct can_frame *out, size_t room)
{
    size_t n = 0;

    if (room > STREAM_FRAMES_MAX)
        room = STREAM_FRAMES_MAX;
    if (s->no < sampler_oldest(from)) { /* overtaken */
        s->no = sampler_oldest(from);
        s->frame = 0;
    }
    while (n < room) {
        const struct sample *x = sampler_get(from, s->no);

        if (!x)
            break;
        out[n++] = stream_frame(s, x, s->frame++);
        if (s->frame == stream_frames(s, x)) {
            s->frame = 0;
            s->no++;
        }
    }
    return n;
}

void stream_back(struct stream *s, uint32_t no)
{
    if (no > s->no || (no == s->no && s->frame == 0))
        return;
    s->no = no;
    s->frame = 0;
}
