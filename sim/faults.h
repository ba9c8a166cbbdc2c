/* SPDX-License-Identifier: Apache-2.0 */
/* faults.h -- what goes wrong in the simulated world, and when: a list on the command line, applied every step.
 *
 *   KIND[:A[:B]]@FROM[-TO][,...]     FROM and TO in seconds of the board's time since the start; without TO for ever
 *
 *   cell:CELL:MV        the cell has this voltage              open-wire:CELL   the sense wire above the cell is broken
 *   probe:PROBE:DEGC    the probe has this temperature         stuck:CELL       the reading of the cell does not change
 *   broken-link:CHIP    the chain is cut before this chip      chip-reset:CHIP  the chip starts anew, once
 *   die:CHIP:DEGC       the chip itself has this temperature
 *   bad-crc:PERMILLE    share of the chips' answers            csu-silent       no current on CAN0
 *   weld:RELAY          the relay does not open                jam:RELAY        the relay does not close
 *   insulation-pos:KOHM  the rail leaks to chassis         insulation-neg:KOHM  the same
 *   hvil-open           the interlock loop is open         inlet:NTC:DEGC   the charging interface has this temperature
 *   cc:OHM              resistance of CC to PE             cc2:MV           voltage of CC2
 *   latch               the latch of the slow plug is pressed
 *   ram-bit             a bit of the RAM is stuck          flash-bit        a bit of the program has changed
 *   late                every step is longer than its slot clock:PPM        the board's clock is fast by so much
 *   watchdog            the last start was forced
 * Everything is counted from 1, as on the console.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/world.h"

enum { FAULTS_MAX = 16, FAULTS_ERROR_MAX = 160 };

struct faults {
    struct fault {
        int kind; /* row of the table in faults.c */
        int a, b;
        double from_s, to_s;
        bool done; /* of what happens once */
    } fault[FAULTS_MAX];
    int count;
};

/* Returns 0, or BMS_ERR_RANGE with error[] set. Numbers are checked against the wiring. */
int faults_parse(struct faults *f, const char *text, const struct wiring *wiring, char error[FAULTS_ERROR_MAX]);

/* Make the world as broken as it shall be at this time. Call before world_step(), after whoever else moves the world. */
void faults_apply(struct faults *f, struct world *w, double now_s);

#endif
