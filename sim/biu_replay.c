/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/biu_replay.h"

#include <stdlib.h>

#include "common/err.h"

struct play {
    struct biu biu;
    struct biu_out out;
    struct sample *ring;
    bool running;
    uint32_t last_ms;
    bool was_active[ALARMS];
    const struct biu_replay_watch *watch;
    struct biu_replay_result *result;
};

static void pass_time(struct play *p, uint32_t now_ms)
{
    if (p->running)
        p->result->t_ms += now_ms - p->last_ms;
    p->last_ms = now_ms;
}

static int start(struct play *p, const struct biu_log_reader *log)
{
    struct biu_config cfg = log->config;
    bool first = p->result->starts++ == 0;

    if (cfg.ring_size < 2)
        return BMS_ERR_CORRUPT;
    free(p->ring);
    p->ring = calloc(cfg.ring_size, sizeof(*p->ring));
    if (!p->ring)
        return BMS_ERR_NOSPACE;
    cfg.ring = p->ring;
    if (!first)
        pass_time(p, log->now_ms);
    (void)biu_init(&p->biu, &cfg, log->now_ms); /* a pack that cannot be was recorded as such */
    for (int i = 0; i < ALARMS; i++)
        p->was_active[i] = false;
    p->running = true;
    p->last_ms = log->now_ms;
    return BMS_ERR_OK;
}

static void tell_alarms(struct play *p, const struct biu_in *in)
{
    for (int i = 0; i < ALARMS; i++) {
        const struct alarm_state *s = &p->biu.alarms.row[i];

        if (s->active == p->was_active[i])
            continue;
        p->was_active[i] = s->active;
        p->result->alarms += s->active;
        if (p->watch)
            p->watch->alarm(p->watch->ctx, &(struct biu_replay_alarm) { .t_ms = p->result->t_ms,
                                                                        .utc_ms = in->utc_ms ? in->utc_ms : p->biu.dtu_utc_ms,
                                                                        .came = s->active,
                                                                        .row = &alarm_rows[i],
                                                                        .what = s->raised });
    }
}

static void compare(struct play *p, const struct biu_log_reader *log)
{
    struct biu_replay_result *x = p->result;
    struct biu_log_facts facts;

    biu_log_facts_of(&p->out, &facts);
    for (int i = 0; i < BIU_LOG_OUT_ROWS; i++) {
        if (!log->has_out[i] || facts.row[i] == log->out.row[i])
            continue;
        if (x->differing++ == 0) {
            x->first_step = x->steps;
            x->first_t_ms = x->t_ms;
            x->first_row = biu_log_out_rows[i].name;
            x->recorded = log->out.row[i];
            x->replayed = facts.row[i];
        }
        return;
    }
}

static int step(struct play *p, const struct biu_log_reader *log)
{
    if (!p->running)
        return BMS_ERR_CORRUPT;
    pass_time(p, log->in.now_ms);
    p->result->steps++;
    biu_step(&p->biu, &log->in, &p->out);
    compare(p, log);
    tell_alarms(p, &log->in);
    return BMS_ERR_OK;
}

static int wake(struct play *p, const struct biu_log_reader *log)
{
    if (!p->running)
        return BMS_ERR_CORRUPT;
    p->result->wakes++;
    pass_time(p, log->now_ms);
    biu_wake(&p->biu, log->now_ms);
    return BMS_ERR_OK;
}

static int act(struct play *p, const struct biu_log_reader *log, int record)
{
    switch (record) {
    case BIU_LOG_START:
        return start(p, log);
    case BIU_LOG_WAKE:
        return wake(p, log);
    case BIU_LOG_STEP:
        return step(p, log);
    case BIU_LOG_END:
        p->result->complete = log->steps == p->result->steps;
        return p->result->complete ? BMS_ERR_OK : BMS_ERR_CORRUPT;
    default:
        return BMS_ERR_OK;
    }
}

void biu_replay(struct record_reader *from, const struct biu_replay_watch *watch, struct biu_replay_result *result)
{
    struct play *p = calloc(1, sizeof(*p));
    int record = BIU_LOG_NONE;

    *result = (struct biu_replay_result) { .error = p ? BMS_ERR_OK : BMS_ERR_NOSPACE };
    if (!p)
        return;
    p->watch = watch;
    p->result = result;
    while (!result->error && (record = record_reader_next(from)) > 0)
        result->error = act(p, &from->log, record);
    if (record < 0)
        result->error = record;
    free(p->ring);
    free(p);
}

bool biu_replay_is_equal(const struct biu_replay_result *result)
{
    return result->error == BMS_ERR_OK && result->complete && result->steps > 0 && result->differing == 0;
}
