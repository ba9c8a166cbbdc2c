/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/afe.h"

#include "common/err.h"
#include "common/span.h"
#include "proto/afe.h"

enum { PROBES_MAX = 3, FAILED_SCANS_MAX = 3 };

static uint32_t add_age(uint32_t age, uint32_t dt_ms)
{
    return span_to(age, dt_ms, AFE_AGE_MAX);
}

static uint16_t everyone(const struct afe *afe)
{
    return (uint16_t)((1u << afe->topology->devices) - 1);
}

void afe_init(struct afe *afe, const struct topology *topology)
{
    *afe = (struct afe) { .topology = topology, .state = AFE_ADDRESS };
}

void afe_restart(struct afe *afe)
{
    afe->state = AFE_ADDRESS;
    afe->alive = 0;
    afe->fresh = 0;
    afe->waiting = false;
    for (unsigned k = 0; k < AFE_DEVICES_MAX; k++)
        afe->chip[k] = (struct afe_chip) { 0 };
}

/* --- what goes out --- */

static void write_register(struct writer *tx, int device, uint8_t reg, uint32_t value, size_t size)
{
    uint8_t be[4];

    put_be32(be, value);
    afe_command(tx, device == AFE_EVERYONE ? AFE_BROADCAST : AFE_SINGLE, device, reg, be + 4 - size, size);
}

static void set_up(struct afe *afe, int device, struct writer *tx)
{
    const struct topology_chip *chip = &afe->topology->chip[device];
    uint32_t channels = ((1u << chip->cells) - 1) << 16 | (uint32_t)chip->probes << 8 | AFE_CHANNEL_DIE;

    write_register(tx, device, AFE_REG_STATUS, AFE_STATUS_RESET, 1);
    write_register(tx, device, AFE_REG_NCHAN, chip->cells < 6 ? 6u : chip->cells, 1);
    write_register(tx, device, AFE_REG_CHANNELS, channels, 4);
    write_register(tx, device, AFE_REG_CBENBL, 0, 2);
    afe->balance_sent[device] = 0;
}

static void open_question(struct afe *afe)
{
    afe->waiting = true;
    afe->lost = false;
    afe->dirty = false;
    afe->waited_ms = 0;
    afe->good = 0;
    afe_parser_reset(&afe->parser);
}

static void probe(struct afe *afe, struct writer *tx)
{
    static const uint8_t one_byte[] = { 0 }; /* bytes wanted - 1 */

    afe->state = AFE_PROBE;
    open_question(afe);
    afe->alive = 0;
    for (int k = 0; k < afe->topology->devices; k++)
        afe_command(tx, AFE_SINGLE_RESPOND, k, AFE_REG_ADDR, one_byte, sizeof(one_byte));
}

/* Who had answered before and did not now. */
static void note_lost(struct afe *afe)
{
    for (unsigned k = 0; k < afe->topology->devices; k++)
        if (afe->chip[k].seen && !((unsigned)afe->alive >> k & 1u))
            afe->lost_address = (uint16_t)(afe->lost_address | 1u << k);
}

/* Who is back with a new address at once had lost the old one: that is a reset, not a broken link that was mended. */
static void note_resets(struct afe *afe)
{
    unsigned back = afe->lost_address & (unsigned)afe->alive;

    for (unsigned k = 0; k < afe->topology->devices; k++)
        if (back >> k & 1u && afe->chip[k].age_ms < AFE_READDRESS_MS) {
            afe->chip[k].resets++;
            afe->chip[k].reset_age_ms = 0;
        }
    afe->lost_address = 0;
}

static void address(struct afe *afe, struct writer *tx)
{
    note_lost(afe);
    afe->addressed_ms = 0;
    afe->counts.addressed++;
    afe->failed = 0;
    write_register(tx, AFE_EVERYONE, AFE_REG_DEV_CTRL, AFE_DEV_CTRL_AUTO_ADDRESS, 1);
    for (uint32_t k = 0; k < afe->topology->devices; k++)
        write_register(tx, AFE_EVERYONE, AFE_REG_ADDR, k, 1);
    for (int k = 0; k < afe->topology->devices; k++)
        set_up(afe, k, tx);
    probe(afe, tx);
}

/* The next lower chip below `k` that is alive, or -1. */
static int8_t alive_below(const struct afe *afe, int k)
{
    for (k--; k >= 0; k--)
        if ((unsigned)afe->alive >> k & 1u)
            return (int8_t)k;
    return -1;
}

static void scan(struct afe *afe, struct writer *tx)
{
    int8_t highest = alive_below(afe, AFE_DEVICES_MAX);

    afe->scanned_ms = 0;
    if (highest < 0)
        return;
    uint8_t cmd = (uint8_t)(AFE_CMD_SAMPLE_REPORT | highest);

    open_question(afe);
    afe->next = highest;
    afe_command(tx, AFE_BROADCAST_RESPOND, AFE_EVERYONE, AFE_REG_CMD, &cmd, 1);
}

static void send_balance(struct afe *afe, struct writer *tx)
{
    bool refresh = afe->balanced_ms >= AFE_BALANCE_REFRESH_MS;

    if (refresh)
        afe->balanced_ms = 0;
    for (int k = 0; k < afe->topology->devices; k++) {
        if (afe->balance[k] == afe->balance_sent[k] && !(refresh && afe->balance[k]))
            continue;
        write_register(tx, k, AFE_REG_CBTIME, AFE_BALANCE_S, 1);
        write_register(tx, k, AFE_REG_CBENBL, afe->balance[k], 2);
        afe->balance_sent[k] = afe->balance[k];
    }
}

/* --- what comes in --- */

static size_t channels_of(const struct topology_chip *chip)
{
    return (size_t)chip->cells + chip->probe_count + 1;
}

static void lose_framing(struct afe *afe)
{
    afe->counts.unexpected++;
    afe->lost = true;
    afe->dirty = true;
}

/* Values come highest cell first, then highest AUX first, then the die; kept lowest first. */
static void stage(struct afe *afe, int k, const uint8_t *data)
{
    const struct topology_chip *chip = &afe->topology->chip[k];
    unsigned n = chip->cells;

    for (unsigned i = 0; i < n; i++, data += 2)
        afe->staged[k][n - 1 - i] = get_be16(data);
    for (unsigned i = 0; i < chip->probe_count; i++, data += 2)
        afe->staged[k][n + chip->probe_count - 1 - i] = get_be16(data);
    afe->staged[k][n + chip->probe_count] = get_be16(data);
    afe->good = (uint16_t)(afe->good | 1u << k);
}

static void commit(struct afe *afe)
{
    for (unsigned k = 0; k < afe->topology->devices; k++) {
        if (!((unsigned)afe->good >> k & 1u))
            continue;
        memcpy(afe->chip[k].raw, afe->staged[k], sizeof(afe->chip[k].raw));
        afe->chip[k].age_ms = 0;
        afe->chip[k].seen = true;
    }
    afe->fresh = afe->good;
    afe->waiting = false;
    afe->failed = 0;
}

/* The length that the next answer must have, in bytes; 0 when none is expected. */
static size_t wanted_size(const struct afe *afe)
{
    if (afe->state == AFE_PROBE)
        return 1;
    return afe->next < 0 ? 0 : 2 * channels_of(&afe->topology->chip[afe->next]);
}

static void take_answer(struct afe *afe, int status, const struct afe_response *r)
{
    if (status == BMS_ERR_CORRUPT) {
        afe->counts.bad_crc++;
        afe->dirty = true;
    }
    if (afe->state == AFE_PROBE) {
        if (status == 1 && r->data[0] < afe->topology->devices)
            afe->alive = (uint16_t)(afe->alive | 1u << r->data[0]);
        return;
    }
    if (status == 1) {
        stage(afe, afe->next, r->data);
    } else {
        afe->chip[afe->next].bad_crc++;
        afe->chip[afe->next].crc_age_ms = 0;
    }
    afe->next = alive_below(afe, afe->next);
}

/* Every loop takes at least one byte, or ends; what is left then is dropped. */
static void receive(struct afe *afe, struct reader *rx)
{
    while (reader_left(rx)) {
        if (!afe->waiting || afe->lost) {
            afe->counts.unexpected += !afe->waiting;
            return;
        }
        size_t wanted = wanted_size(afe);

        if (afe->parser.have == 0 && *rx->p + (size_t)1 != wanted) {
            lose_framing(afe);
            return;
        }
        struct afe_response r = { 0 };
        int status = afe_parse(&afe->parser, rx, &r);

        if (status == 0)
            return;
        take_answer(afe, status, &r);
    }
}

/* --- the machine --- */

static void on_probe(struct afe *afe, struct writer *tx)
{
    bool all = afe->alive == everyone(afe);

    if (!all && afe->waited_ms < AFE_ANSWER_MS)
        return;
    afe->waiting = false;
    if (!all && afe->dirty && afe->probes < PROBES_MAX) {
        afe->probes++;
        probe(afe, tx);
        return;
    }
    afe->probes = 0;
    note_resets(afe);
    if (!all && afe->addressed_ms >= AFE_READDRESS_MS) {
        address(afe, tx);
        return;
    }
    if (afe->failed % 2) /* the scan of those that had answered did not fit: perhaps one answers, and never with a right CRC */
        afe->alive = everyone(afe);
    afe->state = AFE_RUN;
    scan(afe, tx);
}

static void on_failed_scan(struct afe *afe, struct writer *tx)
{
    afe->counts.missing++;
    afe->failed++; /* the chain is addressed long before it wraps */
    if (afe->failed >= FAILED_SCANS_MAX && afe->addressed_ms >= AFE_READDRESS_MS)
        address(afe, tx); /* all say they are there, and still it does not fit: set them up afresh */
    else
        probe(afe, tx);
}

static bool must_probe_for_fault(struct afe *afe, const struct afe_in *in)
{
    if (!in->fault) {
        afe->faulted_ms = AFE_AGE_MAX;
        return false;
    }
    if (afe->faulted_ms < AFE_FAULT_PROBE_MS)
        return false;
    afe->faulted_ms = 0;
    return true;
}

static void on_run(struct afe *afe, const struct afe_in *in, struct writer *tx)
{
    if (afe->waiting && afe->next < 0 && !afe->lost)
        commit(afe);
    if (afe->waiting) {
        if (afe->waited_ms >= AFE_ANSWER_MS)
            on_failed_scan(afe, tx);
        return;
    }
    if (afe->alive != everyone(afe) && afe->addressed_ms >= AFE_READDRESS_MS) {
        address(afe, tx);
        return;
    }
    if (must_probe_for_fault(afe, in)) {
        probe(afe, tx);
        return;
    }
    send_balance(afe, tx);
    if (afe->scanned_ms >= in->scan_ms)
        scan(afe, tx);
}

static void grow_old(struct afe *afe, uint32_t dt_ms)
{
    for (unsigned k = 0; k < afe->topology->devices; k++) {
        struct afe_chip *chip = &afe->chip[k];

        chip->age_ms = add_age(chip->age_ms, dt_ms);
        chip->crc_age_ms = add_age(chip->crc_age_ms, dt_ms);
        chip->reset_age_ms = add_age(chip->reset_age_ms, dt_ms);
    }
    afe->waited_ms = add_age(afe->waited_ms, dt_ms);
    afe->scanned_ms = add_age(afe->scanned_ms, dt_ms);
    afe->addressed_ms = add_age(afe->addressed_ms, dt_ms);
    afe->balanced_ms = add_age(afe->balanced_ms, dt_ms);
    afe->faulted_ms = add_age(afe->faulted_ms, dt_ms);
}

void afe_step(struct afe *afe, const struct afe_in *in, struct writer *tx)
{
    struct reader rx = in->rx;

    afe->fresh = 0;
    if (afe->topology->devices == 0)
        return;
    grow_old(afe, in->dt_ms);
    receive(afe, &rx);
    switch (afe->state) {
    case AFE_ADDRESS:
        address(afe, tx);
        break;
    case AFE_PROBE:
        on_probe(afe, tx);
        break;
    default: /* AFE_RUN */
        on_run(afe, in, tx);
        break;
    }
}

void afe_balance(struct afe *afe, const uint16_t *mask)
{
    memcpy(afe->balance, mask, sizeof(afe->balance));
}

unsigned afe_broken_at(const struct afe *afe)
{
    unsigned n = afe->topology->devices;

    while (n > 0 && !((unsigned)afe->alive >> (n - 1) & 1u))
        n--;
    return n == afe->topology->devices ? 0 : n + 1;
}

uint32_t afe_errors(const struct afe *afe)
{
    return afe->counts.bad_crc + afe->counts.missing + afe->counts.unexpected;
}
