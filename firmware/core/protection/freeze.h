/* SPDX-License-Identifier: Apache-2.0 */
/* freeze.h -- the ten seconds before a trouble code came, ten points a second (AC-6). Called every 10 ms by the BIU; read by UDS 19 04.
 *
 * One ring goes round; when a code comes for the first time since it was cleared the ring is copied to one of FREEZE_SLOTS places, so the memory is
 * bounded: 14 kB. When all are taken, a warning gives way to what comes, the oldest first; a major alarm gives way to a major one only.
 */
#ifndef FIRMWARE_FREEZE_H
#define FIRMWARE_FREEZE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FREEZE_PERIOD_MS = 100,
    FREEZE_SECONDS = 10,
    FREEZE_PER_SECOND = 10,
    FREEZE_POINTS = FREEZE_SECONDS * FREEZE_PER_SECOND,
    FREEZE_SLOTS = 8,
    FREEZE_POINT_SIZE = 16 /* bytes on the wire */
};

struct freeze_point {   /* what is not known is 0xFFFF or, with a sign, -0x8000 */
    uint16_t pack_dV;   /* 0.1 V */
    int16_t current_dA; /* 0.1 A, positive on discharge */
    uint16_t cell_max_mV, cell_min_mV;
    int16_t temp_max_ddegC, temp_min_ddegC;
    uint16_t soc_permyriad;
    uint8_t relays, alarms; /* commanded closed, bit 0 = RL1; how many alarms were active */
};

struct freeze_slot {
    uint16_t row;  /* of the alarm table */
    uint8_t count; /* points; 0 = free */
    bool major;
    uint32_t taken;                           /* in which order */
    struct freeze_point point[FREEZE_POINTS]; /* oldest first */
};

struct freeze {
    uint32_t since_ms;
    uint32_t taken;
    uint8_t next, count; /* of the ring */
    struct freeze_point ring[FREEZE_POINTS];
    struct freeze_slot slot[FREEZE_SLOTS];
};

void freeze_init(struct freeze *f);

/* After a sleep: what was before it is not the ten seconds before. What was copied stays. */
void freeze_wake(struct freeze *f);

/* Let time pass; `now` is kept every FREEZE_PERIOD_MS. */
void freeze_step(struct freeze *f, const struct freeze_point *now, uint32_t dt_ms);

/* The code of this row has come, for the first time; it has been cleared. */
void freeze_take(struct freeze *f, uint16_t row, bool major);
void freeze_forget(struct freeze *f, uint16_t row);

/* The copy that belongs to this row, or NULL. */
const struct freeze_slot *freeze_of(const struct freeze *f, uint16_t row);

/* The points of the second that ended `ago` (0 to FREEZE_SECONDS - 1) whole seconds before the code came, oldest first, to out[FREEZE_PER_SECOND *
 * FREEZE_POINT_SIZE], big-endian in the order of the struct. Returns the points, 0 when there are none; a second that began before the board did
 * has fewer. */
int freeze_pack(const struct freeze_slot *s, int ago, uint8_t *out);

#endif
