/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_bulk.c -- the fast lane's client against a broker that says anything, in portions of any size. The first byte is the size of a portion. */
#include "server/ingest/mqtt_bulk.h"

#include <stdlib.h>
#include <string.h>

enum { IN = 2048, OUT = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile uint8_t seen;

static void on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    (void)ctx;
    if (topic_n == 0)
        abort(); /* 3.3.2.1: a topic without a character is refused before */
    seen = (uint8_t)topic[topic_n - 1];
    if (n > 0)
        seen = payload[n - 1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const filters[] = { "f" };
    static struct bulk b;
    static uint8_t in[IN], out[OUT];
    const struct bulk_config config = { "c", filters, 1, 20, 10, 1000, NULL, on_message, in, IN, out, OUT };
    size_t portion = n > 0 ? data[0] + 1u : 1, at = 1;

    if (bulk_init(&b, &config) != 0)
        abort();
    bulk_connect(&b, 0);
    for (uint32_t now = 0; at < n && b.state != BULK_DEAD; now++) {
        size_t room = 0, waiting = 0;
        uint8_t *p = bulk_room(&b, &room);
        size_t part = portion < n - at ? portion : n - at;

        part = part < room ? part : room;
        memcpy(p, data + at, part);
        bulk_got(&b, part, now);
        bulk_publish(&b, "t", data, part < 100 ? part : 100);
        bulk_step(&b, now);
        bulk_output(&b, &waiting);
        if (waiting > OUT || b.in_flight > 65535)
            abort();
        bulk_sent(&b, waiting);
        at += part;
        if (part == 0 && room == 0 && waiting == 0)
            abort(); /* stands still for ever */
    }
    return 0;
}
