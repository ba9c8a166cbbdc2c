/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt.c -- the MQTT client against a hostile broker: any bytes, in any portions, over several connections.
 *
 * Input: steps of one byte each. 0x00..0x7F: feed that many of the next bytes. 0x80..0x9F: publish. 0xA0..0xBF: take some output. 0xC0..0xDF:
 * time passes. 0xE0..0xFE: lose the stream and connect again. 0xFF: feed a good CONNACK or SUBACK. Checked: each message is acknowledged at
 * most once, nothing is lost that was not, what is written parses as packets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "dtu/core/mqtt.h"
#include "dtu/core/mqtt_frame.h"

struct world {
    struct mqtt c;
    uint32_t now_ms, next;
    uint8_t pending[256];
    unsigned held;
    struct mqtt_frame sent; /* our own output, read back */
    uint8_t sent_body[512];
    uint8_t feed;
};

static const uint8_t payload[200];

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void on_up(void *ctx, bool session_present)
{
    (void)ctx;
    (void)session_present;
}

static void on_acked(void *ctx, uint32_t token, uint8_t reason)
{
    struct world *w = ctx;

    (void)reason;
    must(token < w->next && w->pending[token & 255] == 1);
    w->pending[token & 255] = 0;
    w->held--;
}

static bool on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *bytes, size_t n)
{
    uint8_t sum = 0;

    (void)ctx;
    for (size_t i = 0; i < topic_n; i++)
        sum = (uint8_t)(sum + (uint8_t)topic[i]);
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum & 1;
}

static void publish(struct world *w, uint8_t how)
{
    if (w->pending[w->next & 255] ||
        mqtt_publish(&w->c, "t/u", payload, how & 15 ? (size_t)(how & 15) * 13 : 0, how >> 4 & 1, false, w->next))
        return;
    w->pending[w->next++ & 255] = 1;
    w->held++;
}

static void take(struct world *w, size_t most)
{
    const uint8_t *bytes;
    size_t n;

    for (mqtt_output(&w->c, &bytes, &n); n && most; mqtt_output(&w->c, &bytes, &n)) {
        size_t part = n < most ? n : most;

        for (size_t at = 0; at < part;) {
            int done, used = mqtt_frame_feed(&w->sent, bytes + at, part - at, &done);

            must(used > 0);
            at += (size_t)used;
        }
        most -= part;
        mqtt_sent(&w->c, part);
    }
}

static void reconnect(struct world *w)
{
    mqtt_lost(&w->c);
    mqtt_frame_init(&w->sent, w->sent_body, sizeof w->sent_body);
    mqtt_connect(&w->c, w->now_ms);
}

static void good_answer(struct world *w)
{
    static const uint8_t connack[] = { 0x20, 3, 0, 0, 0 };
    uint8_t suback[] = { 0x90, 4, (uint8_t)(w->c.subscribe_id >> 8), (uint8_t)w->c.subscribe_id, 0, 1 };

    take(w, 1000);
    if (w->c.state == MQTT_CONNECTING)
        mqtt_feed(&w->c, connack, sizeof connack);
    else if (w->c.state == MQTT_SUBSCRIBING)
        mqtt_feed(&w->c, suback, sizeof suback);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const filters[] = { "d/+" };
    static struct world w;
    uint8_t rx[128];
    const struct mqtt_config config = { .client_id = "a.b",
                                        .filters = filters,
                                        .filter_n = 1,
                                        .keep_alive_s = 5,
                                        .answer_ms = 1000,
                                        .will = { .topic = "s", .payload = payload, .n = 20 },
                                        .handler = { &w, on_up, on_acked, on_message },
                                        .rx = rx,
                                        .rx_n = sizeof rx };

    memset(&w, 0, sizeof w);
    must(mqtt_init(&w.c, &config) == BMS_ERR_OK);
    reconnect(&w);
    for (size_t i = 0; i < size;) {
        uint8_t step = data[i++];

        if (step < 0x80) {
            size_t n = step < size - i ? step : size - i;

            mqtt_feed(&w.c, data + i, n);
            i += n;
        } else if (step < 0xA0) {
            publish(&w, step);
        } else if (step < 0xC0) {
            take(&w, (size_t)(step & 31) * 9 + 1);
        } else if (step < 0xE0) {
            mqtt_step(&w.c, w.now_ms += (step & 31u) * 200u);
        } else if (step < 0xFF) {
            reconnect(&w);
        } else {
            good_answer(&w);
        }
        must(mqtt_pending(&w.c) == w.held);
    }
    return 0;
}
