/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/body.h"

#include <string.h>

#include "common/bits.h"
#include "common/err.h"

enum { LAYOUT = 1, TIME_STEP_MAX = 1 << 30, WIDTH_BITS = 6 };

/* How one column of n values is stored behind its base (the first value). */
enum column_mode {
    COLUMN_CONSTANT = 0, /* nothing follows */
    COLUMN_DELTA = 1,    /* value minus the value before, minus the smallest such difference */
    COLUMN_OFFSET = 2,   /* value minus the smallest value (of all but the base) */
};

/* Differences wrap in 32 bits, so any two int32 values have one and both sides undo it alike. */
static int32_t minus(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static int32_t plus(int32_t a, uint32_t b)
{
    return (int32_t)((uint32_t)a + b);
}

struct span {
    int32_t low;
    unsigned width;
};

static struct span span_of(const int32_t *v, size_t n)
{
    int32_t low = v[0], high = v[0];

    for (size_t i = 1; i < n; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    return (struct span) { low, bit_width((uint32_t)high - (uint32_t)low) };
}

static void put_sized(struct bit_writer *b, int32_t v)
{
    uint32_t z = zigzag32(v);

    put_bits(b, bit_width(z), WIDTH_BITS);
    put_bits(b, z, bit_width(z));
}

static void put_packed(struct bit_writer *b, const int32_t *v, size_t n, struct span s)
{
    put_sized(b, s.low);
    put_bits(b, s.width, WIDTH_BITS);
    for (size_t i = 0; i < n; i++)
        put_bits(b, (uint32_t)v[i] - (uint32_t)s.low, s.width);
}

static unsigned sized_cost(int32_t v)
{
    return WIDTH_BITS + bit_width(zigzag32(v));
}

/* One column of n values; `guess` is what the base is likely to be near. */
static void put_column(struct bit_writer *b, const int32_t *v, size_t n, int32_t guess)
{
    int32_t delta[RECORD_SAMPLES_MAX] = { 0 };

    put_sized(b, minus(v[0], guess));
    if (n == 1)
        return;
    for (size_t i = 1; i < n; i++)
        delta[i - 1] = minus(v[i], v[i - 1]);
    struct span d = span_of(delta, n - 1);

    if (d.low == 0 && d.width == 0) {
        put_bits(b, COLUMN_CONSTANT, 2);
        return;
    }
    for (size_t i = 1; i < n; i++)
        delta[i - 1] = minus(v[i], v[0]);
    struct span o = span_of(delta, n - 1);

    if (o.width * (n - 1) + sized_cost(o.low) <= d.width * (n - 1) + sized_cost(d.low)) {
        put_bits(b, COLUMN_OFFSET, 2);
        put_packed(b, delta, n - 1, o);
        return;
    }
    for (size_t i = 1; i < n; i++)
        delta[i - 1] = minus(v[i], v[i - 1]);
    put_bits(b, COLUMN_DELTA, 2);
    put_packed(b, delta, n - 1, d);
}

/* A corrupt width ends in `bad` of the reader. */
static int32_t get_sized(struct bit_reader *b)
{
    uint32_t width = get_bits(b, WIDTH_BITS);

    if (width > 32) {
        b->in->bad = true;
        return 0;
    }
    return unzigzag32(get_bits(b, width));
}

static void get_column(struct bit_reader *b, int32_t *v, size_t n, int32_t guess)
{
    v[0] = plus(guess, (uint32_t)get_sized(b));
    if (n == 1)
        return;
    uint32_t mode = get_bits(b, 2);
    int32_t low = mode == COLUMN_CONSTANT ? 0 : get_sized(b);
    uint32_t width = mode == COLUMN_CONSTANT ? 0 : get_bits(b, WIDTH_BITS);

    if (mode > COLUMN_OFFSET || width > 32) {
        b->in->bad = true;
        return;
    }
    for (size_t i = 1; i < n; i++) {
        int32_t from = mode == COLUMN_OFFSET ? v[0] : v[i - 1];

        v[i] = plus(plus(from, (uint32_t)low), get_bits(b, width));
    }
}

bool body_can_follow(const struct sample *prev, const struct sample *next)
{
    int64_t step = (int64_t)(next->utc_ms - prev->utc_ms);

    return next->boot == prev->boot && next->cells == prev->cells && next->temps == prev->temps && next->no == prev->no + 1 &&
           step > -TIME_STEP_MAX && step < TIME_STEP_MAX;
}

static bool can_encode(const struct sample *s, size_t n)
{
    if (n == 0 || n > RECORD_SAMPLES_MAX || s[0].cells > PACK_CELLS_MAX || s[0].temps > PACK_TEMPS_MAX || s[0].no == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i].alarms > SAMPLE_ALARMS_MAX || (i > 0 && !body_can_follow(&s[i - 1], &s[i])))
            return false;
    return true;
}

static void put_times(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t step[RECORD_SAMPLES_MAX] = { 0 };

    for (size_t i = 1; i < n; i++)
        step[i] = (int32_t)(s[i].utc_ms - s[i - 1].utc_ms);
    put_column(b, step, n, 0);
}

static void get_times(struct bit_reader *b, struct sample *s, const struct record *r)
{
    int32_t step[RECORD_SAMPLES_MAX];

    get_column(b, step, r->count, 0);
    for (uint32_t i = 0; i < r->count && !b->in->bad; i++)
        s[i].utc_ms = i == 0 ? r->first_utc_ms : s[i - 1].utc_ms + (uint64_t)(int64_t)step[i];
}

static void put_scalars(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t v[RECORD_SAMPLES_MAX];

    for (unsigned k = 0; k < SAMPLE_SCALARS; k++) {
        for (size_t i = 0; i < n; i++)
            v[i] = s[i].scalar[k];
        put_column(b, v, n, 0);
    }
}

/* A body of an older writer has fewer columns (the rest was never received), one of a newer writer has more (read and dropped). */
static void get_scalars(struct bit_reader *b, struct sample *s, size_t n, unsigned columns)
{
    int32_t v[RECORD_SAMPLES_MAX];

    for (unsigned k = 0; k < columns && !b->in->bad; k++) {
        get_column(b, v, n, 0);
        for (size_t i = 0; i < n && k < SAMPLE_SCALARS; i++)
            s[i].scalar[k] = v[i];
    }
    for (unsigned k = columns; k < SAMPLE_SCALARS; k++)
        for (size_t i = 0; i < n; i++)
            s[i].scalar[k] = scalar_invalid(VALIDITY_NEVER);
}

/* Mean of the valid cells, mV; 0 when there is none. */
static int32_t mean_cell(const struct sample *s)
{
    int32_t sum = 0, n = 0;

    for (unsigned c = 0; c < s->cells; c++) {
        if (cell_validity(s->cell_mV[c]) != VALIDITY_OK)
            continue;
        sum += s->cell_mV[c];
        n++;
    }
    return n ? (sum + n / 2) / n : 0;
}

/* A matrix of n rows (samples) and some columns (cells or probes) is stored as one base for each column and then row by row, because what
 * makes one cell move (a current step) makes its neighbours move in the same sample, so that one Rice parameter fits a row. */
enum row_mode {
    ROW_BASE = 0,   /* every value is its base */
    ROW_SAME = 1,   /* every value is as in the row before */
    ROW_OFFSET = 2, /* Rice-coded differences to the base */
    ROW_DELTA = 3,  /* Rice-coded differences to the row before */
};

enum { COLUMNS_MAX = PACK_CELLS_MAX, RICE_K_BITS = 4, RICE_K_MAX = 15, RICE_LONG = 20, RICE_LONG_BITS = 20 };

static unsigned rice_cost(uint32_t z, unsigned k)
{
    uint32_t q = z >> k;

    return q < RICE_LONG ? q + 1 + k : RICE_LONG + RICE_LONG_BITS;
}

/* The cheapest parameter for z[n]; its cost in bits in *cost. */
static unsigned rice_best(const uint32_t *z, size_t n, unsigned *cost)
{
    unsigned best = 0;

    *cost = UINT32_MAX;
    for (unsigned k = 0; k <= RICE_K_MAX; k++) {
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += rice_cost(z[i], k);
        if (sum >= *cost)
            break; /* the cost has one minimum over k, but for long codes, which are rare */
        *cost = sum;
        best = k;
    }
    return best;
}

/* Quotient in ones, a zero, then the k low bits; from RICE_LONG ones on the value itself follows. */
static void put_rice(struct bit_writer *b, const uint32_t *z, size_t n, unsigned k)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t q = z[i] >> k;

        if (q < RICE_LONG) {
            put_bits(b, ((uint32_t)1 << q) - 1, q + 1);
            put_bits(b, z[i] & (((uint32_t)1 << k) - 1), k);
        } else {
            put_bits(b, ((uint32_t)1 << RICE_LONG) - 1, RICE_LONG);
            put_bits(b, z[i], RICE_LONG_BITS);
        }
    }
}

static uint32_t get_rice(struct bit_reader *b, unsigned k)
{
    unsigned q = get_ones(b, RICE_LONG);

    return q < RICE_LONG ? (uint32_t)q << k | get_bits(b, k) : get_bits(b, RICE_LONG_BITS);
}

static int32_t middle_of(int32_t x, int32_t y, int32_t z)
{
    if ((x <= y) == (y <= z))
        return y;
    return (y <= x) == (x <= z) ? x : z;
}

struct matrix { /* what to read and write: cells around a common value, or probes */
    bool cells;
    size_t rows, columns;
    int32_t common[RECORD_SAMPLES_MAX]; /* taken off every value of a row */
    int32_t base[COLUMNS_MAX];
};

static int32_t value_at(const struct matrix *m, const struct sample *s, size_t row, size_t column)
{
    return minus(m->cells ? s[row].cell_mV[column] : s[row].temp_ddegC[column], m->common[row]);
}

static void put_value(const struct matrix *m, struct sample *s, size_t row, size_t column, int32_t v)
{
    if (m->cells)
        s[row].cell_mV[column] = (uint16_t)plus(v, (uint32_t)m->common[row]);
    else
        s[row].temp_ddegC[column] = (int16_t)(uint16_t)plus(v, (uint32_t)m->common[row]);
}

/* z[columns]: how far a row is from the base, or from the row before. */
static void differences(const struct matrix *m, const struct sample *s, size_t row, bool delta, uint32_t *z)
{
    for (size_t c = 0; c < m->columns; c++) {
        int32_t from = delta ? value_at(m, s, row - 1, c) : m->base[c];

        z[c] = zigzag32(minus(value_at(m, s, row, c), from));
    }
}

static void put_row(struct bit_writer *b, const struct matrix *m, const struct sample *s, size_t row)
{
    uint32_t offset[COLUMNS_MAX], delta[COLUMNS_MAX];
    unsigned offset_cost, delta_cost = UINT32_MAX, delta_k = 0;

    differences(m, s, row, false, offset);
    unsigned offset_k = rice_best(offset, m->columns, &offset_cost);

    if (row > 0) {
        differences(m, s, row, true, delta);
        delta_k = rice_best(delta, m->columns, &delta_cost);
    }
    bool use_delta = delta_cost < offset_cost;
    const uint32_t *z = use_delta ? delta : offset;
    unsigned k = use_delta ? delta_k : offset_k, cost = use_delta ? delta_cost : offset_cost;

    if (k == 0 && cost == m->columns) { /* one bit each: all of them zero */
        put_bits(b, use_delta ? ROW_SAME : ROW_BASE, 2);
        return;
    }
    put_bits(b, use_delta ? ROW_DELTA : ROW_OFFSET, 2);
    put_bits(b, k, RICE_K_BITS);
    put_rice(b, z, m->columns, k);
}

static void put_matrix(struct bit_writer *b, struct matrix *m, const struct sample *s)
{
    uint32_t z[COLUMNS_MAX];
    unsigned cost;

    for (size_t c = 0; c < m->columns; c++) {
        m->base[c] = middle_of(value_at(m, s, 0, c), value_at(m, s, m->rows / 2, c), value_at(m, s, m->rows - 1, c));
        z[c] = zigzag32(minus(m->base[c], c > 0 ? m->base[c - 1] : 0));
    }
    unsigned k = rice_best(z, m->columns, &cost);

    put_bits(b, k, RICE_K_BITS);
    put_rice(b, z, m->columns, k);
    for (size_t row = 0; row < m->rows; row++)
        put_row(b, m, s, row);
}

static void get_row(struct bit_reader *b, const struct matrix *m, struct sample *s, size_t row)
{
    uint32_t mode = get_bits(b, 2);
    bool from_before = mode == ROW_SAME || mode == ROW_DELTA, coded = mode == ROW_OFFSET || mode == ROW_DELTA;
    unsigned k = coded ? get_bits(b, RICE_K_BITS) : 0;

    if (from_before && row == 0) {
        b->in->bad = true;
        return;
    }
    for (size_t c = 0; c < m->columns; c++) {
        int32_t from = from_before ? value_at(m, s, row - 1, c) : m->base[c];

        put_value(m, s, row, c, coded ? plus(from, (uint32_t)unzigzag32(get_rice(b, k))) : from);
    }
}

static void get_matrix(struct bit_reader *b, struct matrix *m, struct sample *s)
{
    unsigned k = get_bits(b, RICE_K_BITS);

    for (size_t c = 0; c < m->columns; c++)
        m->base[c] = plus(c > 0 ? m->base[c - 1] : 0, (uint32_t)unzigzag32(get_rice(b, k)));
    for (size_t row = 0; row < m->rows && !b->in->bad; row++)
        get_row(b, m, s, row);
}

static void put_cells(struct bit_writer *b, const struct sample *s, size_t n)
{
    struct matrix m = { .cells = true, .rows = n, .columns = s[0].cells };

    if (m.columns == 0)
        return;
    for (size_t i = 0; i < n; i++)
        m.common[i] = mean_cell(&s[i]);
    put_column(b, m.common, n, 0);
    put_matrix(b, &m, s);
}

static void get_cells(struct bit_reader *b, struct sample *s, size_t n)
{
    struct matrix m = { .cells = true, .rows = n, .columns = s[0].cells };

    if (m.columns == 0)
        return;
    get_column(b, m.common, n, 0);
    if (!b->in->bad)
        get_matrix(b, &m, s);
}

static void put_temps(struct bit_writer *b, const struct sample *s, size_t n)
{
    struct matrix m = { .rows = n, .columns = s[0].temps };

    if (m.columns > 0)
        put_matrix(b, &m, s);
}

static void get_temps(struct bit_reader *b, struct sample *s, size_t n)
{
    struct matrix m = { .rows = n, .columns = s[0].temps };

    if (m.columns > 0 && !b->in->bad)
        get_matrix(b, &m, s);
}

static void put_balancing(struct bit_writer *b, const struct sample *s, size_t n)
{
    int32_t v[RECORD_SAMPLES_MAX];

    for (unsigned w = 0; w < (s[0].cells + 15u) / 16u; w++) {
        for (size_t i = 0; i < n; i++)
            v[i] = s[i].balancing[w];
        put_column(b, v, n, 0);
    }
}

static void get_balancing(struct bit_reader *b, struct sample *s, size_t n)
{
    int32_t v[RECORD_SAMPLES_MAX];

    for (unsigned w = 0; w < (s[0].cells + 15u) / 16u && !b->in->bad; w++) {
        get_column(b, v, n, 0);
        for (size_t i = 0; i < n; i++)
            s[i].balancing[w] = (uint16_t)v[i];
    }
}

static bool same_alarms(const struct sample *a, const struct sample *b)
{
    if (a->alarms != b->alarms)
        return false;
    for (unsigned i = 0; i < a->alarms; i++)
        if (sample_alarm_pack(&a->alarm[i]) != sample_alarm_pack(&b->alarm[i]))
            return false;
    return true;
}

/* Per sample one bit "as before" (before the first: none), else a count and the entries. */
static void put_alarms(struct bit_writer *b, const struct sample *s, size_t n)
{
    static const struct sample none = { .alarms = 0 };
    const struct sample *prev = &none;

    for (size_t i = 0; i < n; prev = &s[i], i++) {
        bool same = same_alarms(prev, &s[i]);

        put_bits(b, same, 1);
        if (same)
            continue;
        put_bits(b, s[i].alarms, 5);
        for (unsigned a = 0; a < s[i].alarms; a++) {
            uint64_t raw = sample_alarm_pack(&s[i].alarm[a]);

            put_bits(b, (uint32_t)(raw & 0xFFFFFFu), 24);
            put_bits(b, (uint32_t)(raw >> 24), 24);
        }
    }
}

static void get_alarms(struct bit_reader *b, struct sample *s, size_t n)
{
    for (size_t i = 0; i < n && !b->in->bad; i++) {
        if (get_bits(b, 1)) {
            s[i].alarms = i > 0 ? s[i - 1].alarms : 0;
            if (i > 0)
                memcpy(s[i].alarm, s[i - 1].alarm, sizeof(s[i].alarm));
            continue;
        }
        s[i].alarms = (uint8_t)get_bits(b, 5);
        if (s[i].alarms > SAMPLE_ALARMS_MAX) {
            b->in->bad = true;
            return;
        }
        for (unsigned a = 0; a < s[i].alarms; a++) {
            uint64_t low = get_bits(b, 24);

            s[i].alarm[a] = sample_alarm_unpack(low | (uint64_t)get_bits(b, 24) << 24);
        }
    }
}

int body_encode(const struct sample *s, size_t n, uint8_t *out, size_t size)
{
    struct writer w = writer_of(out, size);
    struct bit_writer b = { .out = &w };

    if (!can_encode(s, n))
        return BMS_ERR_RANGE;
    write_u8(&w, LAYOUT);
    write_u8(&w, SAMPLE_SCALARS);
    put_times(&b, s, n);
    put_scalars(&b, s, n);
    put_cells(&b, s, n);
    put_temps(&b, s, n);
    put_balancing(&b, s, n);
    put_alarms(&b, s, n);
    bits_flush(&b);
    return w.bad ? BMS_ERR_NOSPACE : (int)writer_used(&w);
}

static void name_samples(const struct record *r, struct sample *out)
{
    for (uint32_t i = 0; i < r->count; i++) {
        memset(&out[i], 0, sizeof(out[i]));
        out[i].boot = r->boot;
        out[i].no = r->first_no + i;
        out[i].cells = (uint8_t)r->cells;
        out[i].temps = (uint8_t)r->temps;
    }
}

int body_decode(const struct record *r, struct sample *out)
{
    struct reader in = reader_of(r->body, r->body_len);
    struct bit_reader b = { .in = &in };
    uint8_t layout = read_u8(&in);
    unsigned columns = read_u8(&in);

    if (in.bad)
        return BMS_ERR_TRUNCATED;
    if (layout != LAYOUT)
        return BMS_ERR_SCHEMA;
    name_samples(r, out);
    get_times(&b, out, r);
    get_scalars(&b, out, r->count, columns);
    get_cells(&b, out, r->count);
    get_temps(&b, out, r->count);
    get_balancing(&b, out, r->count);
    get_alarms(&b, out, r->count);
    if (in.bad)
        return in.p == in.end ? BMS_ERR_TRUNCATED : BMS_ERR_CORRUPT;
    if (reader_left(&in) > 0 || b.hold != 0 || out[r->count - 1].utc_ms != r->last_utc_ms)
        return BMS_ERR_CORRUPT;
    return BMS_ERR_OK;
}
