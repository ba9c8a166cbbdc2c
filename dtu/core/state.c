/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/state.h"

#include "common/crc.h"
#include "proto/telemetry.pb-c.h"
#include "proto/validity.h"

enum { SCHEMA = 1, MODULES_MAX = 1 + BMU_COUNT_MAX };

void state_connected(struct state *s)
{
    s->published = false;
}

static uint32_t hash_facts(const struct state_facts *f)
{
    const uint64_t v[] = { f->epoch,
                           f->boot,
                           f->journal_dropped,
                           f->board_dropped,
                           f->params ? param_hash(f->params->running) : 0,
                           f->params != NULL,
                           (uint32_t)f->self_check };

    return crc32c(0, (const uint8_t *)v, sizeof(v));
}

static uint32_t hash_counts(const struct state_facts *f)
{
    const uint64_t v[] = { f->next_seq, f->journal_records, f->frames_rejected, f->records_corrupt };

    return crc32c(0, (const uint8_t *)v, sizeof(v));
}

bool state_is_due(struct state *s, const struct state_facts *f, uint32_t now_ms)
{
    uint32_t facts = hash_facts(f), counts = hash_counts(f), age_ms = now_ms - s->at_ms;

    if (s->published && !(facts != s->facts_hash && age_ms >= STATE_FACTS_MS) && !(counts != s->counts_hash && age_ms >= STATE_COUNTS_MS))
        return false;
    s->facts_hash = facts;
    s->counts_hash = counts;
    s->at_ms = now_ms;
    s->published = true;
    return true;
}

struct modules {
    struct board_module module[MODULES_MAX];
    Cw__Module message[MODULES_MAX];
    Cw__Module *list[MODULES_MAX];
};

static void add_board(Cw__State *m, const struct board_params *params, struct modules *x)
{
    const char *chemistry = chemistry_word(params->running[PARAM_chemistry]);
    size_t n = board_params_modules(params, x->module);

    for (size_t i = 0; i < n; i++) {
        cw__module__init(&x->message[i]);
        x->message[i].name = x->module[i].name;
        x->message[i].cells = x->module[i].cells;
        x->message[i].temps = x->module[i].temps;
        x->list[i] = &x->message[i];
    }
    m->n_modules = n;
    m->modules = x->list;
    m->chemistry = (char *)(uintptr_t)(chemistry ? chemistry : "");
}

size_t state_pack(const struct state_facts *f, bool online, uint64_t utc_ms, uint8_t *out)
{
    Cw__State m = CW__STATE__INIT;
    struct modules x;

    m.schema = SCHEMA;
    m.device = (char *)(uintptr_t)f->device;
    m.online = online;
    m.utc_ms = utc_ms;
    m.version = (char *)(uintptr_t)f->version;
    m.epoch = f->epoch;
    m.next_seq = f->next_seq;
    m.journal_records = f->journal_records;
    m.journal_dropped = f->journal_dropped;
    m.board_dropped = f->board_dropped;
    m.frames_rejected = f->frames_rejected;
    m.records_corrupt = f->records_corrupt;
    m.boot = f->boot;
    m.has_self_check = scalar_validity(f->self_check) == VALIDITY_OK;
    m.self_check = m.has_self_check ? (uint32_t)f->self_check : 0;
    if (f->params)
        add_board(&m, f->params, &x);
    if (cw__state__get_packed_size(&m) > STATE_MAX)
        m.n_modules = 0;
    return cw__state__pack(&m, out);
}
