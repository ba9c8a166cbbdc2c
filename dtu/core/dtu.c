/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/dtu.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "proto/can0.h"

enum { TOKEN_RESULT = 0x1000, TOKEN_STATE = 0x2000, INFLIGHT_KEPT = 4, REASON_FAILED = 0x80 };
enum { ANSWER_MS = 20000, SESSION_EXPIRY_S = 300, RESEND_REQUEST = 8, RESEND_ANSWER = 12, START_ROUTINE = 0x01 };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool dtu_is_name(const char *device)
{
    size_t n = strlen(device), dots = 0;

    for (size_t i = 0; i < n; i++) {
        dots += device[i] == '.' ? 1 : 0;
        if (device[i] != '.' && !is_word(device[i]))
            return false;
    }
    return n >= 3 && n <= DEVICE_NAME_MAX && dots == 1 && device[0] != '.' && device[n - 1] != '.';
}

static struct state_facts facts_of(const struct dtu *d)
{
    const struct journal *j = d->config.journal;
    const struct assembler_counts *c = &d->assembler.counts;

    return (struct state_facts) { .device = d->config.device,
                                  .version = d->config.version,
                                  .epoch = j->epoch,
                                  .next_seq = j->next_seq,
                                  .journal_records = j->unacked,
                                  .journal_dropped = j->dropped,
                                  .board_dropped = d->assembler.dropped,
                                  .frames_rejected = (uint64_t)c->crc + c->counter,
                                  .records_corrupt = j->corrupt,
                                  .boot = d->assembler.boot,
                                  .self_check = d->self_check,
                                  .params = d->downlink.params.complete ? &d->downlink.params : NULL };
}

static int publish_record(void *ctx, const uint8_t *payload, size_t n, uint32_t token)
{
    struct dtu *d = ctx;

    if (mqtt_pending(&d->mqtt) + INFLIGHT_KEPT >= MQTT_INFLIGHT)
        return BMS_ERR_NOSPACE; /* room for results and state */
    return mqtt_publish(&d->mqtt, d->topic_record, payload, n, 1, false, token);
}

static void on_up(void *ctx, bool session_present)
{
    struct dtu *d = ctx;

    (void)session_present;
    uplink_connected(&d->uplink, d->now_ms);
    state_connected(&d->state);
}

static void on_acked(void *ctx, uint32_t token, uint8_t reason)
{
    struct dtu *d = ctx;

    if (token < UPLINK_WINDOW)
        uplink_published(&d->uplink, token, reason < REASON_FAILED);
    else if (token >= TOKEN_RESULT && token < TOKEN_RESULT + DOWNLINK_RESULTS)
        downlink_published(&d->downlink, token - TOKEN_RESULT);
    else if (token == TOKEN_STATE)
        d->state_borrowed = false;
}

static bool ends_with(const char *topic, size_t n, const char *tail)
{
    size_t k = strlen(tail);

    return n >= k && memcmp(topic + n - k, tail, k) == 0;
}

static bool on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    struct dtu *d = ctx;

    if (ends_with(topic, topic_n, TOPIC_ACK))
        uplink_ack(&d->uplink, payload, n, d->now_ms);
    else if (ends_with(topic, topic_n, TOPIC_COMMAND))
        downlink_command(&d->downlink, payload, n, d->now_ms, d->utc_ms);
    return true; /* what is wrong is counted where it is read; asking the broker again would not mend it */
}

static size_t add_text(char *out, size_t at, const char *text)
{
    while (*text)
        out[at++] = *text++;
    out[at] = '\0';
    return at;
}

/* out[TOPIC_MAX]; device is a name, so it fits. */
static void make_topic(char *out, const char *device, const char *tail)
{
    add_text(out, add_text(out, add_text(out, 0, TOPIC_ROOT), device), tail);
}

static int init_mqtt(struct dtu *d)
{
    struct state_facts facts = facts_of(d);

    make_topic(d->topic_record, d->config.device, TOPIC_RECORD);
    make_topic(d->topic_result, d->config.device, TOPIC_RESULT);
    make_topic(d->topic_state, d->config.device, TOPIC_STATE);
    make_topic(d->topic_down, d->config.device, TOPIC_DOWN_ALL);
    d->filters[0] = d->topic_down;
    d->will_n = state_pack(&facts, false, 0, d->will);
    d->mqtt_config = (struct mqtt_config) { .client_id = d->config.device,
                                            .filters = d->filters,
                                            .filter_n = 1,
                                            .keep_alive_s = DTU_KEEP_ALIVE_S,
                                            .answer_ms = ANSWER_MS,
                                            .session_expiry_s = SESSION_EXPIRY_S,
                                            .will = { d->topic_state, d->will, (uint16_t)d->will_n },
                                            .handler = { d, on_up, on_acked, on_message },
                                            .rx = d->rx,
                                            .rx_n = sizeof(d->rx) };
    return mqtt_init(&d->mqtt, &d->mqtt_config);
}

int dtu_init(struct dtu *d, const struct dtu_config *config, uint32_t now_ms)
{
    const struct journal_note *note = &config->journal->note;
    struct uplink_port port = { d, publish_record };

    memset(d, 0, sizeof(*d));
    d->self_check = scalar_invalid(VALIDITY_NEVER);
    d->config = *config;
    d->now_ms = now_ms;
    d->clock_ms = now_ms - DTU_CLOCK_MS;
    d->synced_ms = now_ms - DTU_SYNC_MS;
    if (!dtu_is_name(config->device))
        return BMS_ERR_RANGE;
    assembler_init(&d->assembler, note->boot, note->no, note->board_dropped, now_ms);
    uds_client_init(&d->uds);
    downlink_init(&d->downlink, config->device);
    downlink_refresh(&d->downlink, now_ms);
    int err = recorder_init(&d->recorder, config->journal, config->device, config->batch);

    if (!err)
        err = uplink_init(&d->uplink, config->journal, &port, d->buffer, DTU_BUFFERS);
    return err ? err : init_mqtt(d);
}

/* Who asked gets the answer. */
static void hand_over(struct dtu *d, enum uds_outcome outcome)
{
    enum dtu_asker asker = d->asker;
    const uint8_t *a = d->uds.answer;

    d->asker = DTU_NOBODY;
    if (asker == DTU_DOWNLINK)
        downlink_outcome(&d->downlink, outcome, a, d->uds.answer_n, d->uds.nrc, d->now_ms);
    else if (outcome == UDS_OK && d->uds.answer_n == RESEND_ANSWER)
        assembler_answer(&d->assembler, get_be32(a + 4), d->now_ms);
    else if (outcome == UDS_REFUSED && d->uds.nrc == UDS_NRC_RANGE)
        assembler_refused(&d->assembler, d->now_ms);
    else
        assembler_no_answer(&d->assembler, d->now_ms);
}

static void poll_uds(struct dtu *d)
{
    enum uds_outcome outcome = uds_client_step(&d->uds, d->now_ms);

    if (outcome == UDS_OK || outcome == UDS_REFUSED || outcome == UDS_SILENT)
        hand_over(d, outcome);
}

static void take_sample(struct dtu *d, const struct sample *s)
{
    d->self_check = s->scalar[SAMPLE_self_check];
    if (recorder_add(&d->recorder, s, d->assembler.dropped, d->now_ms) == BMS_ERR_OK)
        assembler_taken(&d->assembler, s, d->now_ms);
}

static void take_frames(struct dtu *d, const struct dtu_in *in)
{
    struct sample s;

    for (size_t i = 0; i < in->n; i++) {
        if (uds_client_feed(&d->uds, &in->frames[i], in->now_ms))
            poll_uds(d);
        else if (assembler_feed(&d->assembler, &in->frames[i], in->now_ms, &s) > 0)
            take_sample(d, &s);
    }
    if (d->assembler.boot != d->boot) { /* another start of the board: its parameters may be others */
        d->boot = d->downlink.boot = d->assembler.boot;
        downlink_refresh(&d->downlink, in->now_ms);
    }
}

static bool ask_for_samples(struct dtu *d)
{
    uint8_t request[RESEND_REQUEST] = { UDS_ROUTINE, START_ROUTINE };
    uint32_t from;

    if (!assembler_wants(&d->assembler, d->now_ms, &from))
        return false;
    put_be16(request + 2, UDS_ROUTINE_RESEND);
    put_be32(request + 4, from);
    d->asker = DTU_ASSEMBLER;
    if (uds_ask(&d->uds, request, sizeof(request), d->now_ms) != BMS_ERR_OK)
        hand_over(d, UDS_SILENT);
    return true;
}

static bool ask_for_command(struct dtu *d)
{
    uint8_t request[UDS_REQUEST_MAX];

    if (d->assembler.want && downlink_only_reads(&d->downlink))
        return false; /* our own reading stands back until no sample is missing */
    size_t n = downlink_request(&d->downlink, request, d->now_ms, d->utc_ms);

    if (n == 0 || uds_ask(&d->uds, request, n, d->now_ms) != BMS_ERR_OK)
        return false;
    d->asker = DTU_DOWNLINK;
    return true;
}

/* They take turns, so that a bad bus does not keep commands waiting for ever. */
static void ask_board(struct dtu *d)
{
    if (!d->can_up || d->uds.busy)
        return;
    if (d->command_first) {
        d->command_first = false;
        if (!ask_for_command(d))
            d->command_first = ask_for_samples(d);
    } else {
        d->command_first = ask_for_samples(d);
        if (!d->command_first)
            ask_for_command(d);
    }
}

/* One sync for all that came within DTU_SYNC_MS: records are published only when they survive a power cut. */
static void sync_journal(struct dtu *d)
{
    struct journal *j = d->config.journal;

    if (j->safe_seq == j->next_seq || d->now_ms - d->synced_ms < DTU_SYNC_MS)
        return;
    d->synced_ms = d->now_ms;
    journal_sync(j);
}

static void publish_results(struct dtu *d)
{
    const uint8_t *bytes;
    size_t n;
    int token;

    while (mqtt_pending(&d->mqtt) + 1 < MQTT_INFLIGHT && (token = downlink_result(&d->downlink, &bytes, &n)) >= 0)
        if (mqtt_publish(&d->mqtt, d->topic_result, bytes, n, 1, false, TOKEN_RESULT + (uint32_t)token) != BMS_ERR_OK)
            downlink_published(&d->downlink, (uint32_t)token); /* the server will ask again */
}

/* What the server asks for again, from command to Result. */
static void serve_refill(struct dtu *d)
{
    struct downlink_refill *r = &d->downlink.refill;

    if (r->id == 0)
        return;
    if (r->epoch != d->config.journal->epoch) {
        downlink_refilled(&d->downlink, DOWNLINK_REFILL_OTHER, 0);
    } else if (!r->started) {
        uplink_refill(&d->uplink, r->first, r->last);
        r->started = true;
    } else if (uplink_refill_is_done(&d->uplink)) {
        downlink_refilled(&d->downlink, DOWNLINK_REFILL_SERVED, d->uplink.refill.served);
    } else if (d->now_ms - r->from_ms >= DOWNLINK_REFILL_MS) {
        uplink_refill_stop(&d->uplink);
        downlink_refilled(&d->downlink, DOWNLINK_REFILL_LATE, d->uplink.refill.served);
    }
}

static void publish_state(struct dtu *d)
{
    struct state_facts facts = facts_of(d);

    if (d->state_borrowed || mqtt_pending(&d->mqtt) == MQTT_INFLIGHT || !state_is_due(&d->state, &facts, d->now_ms))
        return;
    size_t n = state_pack(&facts, true, d->utc_ms, d->state_bytes);

    d->state_borrowed = mqtt_publish(&d->mqtt, d->topic_state, d->state_bytes, n, 1, true, TOKEN_STATE) == BMS_ERR_OK;
}

static void send_frames(struct dtu *d, struct dtu_out *out)
{
    if (!d->can_up)
        return;
    if (d->now_ms - d->clock_ms >= DTU_CLOCK_MS && out->n < DTU_OUT_MAX) {
        struct can_frame *f = &out->frames[out->n++];

        *f = can0_begin(CAN0_DTU_Clock, CAN0_ADDR_DTU);
        can0_put_raw(f, 16, 48, d->utc_ms);
        can0_finish(f, d->clock_counter++);
        d->clock_ms = d->now_ms;
    }
    while (out->n < DTU_OUT_MAX && uds_client_output(&d->uds, d->now_ms, &out->frames[out->n]) > 0)
        out->n++;
}

void dtu_step(struct dtu *d, const struct dtu_in *in, struct dtu_out *out)
{
    d->now_ms = in->now_ms;
    d->utc_ms = in->utc_ms;
    if (in->can_up && !d->can_up)
        assembler_restart(&d->assembler, in->now_ms);
    if (!in->can_up && d->can_up)
        recorder_flush(&d->recorder); /* nothing will follow for a while */
    d->can_up = in->can_up;
    take_frames(d, in);
    poll_uds(d);
    ask_board(d);
    recorder_step(&d->recorder, downlink_is_watched(&d->downlink, in->now_ms), in->now_ms);
    sync_journal(d);
    if (d->mqtt.state == MQTT_UP) {
        publish_state(d);
        publish_results(d);
        serve_refill(d);
        uplink_step(&d->uplink, in->now_ms);
    }
    send_frames(d, out);
}

bool dtu_is_busy(const struct dtu *d)
{
    return d->uds.busy;
}

int dtu_flush(struct dtu *d)
{
    int err = recorder_flush(&d->recorder);
    int synced = journal_sync(d->config.journal);

    return err ? err : synced;
}
