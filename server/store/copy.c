/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c -- big-endian fields, each behind its length. */
#include "server/store/copy.h"

#include "common/bytes.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t signature[] = { 'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xFF, '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0 };

static const int64_t epoch_2000_ms = INT64_C(946684800000); /* PostgreSQL counts from 2000-01-01 */

static uint8_t *room(struct copy *c, size_t n)
{
    if (c->bad)
        return NULL;
    if (c->used + n > c->size) {
        size_t size = (c->used + n) * 2 + 4096;
        uint8_t *data = realloc(c->data, size);

        if (!data) {
            c->bad = true;
            return NULL;
        }
        c->data = data;
        c->size = size;
    }
    uint8_t *p = c->data + c->used;

    c->used += n;
    return p;
}

void copy_begin(struct copy *c)
{
    c->used = 0;
    c->bad = false;
    uint8_t *p = room(c, sizeof signature);

    if (p)
        memcpy(p, signature, sizeof signature);
}

void copy_row(struct copy *c, uint16_t fields)
{
    uint8_t *p = room(c, 2);

    if (p) {
        p[0] = (uint8_t)(fields >> 8);
        p[1] = (uint8_t)fields;
    }
}

void copy_bytes(struct copy *c, const void *data, size_t n)
{
    uint8_t *p = room(c, 4 + n);

    if (!p)
        return;
    put_be32(p, (uint32_t)n);
    if (n)
        memcpy(p + 4, data, n);
}

void copy_device(struct copy *tenant, struct copy *vehicle, const char *device)
{
    size_t n = strcspn(device, ".");
    const char *rest = device[n] ? device + n + 1 : device + n;

    copy_bytes(tenant, device, n);
    copy_bytes(vehicle, rest, strlen(rest));
}

void copy_int16(struct copy *c, int16_t v)
{
    uint8_t b[2] = { (uint8_t)((uint16_t)v >> 8), (uint8_t)v };

    copy_bytes(c, b, sizeof b);
}

void copy_int32(struct copy *c, int32_t v)
{
    uint8_t b[4];

    put_be32(b, (uint32_t)v);
    copy_bytes(c, b, sizeof b);
}

void copy_int64(struct copy *c, int64_t v)
{
    uint8_t b[8];

    put_be32(b, (uint32_t)((uint64_t)v >> 32));
    put_be32(b + 4, (uint32_t)v);
    copy_bytes(c, b, sizeof b);
}

void copy_null(struct copy *c)
{
    uint8_t *p = room(c, 4);

    if (p)
        memset(p, 0xFF, 4);
}

void copy_utc_ms(struct copy *c, int64_t utc_ms)
{
    copy_int64(c, (utc_ms - epoch_2000_ms) * 1000);
}

void copy_raw(struct copy *c, const void *data, size_t n)
{
    uint8_t *p = room(c, n);

    if (p)
        memcpy(p, data, n);
}

void copy_end(struct copy *c)
{
    uint8_t *p = room(c, 2);

    if (p)
        memset(p, 0xFF, 2);
}

void copy_free(struct copy *c)
{
    free(c->data);
    *c = (struct copy) { .data = NULL };
}
