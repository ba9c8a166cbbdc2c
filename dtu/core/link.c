/* SPDX-License-Identifier: Apache-2.0 */
/* link.c -- see link.h. */
#include "dtu/core/link.h"

#include "common/err.h"

static uint32_t draw(struct link *l) /* xorshift32: spreads a fleet, keeps no secret */
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 17;
    l->random ^= l->random << 5;
    return l->random;
}

int link_init(struct link *l, const struct link_config *config, struct mqtt *mqtt, uint32_t seed)
{
    if (config->min_ms < 1 || config->min_ms > config->max_ms || config->max_ms > 3600000 || config->stream_ms < 1)
        return BMS_ERR_RANGE;
    *l = (struct link) { .config = config, .mqtt = mqtt, .state = LINK_WAIT, .back_ms = config->min_ms, .random = seed ? seed : 1 };
    return BMS_ERR_OK;
}

static void enter(struct link *l, enum link_state state, uint32_t now_ms)
{
    l->state = state;
    l->entered_ms = now_ms;
}

/* The stream is or must be closed: forget it and choose the next back-off. */
static enum link_order down(struct link *l, uint32_t now_ms)
{
    bool stopping = l->state == LINK_CLOSING;

    mqtt_lost(l->mqtt);
    l->failures++;
    l->wait_ms = l->back_ms - draw(l) % (l->back_ms / 2 + 1);
    l->back_ms = l->back_ms > l->config->max_ms / 2 ? l->config->max_ms : l->back_ms * 2;
    enter(l, stopping ? LINK_STOPPED : LINK_WAIT, now_ms);
    return LINK_CLOSE;
}

static void note_steady(struct link *l, uint32_t now_ms)
{
    if (now_ms - l->entered_ms < l->config->steady_ms)
        return;
    l->back_ms = l->config->min_ms;
    l->failures = 0;
}

static enum link_order step_stream(struct link *l, const struct link_in *in)
{
    if (in->failed || in->now_ms - l->entered_ms > l->config->stream_ms)
        return down(l, in->now_ms);
    if (in->open) {
        mqtt_connect(l->mqtt, in->now_ms);
        enter(l, LINK_SESSION, in->now_ms);
    }
    return LINK_NOTHING;
}

static enum link_order step_session(struct link *l, const struct link_in *in)
{
    enum mqtt_state mqtt = mqtt_step(l->mqtt, in->now_ms);

    if (in->failed || !in->open || mqtt == MQTT_DEAD)
        return down(l, in->now_ms);
    if (l->state == LINK_SESSION && mqtt == MQTT_UP)
        enter(l, LINK_UP, in->now_ms);
    if (l->state == LINK_UP)
        note_steady(l, in->now_ms);
    return LINK_NOTHING;
}

enum link_order link_step(struct link *l, const struct link_in *in)
{
    switch (l->state) {
    case LINK_WAIT:
        if (in->now_ms - l->entered_ms < l->wait_ms)
            return LINK_NOTHING;
        enter(l, LINK_STREAM, in->now_ms);
        return LINK_OPEN;
    case LINK_STREAM:
        return step_stream(l, in);
    case LINK_SESSION:
    case LINK_UP:
    case LINK_CLOSING:
        return step_session(l, in);
    case LINK_STOPPED:
        break;
    }
    return LINK_NOTHING;
}

void link_stop(struct link *l, bool with_will)
{
    if (l->state == LINK_SESSION || l->state == LINK_UP) {
        mqtt_stop(l->mqtt, with_will);
        l->state = LINK_CLOSING;
    } else if (l->state != LINK_CLOSING) {
        l->state = LINK_STOPPED;
    }
}

uint32_t link_retry_in_ms(const struct link *l, uint32_t now_ms)
{
    uint32_t passed = now_ms - l->entered_ms;

    return l->state != LINK_WAIT || passed >= l->wait_ms ? 0 : l->wait_ms - passed;
}

const char *link_state_text(enum link_state state)
{
    static const char *const text[] = { "wait", "stream", "session", "up", "closing", "stopped" };

    return text[state];
}
