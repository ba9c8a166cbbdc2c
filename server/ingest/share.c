/* SPDX-License-Identifier: Apache-2.0 */
/* share.c -- tokens in thousandths: a rate of n a second brings n thousandths each millisecond. */
#include "server/ingest/share.h"

#include "common/name_hash.h"

#include <string.h>

enum { WAYS = 4, MILLI = 1000, BURST_MS = SHARE_BURST_S * 1000 };

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t filled(int64_t tokens, int64_t rate, int64_t elapsed_ms)
{
    return lower(tokens + rate * elapsed_ms, rate * BURST_MS);
}

/* The bucket of a name, filled up to now. */
static struct share_bucket *bucket(struct share_bucket *all, size_t n, uint64_t name, struct share_rate rate, int64_t now_ms)
{
    struct share_bucket *set = &all[name % (n / WAYS) * WAYS], *b = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].name == name) {
            b = &set[i];
            break;
        }
        if (set[i].at_ms < b->at_ms)
            b = &set[i];
    }
    if (b->name != name)
        *b = (struct share_bucket) { name, now_ms, rate.records * BURST_MS, rate.bytes * BURST_MS };
    int64_t elapsed_ms = lower(now_ms - b->at_ms, 2 * BURST_MS); /* enough from the deepest debt */

    b->records_milli = filled(b->records_milli, rate.records, elapsed_ms);
    b->bytes_milli = filled(b->bytes_milli, rate.bytes, elapsed_ms);
    b->at_ms = now_ms;
    return b;
}

static bool has_tokens(const struct share_bucket *b, struct share_rate rate)
{
    return (rate.records == 0 || b->records_milli > 0) && (rate.bytes == 0 || b->bytes_milli > 0);
}

static void pay(struct share_bucket *b, struct share_rate rate, int64_t records, int64_t bytes)
{
    b->records_milli = b->records_milli - records * MILLI;
    b->bytes_milli = b->bytes_milli - bytes * MILLI;
    if (b->records_milli < -rate.records * BURST_MS)
        b->records_milli = -rate.records * BURST_MS;
    if (b->bytes_milli < -rate.bytes * BURST_MS)
        b->bytes_milli = -rate.bytes * BURST_MS;
}

void share_init(struct share *share, struct share_rate of_device, struct share_rate of_tenant)
{
    memset(share, 0, sizeof *share);
    share->of_device = of_device;
    share->of_tenant = of_tenant;
}

bool share_take(struct share *share, const char *device, size_t size, int64_t now_ms)
{
    uint64_t name = name_hash(device, strlen(device)), owner = name_hash(device, strcspn(device, "."));
    struct share_bucket *d = bucket(share->device, SHARE_DEVICES, name, share->of_device, now_ms);
    struct share_bucket *t = bucket(share->tenant, SHARE_TENANTS, owner, share->of_tenant, now_ms);

    if (!has_tokens(d, share->of_device) || !has_tokens(t, share->of_tenant))
        return false;
    pay(d, share->of_device, 1, (int64_t)size);
    pay(t, share->of_tenant, 1, (int64_t)size);
    return true;
}

void share_charge(struct share *share, const char *device, int64_t now_ms)
{
    struct share_bucket *d = bucket(share->device, SHARE_DEVICES, name_hash(device, strlen(device)), share->of_device, now_ms);

    pay(d, share->of_device, SHARE_REFUSED_COST, 0);
}
