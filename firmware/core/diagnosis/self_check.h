/* SPDX-License-Identifier: Apache-2.0 */
/* self_check.h -- is the board itself well (ME-13)? Judges each unit of proto/self_units.def every 10 ms; tests nothing by itself.
 *
 * What memory tests, clocks and counters have found comes as `struct self_facts` from the application (firmware/app/self_run.h); what the
 * measurements show of chips, sensor and relays is looked at here. Bits of units that can recover follow the facts; those of memory and stack
 * stay until the next start.
 */
#ifndef FIRMWARE_SELF_CHECK_H
#define FIRMWARE_SELF_CHECK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SELF_STACK_MIN = 128, /* bytes never used */
    SELF_CLOCK_MAX_ppm = 20000,
    SELF_OVERRUNS = 3,       /* in */
    SELF_OVERRUN_MS = 10000, /* is too many */
};

enum self_level { SELF_TOLD, SELF_DEGRADED, SELF_FAILED };

enum self_unit {
#define UNIT(bit, name, level, text) SELF_##name = (bit),
#include "proto/self_units.def"
};

enum self_reset { SELF_RESET_UNKNOWN, SELF_RESET_POWER, SELF_RESET_SOFTWARE, SELF_RESET_PIN, SELF_RESET_WATCHDOG, SELF_RESET_CPU_FAULT };

struct self_facts {
    bool fitted; /* false: the board tells nothing of itself, and the rest is not looked at */
    bool ram_bad, flash_bad, nvm_bad, params_bad;
    enum self_reset reset;
    int32_t stack_free;     /* bytes never used: sample scalar */
    int32_t clock_ppm;      /* the CPU's clock against an independent one: sample scalar */
    uint32_t slot_overruns; /* steps longer than their slot, since the start; may wrap */
};

struct self_in {
    uint32_t dt_ms;
    const struct self_facts *facts;
    bool afe_silent, current_silent, voltages_missing, insulation_implausible;
    uint8_t relays_wrong; /* bit 0 = RL1: not where it is commanded */
};

struct self_check {
    uint16_t failed; /* bit of each unit that is not well */
    uint16_t kept;   /* of those that stay */
    bool seen;
    uint32_t overruns_before, overruns; /* at the last step; in the window */
    uint32_t window_ms;
    bool slots_late;
};

void self_check_init(struct self_check *s);

void self_check_step(struct self_check *s, const struct self_in *in);

/* Number (bit + 1) of the first unit of this level that is not well, 0 = none. */
uint16_t self_check_first(const struct self_check *s, enum self_level level);

/* "ram", "flash", ...; NULL outside 0 to 15. */
const char *self_unit_word(unsigned bit);

#endif
