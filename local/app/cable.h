/* SPDX-License-Identifier: Apache-2.0 */
/* cable.h -- the upper computer's end of the cable: one wire, the samples that come over it, and the tester. One thread.
 *
 *   cable_step() waits up to wait_ms, then: frames in ──> tester or assembler ──> on_sample()      tester ──> frames out
 *
 * Over RS485 there are messages in the place of frames, and no samples.
 * It only listens to the stream (assembler_listen()): a DTU on the same bus is not disturbed.
 */
#ifndef LOCAL_APP_CABLE_H
#define LOCAL_APP_CABLE_H

#include "dtu/core/assembler.h"
#include "local/core/tester.h"
#include "local/port/wire.h"

struct cable {
    struct wire wire;
    struct assembler assembler;
    struct tester tester;
    struct can_frame held; /* could not be sent yet */
    bool holds, up;
    uint32_t received, sent; /* frames of the tester since init; messages over RS485 */
    void *ctx;
    void (*on_sample)(void *ctx, const struct sample *sample); /* may be NULL */
};

/* 0, or BMS_ERR_RANGE with cable->wire.why set. */
int cable_init(struct cable *c, const struct wire_config *config);

/* One turn. IDLE, BUSY, or DONE once at the end of a task. */
enum tester_state cable_step(struct cable *c, int wait_ms);

/* True while the wire has a link. */
bool cable_is_up(const struct cable *c);

/* Do samples come over it? Not over RS485: there, only what UDS reads is known. */
bool cable_has_samples(const struct cable *c);

/* Forget the task that is under way. */
void cable_forget(struct cable *c);

void cable_close(struct cable *c);

/* Monotonic, ms, wraps. */
uint32_t cable_now_ms(void);

#endif
