/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/store/key_data.h"

#include <string.h>

#include "common/bytes.h"
#include "common/span.h"

enum { AGAIN_mV = 500 };

static void note(struct key_extreme *k, const struct measure_extreme *x, bool highest)
{
    if (!x->known || (k->known && (highest ? x->value <= k->value : x->value >= k->value)))
        return;
    *k = (struct key_extreme) { true, (int16_t)x->value, x->number };
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

void key_data_note(struct key_data *k, const struct measure *m, int32_t current_mA, uint32_t dt_ms)
{
    note(&k->cell_max, &m->cell.max, true);
    note(&k->cell_min, &m->cell.min, false);
    note(&k->temp_max, &m->temp.max, true);
    note(&k->temp_min, &m->temp.min, false);
    if (scalar_validity(current_mA) != VALIDITY_OK)
        return;
    k->discharge_max_mA = larger(k->discharge_max_mA, current_mA);
    k->charge_max_mA = larger(k->charge_max_mA, -current_mA);
    k->discharged_mAms += (int64_t)larger(0, current_mA) * dt_ms;
    k->charged_mAms += (int64_t)larger(0, -current_mA) * dt_ms;
}

bool key_data_is_due(struct key_saving *s, int32_t supply_mV, uint32_t dt_ms, const int32_t *params)
{
    bool known = scalar_validity(supply_mV) == VALIDITY_OK, was_low = s->low;
    int32_t limit_mV = params[PARAM_key_save_supply_mV];

    if (known && supply_mV <= limit_mV)
        s->low = true;
    else if (supply_mV >= limit_mV + AGAIN_mV) /* what is not known is far below */
        s->low = false;
    s->since_ms = span_add(s->since_ms, dt_ms);
    bool falls = s->low && !was_low, due = falls || (!s->low && s->since_ms >= (uint32_t)params[PARAM_key_save_ms]);

    if (due)
        s->since_ms = 0;
    return due;
}

static void write_extreme(struct writer *w, const struct key_extreme *k)
{
    write_u8(w, k->known);
    write_le16(w, (uint16_t)k->value);
    write_le16(w, k->number);
}

static void read_extreme(struct reader *r, struct key_extreme *k)
{
    k->known = read_u8(r) == 1;
    k->value = (int16_t)read_le16(r);
    k->number = read_le16(r);
}

static void write_wear(struct writer *w, const struct relay_wear *wear, int n)
{
    for (int i = 0; i < n; i++) {
        write_le32(w, wear[i].closed);
        write_le32(w, wear[i].load_A);
    }
}

static void read_wear(struct reader *r, struct relay_wear *wear, int n)
{
    for (int i = 0; i < n; i++) {
        wear[i].closed = read_le32(r);
        wear[i].load_A = read_le32(r);
    }
}

static void write_float(struct writer *w, float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    write_le32(w, bits);
}

static float read_float(struct reader *r)
{
    uint32_t bits = read_le32(r);
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

void key_data_pack(const struct key_data *k, uint8_t *out)
{
    struct writer w = writer_of(out, KEY_DATA_SIZE);

    write_le32(&w, k->boot);
    write_le64(&w, (uint64_t)k->soc.left_mAms);
    write_le64(&w, (uint64_t)k->discharged_mAms);
    write_le64(&w, (uint64_t)k->charged_mAms);
    write_extreme(&w, &k->cell_max);
    write_extreme(&w, &k->cell_min);
    write_extreme(&w, &k->temp_max);
    write_extreme(&w, &k->temp_min);
    write_le32(&w, (uint32_t)k->discharge_max_mA);
    write_le32(&w, (uint32_t)k->charge_max_mA);
    write_wear(&w, k->wear, CONTACTOR_RELAYS);
    for (int i = 0; i < KEY_ALARMS; i++)
        write_le16(&w, k->alarms[i]);
    write_float(&w, k->soc.sigma);
    write_float(&w, k->soc.bias_C);
    write_float(&w, k->soc.scale);
    write_float(&w, k->soc.soh);
    write_float(&w, k->soc.h);
    write_float(&w, k->soc.soh_sigma);
    write_wear(&w, k->wear + CONTACTOR_RELAYS, KEY_RELAYS - CONTACTOR_RELAYS);
}

void key_data_unpack(struct key_data *k, const uint8_t *in, size_t n)
{
    struct reader r = reader_of(in, n);

    k->boot = read_le32(&r);
    k->soc.left_mAms = (int64_t)read_le64(&r);
    k->discharged_mAms = (int64_t)read_le64(&r);
    k->charged_mAms = (int64_t)read_le64(&r);
    read_extreme(&r, &k->cell_max);
    read_extreme(&r, &k->cell_min);
    read_extreme(&r, &k->temp_max);
    read_extreme(&r, &k->temp_min);
    k->discharge_max_mA = (int32_t)read_le32(&r);
    k->charge_max_mA = (int32_t)read_le32(&r);
    read_wear(&r, k->wear, CONTACTOR_RELAYS);
    for (int i = 0; i < KEY_ALARMS; i++)
        k->alarms[i] = read_le16(&r);
    k->soc.sigma = read_float(&r); /* a reader at its end gives 0 */
    k->soc.bias_C = read_float(&r);
    k->soc.scale = read_float(&r);
    k->soc.soh = read_float(&r);
    k->soc.h = read_float(&r);
    k->soc.soh_sigma = read_float(&r);
    read_wear(&r, k->wear + CONTACTOR_RELAYS, KEY_RELAYS - CONTACTOR_RELAYS);
}
