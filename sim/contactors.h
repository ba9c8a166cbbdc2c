/* SPDX-License-Identifier: Apache-2.0 */
/* contactors.h -- eight relays that take their time, with auxiliary contacts that tell where they are. Masks are BIU_RELAY_*. */
#ifndef SIM_CONTACTORS_H
#define SIM_CONTACTORS_H

#include <stdint.h>

enum { CONTACTORS = 8, CONTACTORS_CLOSE_MS = 30, CONTACTORS_OPEN_MS = 10 };

struct contactors {
    uint8_t coils;                  /* energised */
    uint8_t closed;                 /* the contacts, and what is read back */
    uint8_t welded;                 /* injected: stay closed once they have closed */
    uint8_t jammed;                 /* injected: do not close */
    uint16_t moving_ms[CONTACTORS]; /* how long the coil has differed from the contact */
};

void contactors_drive(struct contactors *c, uint8_t mask);
void contactors_step(struct contactors *c, uint16_t ms);

#endif
