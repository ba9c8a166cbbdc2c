/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_model.h"

#include <stdlib.h>
#include <string.h>

#include "board_model.h"
#include "common/bytes.h"
#include "proto/body.h"
#include "proto/topics.h"

enum { CONNECT = 1, PUBLISH = 3, SUBSCRIBE = 8, PINGREQ = 12 };

void broker_init(struct broker *b, struct mqtt *client)
{
    memset(b, 0, sizeof(*b));
    b->client = client;
}

void broker_open(struct broker *b, uint32_t now_ms)
{
    mqtt_frame_init(&b->frame, b->in, sizeof(b->in));
    mqtt_connect(b->client, now_ms);
}

static void publish(struct broker *b, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    uint8_t packet[4096];
    struct writer w = writer_of(packet, sizeof(packet));

    write_u8(&w, PUBLISH << 4 | 2);
    write_varint(&w, 2 + topic_n + 2 + 1 + n);
    write_u8(&w, (uint8_t)(topic_n >> 8));
    write_u8(&w, (uint8_t)topic_n);
    write_bytes(&w, topic, topic_n);
    b->next_id = b->next_id % 1000 + 1;
    write_u8(&w, (uint8_t)(b->next_id >> 8));
    write_u8(&w, (uint8_t)b->next_id);
    write_u8(&w, 0);
    write_bytes(&w, payload, n);
    mqtt_feed(b->client, packet, writer_used(&w));
}

/* seq is below BROKER_SEQS: two bytes as a varint. */
static void acknowledge(struct broker *b, const struct record *r)
{
    uint8_t low = (uint8_t)(r->seq | 0x80u), high = (uint8_t)(r->seq >> 7);
    uint8_t ack[] = { 0x08, 1, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, low, high, 0x20, low, high };
    char topic[TOPIC_MAX] = TOPIC_ROOT;

    put_le64(ack + 3, r->epoch);
    strcat(topic, r->device);
    strcat(topic, TOPIC_ACK);
    publish(b, topic, strlen(topic), ack, sizeof(ack));
}

static void store(struct broker *b, const uint8_t *data, size_t n)
{
    static struct sample samples[RECORD_SAMPLES_MAX];
    struct record r;

    if (b->silent || (b->lossy && rand() % 4 == 0))
        return;
    if (record_open(data, n, &r) != 0 || body_decode(&r, samples) != 0 || r.seq >= BROKER_SEQS || r.boot >= BROKER_BOOTS) {
        b->mismatched++;
        return;
    }
    for (uint32_t i = 0; !b->known[r.seq] && i < r.count; i++) {
        struct sample want = board_sample(r.boot, samples[i].no, samples[i].cells, samples[i].temps);

        b->mismatched += sample_is_equal(&want, &samples[i]) || want.alarms != samples[i].alarms ? 0 : 1;
        if (samples[i].no < BROKER_SAMPLES)
            b->stored[r.boot][samples[i].no]++;
    }
    b->known[r.seq] = true;
    b->records++;
    b->last_count = r.count;
    if (!b->lossy || rand() % 4 != 0)
        acknowledge(b, &r);
}

static bool ends_with(const uint8_t *topic, size_t n, const char *tail)
{
    return n >= strlen(tail) && memcmp(topic + n - strlen(tail), tail, strlen(tail)) == 0;
}

static void on_publish(struct broker *b, uint8_t first, const uint8_t *p, size_t n)
{
    size_t topic_n = get_be16(p), at = 2 + topic_n;
    uint8_t puback[] = { 0x40, 2, p[at], p[at + 1] };
    const uint8_t *topic = p + 2;

    at += 2;
    at += 1u + p[at]; /* properties: fewer than 128 bytes */
    mqtt_feed(b->client, puback, sizeof(puback));
    if (ends_with(topic, topic_n, TOPIC_RECORD))
        store(b, p + at, n - at);
    else if (ends_with(topic, topic_n, TOPIC_STATE)) {
        b->states++;
        b->state_n = n - at;
        b->state_retained = first & 1;
        memcpy(b->state, p + at, b->state_n);
    } else if (ends_with(topic, topic_n, TOPIC_RESULT)) {
        b->results++;
        b->result_n = n - at;
        memcpy(b->result, p + at, b->result_n);
    }
}

static void on_connect(struct broker *b, const uint8_t *p)
{
    static const uint8_t connack[] = { 0x20, 3, 0, 0, 0 };
    size_t at = 10; /* protocol name, version, flags, keep-alive */

    at += 1u + p[at];
    at += 2u + get_be16(p + at);
    at += 1u + p[at];
    at += 2u + get_be16(p + at); /* topic of the will */
    b->will_n = get_be16(p + at);
    memcpy(b->will, p + at + 2, b->will_n);
    b->connects++;
    mqtt_feed(b->client, connack, sizeof(connack));
}

static void on_packet(struct broker *b, uint8_t first, size_t n)
{
    static uint8_t p[BROKER_IN];

    memcpy(p, b->in, n);
    if (first >> 4 == CONNECT)
        on_connect(b, p);
    else if (first >> 4 == SUBSCRIBE)
        mqtt_feed(b->client, (const uint8_t[]) { 0x90, 4, p[0], p[1], 0, 1 }, 6);
    else if (first >> 4 == PUBLISH)
        on_publish(b, first, p, n);
    else if (first >> 4 == PINGREQ)
        mqtt_feed(b->client, (const uint8_t[]) { 0xD0, 0 }, 2);
}

void broker_run(struct broker *b)
{
    const uint8_t *out;
    size_t n;

    for (mqtt_output(b->client, &out, &n); n > 0; mqtt_output(b->client, &out, &n)) {
        uint8_t bytes[512];
        size_t k = n < sizeof(bytes) ? n : sizeof(bytes);

        memcpy(bytes, out, k);
        mqtt_sent(b->client, k);
        for (size_t at = 0; at < k;) {
            int done = 0, took = mqtt_frame_feed(&b->frame, bytes + at, k - at, &done);

            if (took < 0)
                return;
            at += (size_t)took;
            if (done)
                on_packet(b, b->frame.first, b->frame.want);
        }
    }
}

void broker_command(struct broker *b, const char *device, const uint8_t *bytes, size_t n)
{
    char topic[TOPIC_MAX] = TOPIC_ROOT;

    strcat(topic, device);
    strcat(topic, TOPIC_COMMAND);
    publish(b, topic, strlen(topic), bytes, n);
}
