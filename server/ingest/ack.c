/* SPDX-License-Identifier: Apache-2.0 */
/* ack.c -- sort by device, epoch, seq; runs become ranges. */
#include "server/ingest/ack.h"

#include "common/err.h"
#include "proto/downlink.pb-c.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ack_begin(struct acks *acks)
{
    acks->count = 0;
}

void acks_free(struct acks *acks)
{
    free(acks->items);
    *acks = (struct acks) { .items = NULL };
}

int ack_add(struct acks *acks, const char *device, uint64_t epoch, uint64_t seq)
{
    if (acks->count == acks->room) {
        size_t room = acks->room ? acks->room * 2 : 256;
        struct ack_item *items = realloc(acks->items, room * sizeof *items);

        if (!items)
            return BMS_ERR_NOSPACE;
        acks->items = items;
        acks->room = room;
    }
    struct ack_item *item = &acks->items[acks->count++];

    snprintf(item->device, sizeof item->device, "%s", device);
    item->epoch = epoch;
    item->seq = seq;
    return 0;
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_name(const void *left, const void *right)
{
    const struct ack_item *a = left, *b = right;
    int d = strcmp(a->device, b->device);

    d = d ? d : compare(a->epoch, b->epoch);
    return d ? d : compare(a->seq, b->seq);
}

static bool is_same_journal(const struct ack_item *a, const struct ack_item *b)
{
    return a->epoch == b->epoch && strcmp(a->device, b->device) == 0;
}

/* Pack ranges from items[0] on, all of one journal; returns how many items they cover. */
static size_t take_ranges(const struct ack_item *items, size_t n, uint64_t *first, uint64_t *last, size_t *ranges)
{
    size_t i = 0, k = 0;

    for (; i < n && is_same_journal(&items[i], &items[0]); i++) {
        if (k && items[i].seq - last[k - 1] <= 1) {
            last[k - 1] = items[i].seq;
            continue;
        }
        if (k == ACK_RANGES_MAX)
            break;
        first[k] = last[k] = items[i].seq;
        k++;
    }
    *ranges = k;
    return i;
}

size_t ack_flush(struct acks *acks, ack_fn *fn, void *ctx)
{
    uint64_t first[ACK_RANGES_MAX], last[ACK_RANGES_MAX];
    uint8_t bytes[ACK_BYTES_MAX];
    char topic[TOPIC_MAX];
    size_t messages = 0;

    if (acks->count)
        qsort(acks->items, acks->count, sizeof *acks->items, by_name);
    for (size_t i = 0; i < acks->count; messages++) {
        const struct ack_item *item = &acks->items[i];
        Cw__Ack ack = CW__ACK__INIT;
        size_t ranges = 0;

        i += take_ranges(item, acks->count - i, first, last, &ranges);
        ack.schema = 1;
        ack.epoch = item->epoch;
        ack.n_first = ack.n_last = ranges;
        ack.first = first;
        ack.last = last;
        snprintf(topic, sizeof topic, TOPIC_ROOT "%s" TOPIC_ACK, item->device);
        fn(ctx, topic, bytes, cw__ack__pack(&ack, bytes));
    }
    acks->count = 0;
    return messages;
}
