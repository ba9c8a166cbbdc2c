/* SPDX-License-Identifier: Apache-2.0 */
#include "local/app/cable.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "common/err.h"

enum { FRAMES_AT_ONCE = 512 };

uint32_t cable_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

int cable_init(struct cable *c, const struct wire_config *config)
{
    memset(c, 0, sizeof(*c));
    c->wire.kind = config->kind;
    cable_forget(c);
    assembler_init(&c->assembler, 0, 0, 0, cable_now_ms());
    assembler_listen(&c->assembler);
    return wire_init(&c->wire, config);
}

bool cable_has_samples(const struct cable *c)
{
    return c->wire.kind != WIRE_RS485;
}

void cable_forget(struct cable *c)
{
    if (cable_has_samples(c))
        tester_init(&c->tester);
    else
        tester_init_whole(&c->tester);
}

bool cable_is_up(const struct cable *c)
{
    return c->up;
}

static void wait(struct cable *c, int wait_ms)
{
    struct pollfd p = { .fd = wire_fd(&c->wire), .events = POLLIN };

    poll(&p, 1, wait_ms);
}

/* Tester's frames: every answer is looked at before the next one may overwrite it. */
static enum tester_state take_frames(struct cable *c, uint32_t now_ms)
{
    enum tester_state state = TESTER_IDLE;
    struct can_frame f;
    struct sample s;

    for (int i = 0; i < FRAMES_AT_ONCE && state != TESTER_DONE && wire_receive(&c->wire, &f) == 1; i++) {
        if (tester_feed(&c->tester, &f, now_ms)) {
            c->received++;
            state = tester_step(&c->tester, now_ms);
        } else if (assembler_feed(&c->assembler, &f, now_ms, &s) > 0) {
            assembler_taken(&c->assembler, &s, now_ms);
            if (c->on_sample)
                c->on_sample(c->ctx, &s);
        }
    }
    return state;
}

static void send_frames(struct cable *c, uint32_t now_ms)
{
    for (int i = 0; i < FRAMES_AT_ONCE; i++) {
        if (!c->holds && tester_output(&c->tester, now_ms, &c->held) != 1)
            return;
        c->holds = wire_send(&c->wire, &c->held) == BMS_ERR_NOSPACE;
        if (c->holds)
            return;
        c->sent++;
    }
}

/* The same two for RS485. The line is half duplex, and the tester never asks before it has an answer or gave up. */
static enum tester_state take_messages(struct cable *c, uint32_t now_ms)
{
    enum tester_state state = TESTER_IDLE;
    const uint8_t *uds;
    int n = 1;

    for (int i = 0; i < FRAMES_AT_ONCE && state != TESTER_DONE && (n = wire_hear(&c->wire, now_ms, &uds)) > 0; i++) {
        c->received++;
        tester_hear(&c->tester, uds, (size_t)n);
        state = tester_step(&c->tester, now_ms);
    }
    return state;
}

static void send_message(struct cable *c)
{
    const uint8_t *uds;
    size_t n = tester_take(&c->tester, &uds);

    if (n > 0 && wire_say(&c->wire, uds, n) == BMS_ERR_OK) /* what cannot be sent now is asked again after P2 */
        c->sent++;
}

enum tester_state cable_step(struct cable *c, int wait_ms)
{
    uint32_t now_ms = cable_now_ms();
    bool was_up = c->up;

    c->up = wire_step(&c->wire, now_ms);
    if (c->up && !was_up)
        assembler_restart(&c->assembler, now_ms);
    if (!c->up)
        c->holds = false;
    wait(c, wait_ms);
    now_ms = cable_now_ms();
    enum tester_state state = cable_has_samples(c) ? take_frames(c, now_ms) : take_messages(c, now_ms);

    if (state != TESTER_DONE)
        state = tester_step(&c->tester, now_ms);
    if (cable_has_samples(c))
        send_frames(c, now_ms);
    else
        send_message(c);
    return state;
}

void cable_close(struct cable *c)
{
    wire_close(&c->wire);
}
