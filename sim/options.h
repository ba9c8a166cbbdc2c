/* SPDX-License-Identifier: Apache-2.0 */
/* options.h -- the command line of cellwarden-pack. Each option is also an environment variable, CELLWARDEN_<NAME>; the line wins. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct pack_options { /* strings are borrowed from argv or the environment; NULL = not given */
    const char *name;
    const char *scenario;
    const char *chemistry;
    const char *charger;
    const char *hub;
    const char *slcan_tcp;
    const char *slcan_pty;
    const char *socketcan;
    const char *hub1, *slcan1_tcp, *socketcan1; /* CAN1, the vehicle */
    const char *hub2, *slcan2_tcp, *socketcan2; /* CAN2, the DC charger */
    const char *nvm;
    const char *slot;
    const char *rs485_pty;
    const char *replay;
    const char *truth;
    const char *record;
    const char *fault;
    double speed; /* times real time; 0 = as fast as it goes */
    int64_t cells;
    int64_t ambient_C; /* pack and air at the start, of a scenario */
    int64_t sample_ms; /* -1 = the default of the parameter table, or what the board has stored */
    int64_t samples;   /* stop after so many; 0 = never */
    int64_t seed;
    int64_t utc_start; /* ms since 1970; 0 = chosen */
    bool lossless;
};

/* Returns 0; 1 when --help was asked for and has been printed; BMS_ERR_RANGE after an error line on standard error. */
int pack_options_read(struct pack_options *o, int argc, char **argv);

#endif
