/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/downlink_result.h"

#include "common/err.h"
#include "proto/telemetry.pb-c.h"

enum { SCHEMA = 1, VALUES_MAX = (int)PARAMS > (int)COMMAND_WRITES_MAX ? (int)PARAMS : (int)COMMAND_WRITES_MAX };

struct values {
    size_t n;
    Cw__ParamValue value[VALUES_MAX];
    Cw__ParamValue *list[VALUES_MAX];
};

static void add_value(struct values *v, const struct command_run *run, uint32_t id, uint8_t nrc)
{
    Cw__ParamValue *x = &v->value[v->n];
    int p = id <= UINT16_MAX ? param_by_id((uint16_t)id) : BMS_ERR_UNKNOWN;

    cw__param_value__init(x);
    x->id = id;
    x->nrc = nrc;
    if (p >= 0 && run->has_values) {
        x->running = run->params->running[p];
        x->stored = run->params->stored[p];
        x->has_running = x->has_stored = 1;
    }
    v->list[v->n++] = x;
}

/* The written ones; all of them after a reading, and after a store that wrote none. */
static void add_values(struct values *v, const struct command_run *run)
{
    if (run->cmd.act == COMMAND_RESTART)
        return;
    for (size_t i = 0; i < run->cmd.writes; i++)
        add_value(v, run, run->cmd.write[i].id, run->cmd.write[i].nrc);
    for (unsigned p = 0; run->cmd.writes == 0 && run->has_values && p < PARAMS; p++)
        add_value(v, run, param_rows[p].id, 0);
}

static struct downlink_result *place_for(struct downlink *d)
{
    struct downlink_result *best = NULL;

    for (unsigned i = 0; i < DOWNLINK_RESULTS; i++) {
        struct downlink_result *r = &d->result[i];

        if (!r->borrowed && (best == NULL || r->age < best->age))
            best = r;
    }
    return best;
}

void downlink_result_make(struct downlink *d, const struct downlink_answer *a)
{
    struct downlink_result *place = place_for(d);
    struct values v;
    Cw__Result m = CW__RESULT__INIT;
    Cw__Refilled refilled = CW__REFILLED__INIT;

    v.n = 0;
    if (place == NULL)
        return; /* all are on the wire; the command will come again */
    m.schema = SCHEMA;
    m.device = d->device;
    m.command = a->id;
    m.status = (Cw__Status)a->status;
    m.detail = (char *)(uintptr_t)a->detail;
    m.boot = d->boot;
    if (a->run)
        add_values(&v, a->run);
    if (a->run && a->run->has_values) {
        m.running_hash = param_hash(a->run->params->running);
        m.stored_hash = param_hash(a->run->params->stored);
    }
    if (a->refilled) {
        refilled.served = *a->refilled;
        m.refilled = &refilled;
    }
    m.n_values = v.n;
    m.values = v.list;
    if (cw__result__get_packed_size(&m) > sizeof(place->bytes))
        m.n_values = 0;
    *place = (struct downlink_result) { .id = a->id, .age = ++d->age, .due = true };
    place->n = cw__result__pack(&m, place->bytes);
    d->counts.results++;
}
