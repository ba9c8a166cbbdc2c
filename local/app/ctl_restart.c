/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_restart.c -- restart, proved: by the number of the board's start in its samples, or without samples by its session. */
#include "local/app/ctl.h"

#include <inttypes.h>

/* Until the board counts another start, or timeout_s. */
static int wait_boot(struct ctl *c, uint32_t before)
{
    uint32_t began = cable_now_ms();

    while (c->cable.assembler.boot == before) {
        if (ctl_is_stopping() || cable_now_ms() - began > c->timeout_s * 1000)
            return ctl_fail("no new start within %u s", c->timeout_s);
        cable_step(&c->cable, 10);
    }
    if (!c->json)
        printf("restarted: start %" PRIu32 "\n", c->cable.assembler.boot);
    return EXIT_DONE;
}

/* Over RS485 no sample counts the starts. A start ends every session: ours is made extended before, and is default after. */
static int restart_without_samples(struct ctl *c)
{
    static const struct command cmd = { .act = COMMAND_RESTART };
    static const uint8_t extended[] = { UDS_SESSION, UDS_SESSION_EXTENDED };
    static const uint8_t which[] = { UDS_READ_DATA, DID_ACTIVE_SESSION >> 8, DID_ACTIVE_SESSION & 0xFF };
    uint32_t began = cable_now_ms();
    struct tester *t = &c->cable.tester;

    if (ctl_ask(c, extended, sizeof(extended), TESTER_OPEN) != EXIT_DONE || ctl_run(c, tester_params(t, &cmd), false) != EXIT_DONE)
        return EXIT_FAILED;
    do { /* each question keeps the session, so its end is the start's */
        if (ctl_is_stopping() || cable_now_ms() - began > c->timeout_s * 1000)
            return ctl_fail("no new start within %u s", c->timeout_s);
        cable_step(&c->cable, 100);
        ctl_run(c, tester_ask(t, which, sizeof(which), TESTER_OPEN), true);
    } while (t->end != TESTER_OK || t->answer_n != 4 || t->answer[3] != UDS_SESSION_DEFAULT);
    if (c->json) {
        jsonw_object(&c->out);
        jsonw_member_opt(&c->out, "boot", false, 0);
        jsonw_object_end(&c->out);
    } else {
        printf("restarted\n");
    }
    return EXIT_DONE;
}

int ctl_restart(struct ctl *c, int argc, char *const argv[])
{
    static const struct command cmd = { .act = COMMAND_RESTART };

    if (argc > 1)
        return ctl_usage("restart takes no '%s'", argv[1]);
    if (!cable_has_samples(&c->cable))
        return restart_without_samples(c);
    if (ctl_wait_sample(c) != EXIT_DONE)
        return EXIT_FAILED;
    uint32_t before = c->cable.assembler.boot;

    if (ctl_run(c, tester_params(&c->cable.tester, &cmd), false) != EXIT_DONE || wait_boot(c, before) != EXIT_DONE)
        return EXIT_FAILED;
    if (c->json) {
        jsonw_object(&c->out);
        jsonw_member_int(&c->out, "boot", c->cable.assembler.boot);
        jsonw_object_end(&c->out);
    }
    return EXIT_DONE;
}
