/* SPDX-License-Identifier: Apache-2.0 */
/* share.h -- how much one device, and all devices of one tenant together, may send: token buckets for records and for bytes.
 *
 * A bucket holds what SHARE_BURST_S seconds bring and fills at its rate. A message is taken while no bucket that it concerns is empty, and may leave
 * one in debt, so that a record larger than a bucket passes too. A refused record costs SHARE_REFUSED_COST records on top: it has to be opened,
 * logged and kept aside, and nobody has a use for it.
 *
 * Bounded: SHARE_DEVICES and SHARE_TENANTS buckets in sets of four; one that meets a full set takes over the bucket that was idle longest, full. With
 * more devices than that inside SHARE_BURST_S the limits are looser than they say. Each server process counts for itself. One thread. Pure: time is data.
 */
#ifndef SERVER_SHARE_H
#define SERVER_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARE_DEVICES = 16384, SHARE_TENANTS = 1024, SHARE_BURST_S = 2, SHARE_REFUSED_COST = 20 };

struct share_rate { /* a second; 0 = no limit */
    int64_t records, bytes;
};

struct share_bucket {
    uint64_t name; /* hash; 0 = never used */
    int64_t at_ms; /* when it was filled last */
    int64_t records_milli, bytes_milli;
};

struct share {
    struct share_rate of_device, of_tenant;
    struct share_bucket device[SHARE_DEVICES], tenant[SHARE_TENANTS];
};

/* All buckets full. Rates 0 to 10^9. */
void share_init(struct share *share, struct share_rate of_device, struct share_rate of_tenant);

/* True: a message of `size` bytes may pass now, and is counted. device: "<tenant>.<vehicle>", or "" for topics without a name (a device like any other).
 * now_ms: any clock that does not jump back, from 1. */
bool share_take(struct share *share, const char *device, size_t size, int64_t now_ms);

/* One of its records was refused. A debt ends after SHARE_BURST_S seconds at the latest. */
void share_charge(struct share *share, const char *device, int64_t now_ms);

#endif
