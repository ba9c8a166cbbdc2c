/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.h -- the free high-side drives RL5 to RL8, and whether RL4 to RL8 follow (AC-1). Pure; called every 10 ms.
 *
 * What RL5 to RL8 do is a parameter each (output5_role to output8_role). Those of RL4 to RL8 whose auxiliary contact is wired (output_readback) are
 * compared with their command. Of each it is counted what it has done (wear.h): what it opens is the current that its load takes by
 * its parameter (heat_current_dA, output5_load_dA to output8_load_dA), for none of them is measured. A heating relay that reads closed against its command is a danger of its own: nothing but the charger stops the heat.
 */
#ifndef FIRMWARE_OUTPUTS_H
#define FIRMWARE_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/core/actuators/wear.h"

enum output_role { /* the parameter's values */
                   OUTPUT_NOTHING = 0,
                   OUTPUT_FAN = 1,
                   OUTPUT_AUX = 2, /* while a contactor is closed: DC/DC converter, pump */
                   OUTPUT_CHARGING = 3,
                   OUTPUT_MAJOR = 4, /* lamp or buzzer */
                   OUTPUT_AWAKE = 5,
                   OUTPUT_ROLES
};

enum { OUTPUTS_FREE = 4, OUTPUTS_WATCHED = 5, OUTPUTS_FIRST = 3 }; /* bit of RL4 in a mask of relays */

struct outputs_in {
    uint32_t dt_ms;
    bool heat;             /* RL4 is commanded closed */
    bool on[OUTPUT_ROLES]; /* what each role wants now; on[OUTPUT_NOTHING] is false */
    uint8_t feedback;      /* BIU_RELAY_* and above: bit 0 = RL1 */
    const int32_t *params; /* [PARAMS], the running copy */
};

struct outputs {
    uint8_t driven;                          /* bit 0 = RL5 */
    uint8_t commanded;                       /* bit 0 = RL4 */
    struct relay_wear wear[OUTPUTS_WATCHED]; /* of RL4 to RL8 */
    uint32_t differ_ms[OUTPUTS_WATCHED];
    bool welded;   /* RL4 reads closed and must not */
    uint8_t wrong; /* number of the lowest relay that does not follow in another way, 4 to 8; 0 = all do */
};

/* All off, relays that were never used. */
void outputs_init(struct outputs *o);

/* After a sleep, in which all are off; what is worn stays worn. */
void outputs_wake(struct outputs *o, const int32_t *params);
void outputs_step(struct outputs *o, const struct outputs_in *in);

#endif
