/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/wire_peers.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/bytes.h"

static size_t digits(int64_t v)
{
    return (size_t)snprintf(NULL, 0, "%" PRId64, v);
}

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;

    while (v >= 0x80u) {
        v >>= 7;
        n++;
    }
    return n;
}

static size_t signed_bytes(int32_t v)
{
    return varint_bytes(zigzag32(v));
}

size_t json_bytes(const struct sample *s)
{
    size_t n = sizeof("{\"t\":,\"v\":,\"i\":,\"c\":[],\"p\":[]}") - 1;

    n += digits((int64_t)s->utc_ms) + digits(s->scalar[SAMPLE_pack_voltage_mV]) + digits(s->scalar[SAMPLE_pack_current_mA]);
    for (unsigned c = 0; c < s->cells; c++)
        n += digits(s->cell_mV[c]) + (c > 0);
    for (unsigned t = 0; t < s->temps; t++)
        n += digits(s->temp_ddegC[t]) + (t > 0);
    return n;
}

size_t protobuf_bytes(const struct sample *s)
{
    size_t cells = 0, temps = 0;

    for (unsigned c = 0; c < s->cells; c++)
        cells += varint_bytes(s->cell_mV[c]);
    for (unsigned t = 0; t < s->temps; t++)
        temps += signed_bytes(s->temp_ddegC[t]);
    return 1 + varint_bytes(s->utc_ms) + 1 + signed_bytes(s->scalar[SAMPLE_pack_voltage_mV]) + 1 +
           signed_bytes(s->scalar[SAMPLE_pack_current_mA]) + 1 + varint_bytes(cells) + cells + 1 + varint_bytes(temps) + temps;
}

/* Metric in Payload.metrics: tag, length; alias (tag, varint), datatype (tag, varint), int_value (tag, varint of two's complement as uint32). */
static size_t metric(unsigned alias, uint32_t value)
{
    return 2 + 1 + varint_bytes(alias) + 2 + 1 + varint_bytes(value);
}

size_t sparkplug_bytes(const struct sample *s)
{
    size_t n = 1 + varint_bytes(s->utc_ms) + 2;
    unsigned alias = 0;

    n += metric(alias++, (uint32_t)s->scalar[SAMPLE_pack_voltage_mV]);
    n += metric(alias++, (uint32_t)s->scalar[SAMPLE_pack_current_mA]);
    for (unsigned c = 0; c < s->cells; c++)
        n += metric(alias++, s->cell_mV[c]);
    for (unsigned t = 0; t < s->temps; t++)
        n += metric(alias++, (uint32_t)s->temp_ddegC[t]);
    return n;
}

size_t gbt32960_bytes(const struct sample *s)
{
    const size_t frame = 24 + 6 + 1, vehicle = 1 + 20, extremes = 1 + 14, alarms = 1 + 9;
    size_t units = (s->cells + 199u) / 200u;

    return frame + vehicle + extremes + alarms + 2 + units * 10 + 2 * (size_t)s->cells + 2 + 3 + s->temps;
}
