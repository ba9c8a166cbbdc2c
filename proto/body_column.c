/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/body_column.h"

#include "proto/record.h"
#include "proto/rice.h"

enum { WIDTH_BITS = 6, MODE_BITS = 2 };

enum column_mode { /* how the values behind the first are stored */
                   COLUMN_CONSTANT = 0,
                   COLUMN_DELTA = 1,  /* each minus the one before */
                   COLUMN_OFFSET = 2, /* each minus the first */
};

struct span {
    int32_t low;
    uint32_t unit; /* greatest common divisor of all distances to low; 0 = all equal */
    unsigned width;
};

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static struct span span_of(const int32_t *v, size_t n)
{
    struct span s = { .low = v[0] };
    int32_t high = v[0];

    for (size_t i = 1; i < n; i++) {
        s.low = v[i] < s.low ? v[i] : s.low;
        high = v[i] > high ? v[i] : high;
    }
    for (size_t i = 0; i < n && s.unit != 1; i++)
        s.unit = common_divisor((uint32_t)wrap_minus(v[i], s.low), s.unit);
    s.width = s.unit ? bit_width((uint32_t)wrap_minus(high, s.low) / s.unit) : 0;
    return s;
}

static void put_sized(struct bit_writer *b, int32_t v)
{
    uint32_t z = zigzag32(v);

    put_bits(b, bit_width(z), WIDTH_BITS);
    put_bits(b, z, bit_width(z));
}

static unsigned sized_cost(int32_t v)
{
    return WIDTH_BITS + bit_width(zigzag32(v));
}

static size_t cost(struct span s, size_t n)
{
    return s.width * n + sized_cost(s.low) + (s.unit > 1 ? sized_cost((int32_t)s.unit) : 0);
}

static void put_packed(struct bit_writer *b, const int32_t *v, size_t n, struct span s)
{
    put_sized(b, s.low);
    put_bits(b, s.width, WIDTH_BITS);
    if (s.width == 0)
        return;
    put_bits(b, s.unit > 1, 1);
    if (s.unit > 1)
        put_sized(b, (int32_t)s.unit);
    for (size_t i = 0; i < n; i++)
        put_bits(b, (uint32_t)wrap_minus(v[i], s.low) / s.unit, s.width);
}

static void differences(const int32_t *v, size_t n, bool to_first, int32_t *out)
{
    for (size_t i = 1; i < n; i++)
        out[i - 1] = wrap_minus(v[i], v[to_first ? 0 : i - 1]);
}

static bool all_are(const int32_t *v, size_t n, int32_t value)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] != value)
            return false;
    return true;
}

void put_column(struct bit_writer *b, const int32_t *v, size_t n, int32_t guess)
{
    int32_t d[RECORD_SAMPLES_MAX];
    bool guessed = all_are(v, n, guess);

    put_bits(b, guessed, 1);
    if (guessed)
        return;
    put_sized(b, v[0]);
    if (n == 1)
        return;
    if (all_are(v, n, v[0])) {
        put_bits(b, COLUMN_CONSTANT, MODE_BITS);
        return;
    }
    differences(v, n, false, d);
    struct span delta = span_of(d, n - 1);

    differences(v, n, true, d);
    struct span offset = span_of(d, n - 1);
    bool to_first = cost(offset, n - 1) <= cost(delta, n - 1);

    differences(v, n, to_first, d);
    put_bits(b, to_first ? COLUMN_OFFSET : COLUMN_DELTA, MODE_BITS);
    put_packed(b, d, n - 1, to_first ? offset : delta);
}

/* A width above 32 ends in `bad`. */
static int32_t get_sized(struct bit_reader *b)
{
    uint32_t width = get_bits(b, WIDTH_BITS);

    if (width > 32)
        return (int32_t)bits_end(b);
    return unzigzag32(get_bits(b, width));
}

static void fill(int32_t *v, size_t n, int32_t value)
{
    for (size_t i = 0; i < n; i++)
        v[i] = value;
}

static void get_packed(struct bit_reader *b, int32_t *v, size_t n, bool to_first)
{
    int32_t low = get_sized(b);
    uint32_t width = get_bits(b, WIDTH_BITS), unit = 1;

    if (width > 32) {
        bits_end(b);
        return;
    }
    if (width > 0 && get_bits(b, 1))
        unit = (uint32_t)get_sized(b);
    for (size_t i = 1; i < n; i++) {
        int32_t d = wrap_plus(low, (int32_t)(get_bits(b, width) * unit));

        v[i] = wrap_plus(v[to_first ? 0 : i - 1], d);
    }
}

void get_column(struct bit_reader *b, int32_t *v, size_t n, int32_t guess)
{
    bool guessed = get_bits(b, 1);
    int32_t first = guessed ? guess : get_sized(b);
    uint32_t mode = guessed || n == 1 ? (uint32_t)COLUMN_CONSTANT : get_bits(b, MODE_BITS);

    if (mode == COLUMN_CONSTANT) {
        fill(v, n, first);
        return;
    }
    if (mode > COLUMN_OFFSET) {
        bits_end(b);
        return;
    }
    v[0] = first;
    get_packed(b, v, n, mode == COLUMN_OFFSET);
}
