/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "proto/downlink.pb-c.h"
#include "sim/fleet/pages.h"

enum { STEP_US = 100000, RADIO_US = 1000000, SYNC_US = 20000, BAD_TIMES = 100, INFLIGHT_KEPT = 4, ANSWER_MS = 20000, TOKEN_STATE = 0x2000 };
enum { GARBAGE_BYTES = 300, TOKEN_GARBAGE = 0x3000, REASON_FAILED = 0x80, KEEP_ALIVE_S = 30 };

static uint32_t ms_of(uint64_t us)
{
    return (uint32_t)(us / 1000);
}

static int publish_record(void *ctx, const uint8_t *payload, size_t n, uint32_t token)
{
    struct unit *u = ctx;

    if (mqtt_pending(&u->mqtt) + INFLIGHT_KEPT >= MQTT_INFLIGHT)
        return BMS_ERR_NOSPACE;
    return mqtt_publish(&u->mqtt, u->topic_record, payload, n, 1, false, token);
}

static void on_up(void *ctx, bool session_present)
{
    struct unit *u = ctx;

    (void)session_present;
    u->totals->sessions++;
    uplink_connected(&u->uplink, ms_of(u->last_us));
    state_connected(&u->state);
}

static void on_acked(void *ctx, uint32_t token, uint8_t reason)
{
    struct unit *u = ctx;

    if (token < UPLINK_WINDOW)
        uplink_published(&u->uplink, token, reason < REASON_FAILED);
    else if (token == TOKEN_STATE)
        u->state_borrowed = false;
}

static void count_ack(struct unit *u, uint64_t seq)
{
    if (u->taken[seq % UNIT_ASKED].seq != seq)
        return;
    u->taken[seq % UNIT_ASKED].seq = 0;
    delays_add(&u->totals->ack, u->last_us - u->taken[seq % UNIT_ASKED].us);
}

/* Nobody asks a fleet's device for a record again, so what the server has needs no memory; nor does the room in which records are made and sent. */
static void forget_acked(struct unit *u)
{
    for (uint32_t s = 0; s < u->config->sectors; s++)
        if (s != u->journal.head && u->index[s].unacked == 0)
            flash_blank_forget(&u->flash, s);
    pages_forget(u->recorder.body, sizeof u->recorder.body + sizeof u->recorder.sealed); /* written before they are read */
    if (u->uplink.used == 0)
        pages_forget(u->buffer, u->buffers * sizeof *u->buffer);
}

static bool on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    struct unit *u = ctx;
    size_t tail = sizeof TOPIC_ACK - 1;

    if (topic_n < tail || memcmp(topic + topic_n - tail, TOPIC_ACK, tail) != 0)
        return true; /* commands are for boards */
    int freed = uplink_ack(&u->uplink, payload, n, ms_of(u->last_us));

    forget_acked(u);
    Cw__Ack *ack = freed > 0 ? cw__ack__unpack(NULL, n, payload) : NULL;

    u->totals->acked += freed > 0 ? (uint64_t)freed : 0;
    for (size_t k = 0; ack && k < ack->n_first && k < ack->n_last; k++)
        for (uint64_t seq = ack->first[k]; seq <= ack->last[k] && seq < u->journal.next_seq; seq++)
            count_ack(u, seq);
    cw__ack__free_unpacked(ack, NULL);
    return true;
}

static struct state_facts facts_of(const struct unit *u)
{
    return (struct state_facts) { .device = u->name,
                                  .version = "fleet",
                                  .epoch = u->journal.epoch,
                                  .next_seq = u->journal.next_seq,
                                  .journal_records = u->journal.unacked,
                                  .journal_dropped = u->journal.dropped,
                                  .boot = u->config->life.boot };
}

static int init_mqtt(struct unit *u)
{
    struct state_facts facts = facts_of(u);

    snprintf(u->topic_record, TOPIC_MAX, TOPIC_ROOT "%s" TOPIC_RECORD, u->name);
    snprintf(u->topic_state, TOPIC_MAX, TOPIC_ROOT "%s" TOPIC_STATE, u->name);
    snprintf(u->topic_down, TOPIC_MAX, TOPIC_ROOT "%s" TOPIC_DOWN_ALL, u->name);
    u->filters[0] = u->topic_down;
    u->mqtt_config = (struct mqtt_config) { .client_id = u->name,
                                            .filters = u->filters,
                                            .filter_n = 1,
                                            .keep_alive_s = KEEP_ALIVE_S,
                                            .answer_ms = ANSWER_MS,
                                            .will = { u->topic_state, u->will, (uint16_t)state_pack(&facts, false, 0, u->will) },
                                            .handler = { u, on_up, on_acked, on_message },
                                            .rx = u->rx,
                                            .rx_n = sizeof u->rx };
    return mqtt_init(&u->mqtt, &u->mqtt_config);
}

static int open_tls(struct unit *u, char *why, size_t n)
{
    char ca[300], cert[400], key[400];
    struct tls_files files = { .ca_file = ca, .cert_file = cert, .key_file = key, .server_name = "localhost" };

    snprintf(ca, sizeof ca, "%.250s/ca.crt", u->config->pki);
    snprintf(cert, sizeof cert, "%.250s/%s.crt", u->config->pki, u->name);
    snprintf(key, sizeof key, "%.250s/%s.key", u->config->pki, u->name);
    return stream_tls_create(&u->tls, &files, why, n);
}

static int init_parts(struct unit *u, uint64_t seed)
{
    struct uplink_port port = { u, publish_record };
    int err = flash_blank_init(&u->flash, UNIT_SECTOR, u->config->sectors);

    life_init(&u->life, &u->config->life, seed);
    err = err ? err : journal_format(&u->journal, &u->flash.port, u->index, UNIT_SECTORS_MAX, seed);
    err = err ? err : recorder_init(&u->recorder, &u->journal, u->name, u->config->batch);
    err = err ? err : uplink_init(&u->uplink, &u->journal, &port, u->buffer, u->buffers);
    err = err ? err : init_mqtt(u);
    return err ? err : net_init(&u->net, stream_tls_port(u->tls), u->config->host, u->config->port, &u->mqtt, (uint32_t)seed);
}

struct unit *unit_create(const struct unit_config *config, enum unit_kind kind, unsigned number, uint64_t seed, uint64_t begin_us,
                         struct unit_totals *totals, char *why, size_t n)
{
    struct unit *u = pages_take(sizeof *u); /* most of it is room for the longest record */

    if (!u) {
        snprintf(why, n, "no memory");
        return NULL;
    }
    u->config = config;
    u->kind = kind;
    u->buffers = kind == UNIT_GOOD ? UNIT_BUFFERS : UNIT_BUFFERS_BAD;
    u->buffer = pages_take(u->buffers * sizeof *u->buffer);
    u->totals = totals;
    u->begin_us = u->radio_us = u->sample_us = begin_us;
    u->seen_seq = 1;
    snprintf(u->name, sizeof u->name, "%.30s.unit-%04u", config->tenant, number);
    if (!u->buffer) {
        snprintf(why, n, "no memory");
    } else if (open_tls(u, why, n) == BMS_ERR_OK) {
        int err = init_parts(u, seed);

        if (err == BMS_ERR_OK)
            return u;
        snprintf(why, n, "%s: %s", u->name, bms_err_text(err));
    }
    unit_destroy(u);
    return NULL;
}

static uint32_t period_of(const struct unit *u)
{
    return u->kind == UNIT_GOOD ? u->config->period_us : u->config->period_us / BAD_TIMES;
}

/* Which records are new, and when their newest sample was taken. */
static void note_records(struct unit *u, uint64_t us)
{
    for (; u->seen_seq < u->journal.next_seq; u->seen_seq++) {
        u->taken[u->seen_seq % UNIT_ASKED].seq = u->seen_seq;
        u->taken[u->seen_seq % UNIT_ASKED].us = us;
        u->totals->records++;
    }
}

static void take_samples(struct unit *u, uint64_t now_us, uint64_t utc_ms)
{
    struct sample s;

    for (; u->sample_us <= now_us; u->sample_us += period_of(u)) {
        uint64_t late_ms = (now_us - u->sample_us) / 1000;

        life_sample(&u->life, period_of(u) / 1e6, utc_ms - late_ms, &s);
        if (recorder_add(&u->recorder, &s, 0, ms_of(now_us)) == BMS_ERR_OK)
            u->totals->samples++;
        note_records(u, u->sample_us);
    }
}

/* One message where another unit would take a sample; what the link does not take is left out. */
static void throw_garbage(struct unit *u, uint64_t now_us)
{
    for (; u->sample_us <= now_us; u->sample_us += period_of(u)) {
        if (u->mqtt.state != MQTT_UP || mqtt_pending(&u->mqtt) + INFLIGHT_KEPT >= MQTT_INFLIGHT)
            continue;
        for (size_t i = 0; i + 8 <= GARBAGE_BYTES; i += 8) {
            uint64_t v = noise_u64(&u->life.noise);

            memcpy(u->buffer[0] + i, &v, sizeof v); /* changed while on the wire: it is garbage anyway */
        }
        if (mqtt_publish(&u->mqtt, u->topic_record, u->buffer[0], GARBAGE_BYTES, 1, false, TOKEN_GARBAGE) == BMS_ERR_OK)
            u->totals->garbage++;
    }
}

static void publish_state(struct unit *u, uint64_t utc_ms)
{
    struct state_facts facts = facts_of(u);

    if (u->state_borrowed || mqtt_pending(&u->mqtt) == MQTT_INFLIGHT || !state_is_due(&u->state, &facts, ms_of(u->last_us)))
        return;
    size_t n = state_pack(&facts, true, utc_ms, u->state_bytes);

    u->state_borrowed = mqtt_publish(&u->mqtt, u->topic_state, u->state_bytes, n, 1, true, TOKEN_STATE) == BMS_ERR_OK;
}

static void speak(struct unit *u, uint64_t now_us, uint64_t utc_ms)
{
    net_poll(&u->net, ms_of(now_us));
    if (u->mqtt.state != MQTT_UP)
        return;
    publish_state(u, utc_ms);
    if (u->kind == UNIT_GARBAGE)
        throw_garbage(u, now_us);
    else
        uplink_step(&u->uplink, ms_of(now_us));
    net_poll(&u->net, ms_of(now_us));
}

/* When the network goes, the session ends as if the stream had failed, and nothing is tried until it is back. */
static void look_for_radio(struct unit *u, uint64_t now_us)
{
    bool was_away = u->away;

    for (; u->radio_us <= now_us; u->radio_us += RADIO_US)
        u->away = !life_radio(&u->life);
    if (!u->away || was_away || u->net.link.state == LINK_WAIT)
        return;
    u->net.refused = true;
    net_poll(&u->net, ms_of(now_us));
}

void unit_step(struct unit *u, uint64_t now_us, uint64_t utc_ms)
{
    u->last_us = now_us;
    if (now_us < u->begin_us)
        return;
    if (u->kind != UNIT_GARBAGE)
        take_samples(u, now_us, utc_ms);
    recorder_step(&u->recorder, u->config->watched, ms_of(now_us));
    note_records(u, now_us);
    if (u->journal.safe_seq != u->journal.next_seq && now_us - u->synced_us >= SYNC_US) {
        u->synced_us = now_us;
        journal_sync(&u->journal);
    }
    look_for_radio(u, now_us);
    if (!u->away)
        speak(u, now_us, utc_ms);
}

uint64_t unit_due_us(const struct unit *u)
{
    uint64_t at = u->last_us < u->begin_us ? u->begin_us : u->last_us + STEP_US;

    return u->sample_us < at ? u->sample_us : at;
}

bool unit_finish(struct unit *u)
{
    u->sample_us = UINT64_MAX / 2;
    u->life.config.offline_permille = 0;
    u->life.radio_left_s = 0;
    if (u->kind == UNIT_GARBAGE)
        return true;
    recorder_flush(&u->recorder);
    return u->journal.unacked == 0 && u->recorder.n == 0;
}

void unit_destroy(struct unit *u)
{
    if (!u)
        return;
    stream_tls_destroy(u->tls);
    flash_blank_free(&u->flash);
    pages_give(u->buffer, u->buffers * sizeof *u->buffer);
    pages_give(u, sizeof *u);
}
