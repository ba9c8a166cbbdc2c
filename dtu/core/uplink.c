/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/uplink.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"

enum { NO_BUFFER = UPLINK_BUFFERS_MAX };

int uplink_init(struct uplink *u, struct journal *journal, const struct uplink_port *port, uint8_t (*buffer)[RECORD_MAX], size_t buffers)
{
    *u = (struct uplink) { .journal = journal, .port = *port, .buffer = buffer, .buffers = buffers };
    if (buffers == 0 || buffers > UPLINK_BUFFERS_MAX)
        return BMS_ERR_RANGE;
    uplink_connected(u, 0);
    return BMS_ERR_OK;
}

void uplink_connected(struct uplink *u, uint32_t now_ms)
{
    for (unsigned i = 0; i < UPLINK_WINDOW; i++)
        if (u->slot[i].state == UPLINK_BROKER)
            u->slot[i].wait_ms = 0;
    u->heard_ms = now_ms;
    u->back = 0;
    u->live = u->journal->next_seq > 1 ? u->journal->next_seq - 1 : 1;
}

static unsigned free_buffer(const struct uplink *u)
{
    for (unsigned i = 0; i < u->buffers; i++)
        if (!(u->used >> i & 1u))
            return i;
    return NO_BUFFER;
}

static struct uplink_slot *free_slot(struct uplink *u)
{
    for (unsigned i = 0; i < UPLINK_WINDOW; i++)
        if (u->slot[i].state == UPLINK_FREE)
            return &u->slot[i];
    return NULL;
}

static bool is_in_window(const struct uplink *u, uint64_t seq)
{
    for (unsigned i = 0; i < UPLINK_WINDOW; i++)
        if (u->slot[i].state != UPLINK_FREE && u->slot[i].seq == seq)
            return true;
    return false;
}

/* The lowest record >= from that waits, is safe and is not in the window; 0 when there is none. */
static uint64_t candidate(struct uplink *u, uint64_t from)
{
    uint64_t seq = 0;

    while (journal_next(u->journal, from, &seq) == 1 && seq < u->journal->safe_seq) {
        if (!is_in_window(u, seq))
            return seq;
        from = seq + 1;
    }
    return 0;
}

/* When the live records have run far ahead of the window, begin at the newest again; the back-fill takes the others. */
static uint64_t live_candidate(struct uplink *u)
{
    if (u->live + UPLINK_WINDOW < u->journal->safe_seq)
        u->live = u->journal->safe_seq - 1;
    return candidate(u, u->live);
}

/* Whose turn it is, or the other one when it has nothing. */
static uint64_t choose(struct uplink *u)
{
    uint64_t seq = 0;

    for (unsigned i = 0; i < 2 && seq == 0; i++, u->turn = !u->turn) {
        seq = u->turn ? live_candidate(u) : candidate(u, u->back);
        if (seq && u->turn)
            u->live = seq + 1;
        else if (seq)
            u->back = seq + 1;
    }
    return seq;
}

static unsigned refills_in_window(const struct uplink *u)
{
    unsigned n = 0;

    for (unsigned i = 0; i < UPLINK_WINDOW; i++)
        n += u->slot[i].state != UPLINK_FREE && u->slot[i].refill;
    return n;
}

/* The next record that is asked for again, 0 when there is none or enough of them are under way. */
static uint64_t refill_candidate(struct uplink *u)
{
    struct uplink_refill *r = &u->refill;
    uint64_t seq = 0;

    while (r->running && r->next <= r->last && refills_in_window(u) < UPLINK_REFILL_WINDOW) {
        if (journal_next_any(u->journal, r->next, &seq) != 1 || seq > r->last || seq >= u->journal->safe_seq) {
            r->next = r->last + 1;
            return 0;
        }
        r->next = seq + 1;
        if (!is_in_window(u, seq))
            return seq;
    }
    return 0;
}

/* Read and hand over. 0, BMS_ERR_NOSPACE when the client is full, BMS_ERR_UNKNOWN when the record is gone. */
static int publish(struct uplink *u, struct uplink_slot *s, uint32_t now_ms)
{
    unsigned b = free_buffer(u);

    if (b == NO_BUFFER)
        return BMS_ERR_NOSPACE;
    int n = s->refill ? journal_read_any(u->journal, s->seq, u->buffer[b], sizeof(u->buffer[b]))
                      : journal_read(u->journal, s->seq, u->buffer[b], sizeof(u->buffer[b]));

    if (n < 0)
        return n == BMS_ERR_IO ? BMS_ERR_NOSPACE : BMS_ERR_UNKNOWN;
    if (u->port.publish(u->port.ctx, u->buffer[b], (size_t)n, (uint32_t)(s - u->slot)) != BMS_ERR_OK)
        return BMS_ERR_NOSPACE;
    u->used |= 1u << b;
    s->buffer = (uint8_t)b;
    s->state = UPLINK_WIRE;
    s->at_ms = now_ms;
    s->acked = false;
    u->counts.published++;
    return BMS_ERR_OK;
}

static uint32_t longer(uint32_t wait_ms)
{
    uint32_t twice = wait_ms * 2;

    return wait_ms == 0 ? UPLINK_ACK_MS : twice < UPLINK_ACK_MAX_MS ? twice : UPLINK_ACK_MAX_MS;
}

/* When the slot must go out again. While the server says nothing at all, only one each UPLINK_PROBE_MS. */
static bool is_due(struct uplink *u, const struct uplink_slot *s, uint32_t now_ms)
{
    if (s->state != UPLINK_BROKER)
        return false;
    if (s->wait_ms == 0)
        return true;
    bool silent = now_ms - u->heard_ms >= UPLINK_ACK_MS;

    return now_ms - s->at_ms >= (silent ? UPLINK_ACK_MS : s->wait_ms) && (!silent || now_ms - u->probe_ms >= UPLINK_PROBE_MS);
}

/* Published, but not acknowledged in time. Returns false when the client is full. */
static bool publish_again(struct uplink *u, uint32_t now_ms)
{
    for (unsigned i = 0; i < UPLINK_WINDOW; i++) {
        struct uplink_slot *s = &u->slot[i];

        if (!is_due(u, s, now_ms))
            continue;
        int err = publish(u, s, now_ms);

        if (err == BMS_ERR_NOSPACE)
            return false;
        if (err) {
            s->state = UPLINK_FREE; /* gone from the journal: acknowledged, dropped or rotten */
            continue;
        }
        s->wait_ms = longer(s->wait_ms);
        u->probe_ms = now_ms;
        u->counts.again++;
    }
    return true;
}

void uplink_step(struct uplink *u, uint32_t now_ms)
{
    if (!publish_again(u, now_ms))
        return;
    for (;;) {
        struct uplink_slot *s = free_slot(u);
        uint64_t back = u->back, live = u->live, next = u->refill.next;

        if (s == NULL || free_buffer(u) == NO_BUFFER)
            return;
        s->seq = choose(u);
        s->refill = s->seq == 0;
        if (s->refill)
            s->seq = refill_candidate(u);
        if (s->seq == 0)
            return;
        s->wait_ms = UPLINK_ACK_MS;
        int err = publish(u, s, now_ms);

        if (err == BMS_ERR_NOSPACE) { /* later */
            u->back = back;
            u->live = live;
            u->refill.next = next;
            return;
        }
        u->refill.served += err == BMS_ERR_OK && s->refill;
    }
}

void uplink_published(struct uplink *u, uint32_t token, bool taken)
{
    if (token >= UPLINK_WINDOW || u->slot[token].state != UPLINK_WIRE)
        return;
    struct uplink_slot *s = &u->slot[token];

    u->used &= ~(1u << s->buffer);
    u->counts.refused += taken ? 0 : 1;
    s->state = s->acked ? UPLINK_FREE : UPLINK_BROKER;
}

struct ack_in { /* cw.Ack as it is read */
    uint64_t epoch, schema;
    uint64_t first[UPLINK_RANGES_MAX], last[UPLINK_RANGES_MAX];
    size_t firsts, lasts;
};

static bool add_bound(uint64_t *list, size_t *n, uint64_t v)
{
    if (*n == UPLINK_RANGES_MAX)
        return false;
    list[(*n)++] = v;
    return true;
}

static bool take_bound(struct ack_in *a, uint64_t field, uint64_t v)
{
    if (field == 3)
        return add_bound(a->first, &a->firsts, v);
    return field != 4 || add_bound(a->last, &a->lasts, v);
}

static bool take_packed(struct ack_in *a, uint64_t field, const uint8_t *data, size_t n)
{
    struct reader in = reader_of(data, n);
    bool ok = true;

    while (ok && !in.bad && reader_left(&in) > 0)
        ok = take_bound(a, field, read_varint(&in));
    return ok && !in.bad;
}

/* One field of cw.Ack; both packed and unpacked repeated fields, unknown ones skipped. */
static bool take_field(struct ack_in *a, struct reader *in)
{
    uint64_t tag = read_varint(in), field = tag >> 3, v;
    const uint8_t *data;

    switch (tag & 7u) {
    case 0:
        v = read_varint(in);
        if (field == 1)
            a->schema = v;
        return !in->bad && take_bound(a, field, v);
    case 1:
        v = read_le64(in);
        if (field == 2)
            a->epoch = v;
        return !in->bad;
    case 2:
        v = read_varint(in);
        data = v <= reader_left(in) ? read_bytes(in, (size_t)v) : NULL;
        return data && ((field != 3 && field != 4) || take_packed(a, field, data, (size_t)v));
    case 5:
        read_le32(in);
        return !in->bad;
    default:
        return false;
    }
}

static void let_go(struct uplink_slot *s)
{
    if (s->state == UPLINK_WIRE)
        s->acked = true;
    else
        s->state = UPLINK_FREE;
}

void uplink_refill(struct uplink *u, uint64_t first, uint64_t last)
{
    uplink_refill_stop(u);
    u->refill = (struct uplink_refill) { .running = true, .next = first, .last = last };
}

bool uplink_refill_is_done(const struct uplink *u)
{
    return !u->refill.running || (u->refill.next > u->refill.last && refills_in_window(u) == 0);
}

void uplink_refill_stop(struct uplink *u)
{
    u->refill.running = false;
    for (unsigned i = 0; i < UPLINK_WINDOW; i++)
        if (u->slot[i].state != UPLINK_FREE && u->slot[i].refill)
            let_go(&u->slot[i]);
}

/* Slots of acknowledged records are free; one that is still on the wire becomes free when the client gives its buffer back. Returns how many of them
 * the journal did not count, because they had been acknowledged before. */
static int release(struct uplink *u, uint64_t first, uint64_t last)
{
    int refills = 0;

    for (unsigned i = 0; i < UPLINK_WINDOW; i++) {
        struct uplink_slot *s = &u->slot[i];

        if (s->state == UPLINK_FREE || s->seq < first || s->seq > last)
            continue;
        refills += s->refill;
        let_go(s);
    }
    return refills;
}

/* After a silence everything that is late is due at once. */
static void hear(struct uplink *u, uint32_t now_ms)
{
    bool silent = now_ms - u->heard_ms >= UPLINK_ACK_MS;

    u->heard_ms = now_ms;
    for (unsigned i = 0; silent && i < UPLINK_WINDOW; i++)
        if (u->slot[i].state == UPLINK_BROKER && now_ms - u->slot[i].at_ms >= UPLINK_ACK_MS)
            u->slot[i].wait_ms = 0;
}

int uplink_ack(struct uplink *u, const uint8_t *payload, size_t n, uint32_t now_ms)
{
    struct ack_in a = { .epoch = 0 };
    struct reader in = reader_of(payload, n);
    int freed = 0, heard = 0;

    while (reader_left(&in) > 0)
        if (!take_field(&a, &in) || in.bad)
            break;
    if (in.bad || reader_left(&in) > 0 || a.firsts != a.lasts || a.schema != 1) {
        u->counts.bad_acks++;
        return BMS_ERR_CORRUPT;
    }
    if (a.epoch != u->journal->epoch) {
        u->counts.foreign_acks++;
        return 0;
    }
    for (size_t i = 0; i < a.firsts; i++) {
        int k = journal_ack(u->journal, a.first[i], a.last[i]);

        if (k < 0)
            return k;
        heard += k + release(u, a.first[i], a.last[i]);
        freed += k;
    }
    u->counts.acked += (uint32_t)freed;
    if (heard > 0)
        hear(u, now_ms);
    return freed;
}
