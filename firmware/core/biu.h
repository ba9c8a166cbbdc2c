/* SPDX-License-Identifier: Apache-2.0 */
/* biu.h -- one battery integrated-management unit: what it measures, judges, switches and tells, in one step of 10 ms.
 *
 * Pure and deterministic: the same inputs give the same outputs, so a recorded input log plays an incident again. No pins, no clock, no
 * heap, no globals: one process hosts as many as memory allows. A step judges the alarms and commands the contactors before all else:
 *
 *   AFE bytes, CAN frames ──> values ──> alarms ──> contactors ──> SOC, balancing ──> sample ──> requests (UDS), frames
 */
#ifndef FIRMWARE_BIU_H
#define FIRMWARE_BIU_H

#include "firmware/core/biu_io.h"

struct biu_config {
    const int32_t *params; /* PARAMS values of the stored copy, each inside its row; copied */
    uint32_t boot;         /* board starts since production, this one included */
    struct sample *ring;   /* memory for samples that are kept for a resend; borrowed, must outlive the BIU */
    size_t ring_size;      /* in samples, 2 or more */
};

struct biu; /* allocated by the caller; holds pointers into itself, so it must stay where it was initialised */

/* Start. Returns 0, or BMS_ERR_RANGE: the parameters describe a pack that cannot be (or the ring is too small). The BIU then runs all the
 * same, without cells and with open contactors, so that a tester can set it right; biu_topology_text() says what is wrong. */
int biu_init(struct biu *biu, const struct biu_config *cfg, uint32_t now_ms);

/* Every 10 ms. `out` is filled afresh. Cannot fail. */
void biu_step(struct biu *biu, const struct biu_in *in, struct biu_out *out);

/* After a sleep in which no steps ran: every value is "never" until it has been measured again, and no time has passed for the timers. */
void biu_wake(struct biu *biu, uint32_t now_ms);

/* "ok", or what is impossible about the pack that the parameters describe. */
const char *biu_topology_text(const struct biu *biu);

#endif
