/* SPDX-License-Identifier: Apache-2.0 */
/* body_matrix_write.c -- see body_matrix.h: each row is written the cheapest of eight ways. */
#include "proto/body_matrix.h"

#include "proto/matrix_model.h"

struct plan { /* one way to write a row, and its cost */
    enum row_from from;
    bool runs; /* zeros as run lengths */
    unsigned k, gap_k, bits;
    int32_t shift;
};

static int32_t predicted(const struct matrix *m, enum row_from from, size_t column)
{
    return from == FROM_BEFORE ? m->before[column] : mean_rounded(m->mean16[column]);
}

/* The lower middle of e[n]: halving the range between smallest and largest, at most 32 times. */
static int32_t median(const int32_t *e, size_t n)
{
    int32_t low = INT32_MAX, high = INT32_MIN;

    for (size_t i = 0; i < n; i++) {
        low = e[i] < low ? e[i] : low;
        high = e[i] > high ? e[i] : high;
    }
    while (low < high) {
        int32_t middle = floor_shift(low + high, 1);
        size_t below = 0;

        for (size_t i = 0; i < n; i++)
            below += e[i] <= middle;
        if (below >= (n + 1) / 2)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* z[columns]: what is written of v when it is predicted so. Returns the shift. */
static int32_t residuals(const struct matrix *m, const int32_t *v, enum row_from from, uint32_t *z)
{
    int32_t e[MATRIX_COLUMNS_MAX];

    for (size_t c = 0; c < m->columns; c++)
        e[c] = v[c] - predicted(m, from, c);
    int32_t shift = median(e, m->columns), left = 0;

    for (size_t c = 0; c < m->columns; c++) {
        e[c] -= shift;
        z[c] = zigzag32(e[c] - share_of_left(from, left));
        left = e[c];
    }
    return shift;
}

/* Best parameter for z[n] without regard to zeros. The cost has one minimum over k, but for long codes, which are rare. */
static unsigned plain_cost(const uint32_t *z, size_t n, unsigned *k)
{
    unsigned best = UINT32_MAX;

    for (unsigned try = 0; try <= RICE_K_MAX; try++) {
        unsigned sum = RICE_K_BITS;

        for (size_t c = 0; c < n; c++)
            sum += rice_cost(z[c], try);
        if (sum >= best)
            break;
        best = sum;
        *k = try;
    }
    return best;
}

static unsigned gaps_cost(const uint32_t *z, size_t n, unsigned k)
{
    unsigned sum = GAP_K_BITS;
    uint32_t gap = 0;

    for (size_t c = 0; c < n; c++) {
        gap++;
        if (z[c] == 0)
            continue;
        sum += rice_cost(gap - 1, k);
        gap = 0;
    }
    return gap ? sum + rice_cost(gap, k) : sum;
}

static unsigned values_cost(const uint32_t *z, size_t n, unsigned k)
{
    unsigned sum = RICE_K_BITS;

    for (size_t c = 0; c < n; c++)
        sum += z[c] ? rice_cost(z[c] - 1, k) : 0;
    return sum;
}

/* Best pair of parameters when zeros are counted and only the others written. */
static unsigned runs_cost(const uint32_t *z, size_t n, unsigned *k, unsigned *gap_k)
{
    unsigned gaps = UINT32_MAX, values = UINT32_MAX;

    for (unsigned try = 0; try <= GAP_K_MAX; try++) {
        unsigned sum = gaps_cost(z, n, try);

        if (sum < gaps) {
            gaps = sum;
            *gap_k = try;
        }
    }
    for (unsigned try = 0; try <= RICE_K_MAX; try++) {
        unsigned sum = values_cost(z, n, try);

        if (sum >= values)
            break;
        values = sum;
        *k = try;
    }
    return gaps + values;
}

static void consider(struct plan *best, const struct matrix *m, const int32_t *v, enum row_from from)
{
    uint32_t z[MATRIX_COLUMNS_MAX];
    struct plan p = { .from = from, .shift = residuals(m, v, from, z) };

    p.bits = plain_cost(z, m->columns, &p.k);
    if (p.bits < best->bits)
        *best = p;
    p.runs = true;
    p.bits = runs_cost(z, m->columns, &p.k, &p.gap_k);
    if (p.bits < best->bits)
        *best = p;
}

static void put_shift(struct bit_writer *b, int32_t shift)
{
    uint32_t z = zigzag32(shift);
    unsigned width = bit_width(z) < SHIFT_LONG ? bit_width(z) : SHIFT_LONG;

    put_bits(b, width, SHIFT_WIDTH_BITS);
    put_bits(b, z, width < SHIFT_LONG ? width : SHIFT_LONG_BITS);
}

static void put_runs(struct bit_writer *b, const uint32_t *z, size_t n, struct plan p)
{
    uint32_t gap = 0;

    for (size_t c = 0; c < n; c++) {
        if (z[c] == 0) {
            gap++;
            continue;
        }
        put_rice(b, gap, p.gap_k);
        put_rice(b, z[c] - 1, p.k);
        gap = 0;
    }
    if (gap)
        put_rice(b, gap, p.gap_k);
}

static void put_planned(struct bit_writer *b, const struct matrix *m, const int32_t *v, struct plan p)
{
    uint32_t z[MATRIX_COLUMNS_MAX];

    residuals(m, v, p.from, z);
    put_bits(b, p.from, FROM_BITS);
    put_shift(b, p.shift);
    put_bits(b, p.runs, 1);
    put_bits(b, p.k, RICE_K_BITS);
    if (p.runs) {
        put_bits(b, p.gap_k, GAP_K_BITS);
        put_runs(b, z, m->columns, p);
        return;
    }
    for (size_t c = 0; c < m->columns; c++)
        put_rice(b, z[c], p.k);
}

/* The row v is done: m->before and the means follow. */
static void take_row(struct matrix *m, const int32_t *v, int32_t shift)
{
    unsigned slow = mean_slowness(m);

    for (size_t c = 0; c < m->columns; c++) {
        m->before[c] = v[c];
        m->mean16[c] = mean_after(m->mean16[c], v[c], shift, slow);
    }
    m->row++;
}

void put_row(struct bit_writer *b, struct matrix *m, const int32_t *v)
{
    struct plan best = { .bits = UINT32_MAX };
    bool same = true;

    for (size_t c = 0; c < m->columns; c++)
        same = same && v[c] == m->before[c];
    put_bits(b, same, 1);
    for (unsigned from = 0; from < FROMS && !same; from++)
        consider(&best, m, v, (enum row_from)from);
    if (!same)
        put_planned(b, m, v, best);
    take_row(m, v, best.shift);
}
