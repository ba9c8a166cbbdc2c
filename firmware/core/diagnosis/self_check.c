/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/self_check.h"

#include <stddef.h>

#include "proto/validity.h"

enum { UNITS = 16, STAYING = 1 << SELF_ram | 1 << SELF_flash | 1 << SELF_stack };

static const struct unit_row {
    const char *name;
    enum self_level level;
} units[UNITS] = {
#define UNIT(bit, name, level, text) [bit] = { #name, SELF_##level },
#include "proto/self_units.def"
};

void self_check_init(struct self_check *s)
{
    *s = (struct self_check) { 0 };
}

static unsigned bit_if(bool wrong, enum self_unit unit)
{
    return wrong ? 1u << unit : 0;
}

static bool is_below(int32_t scalar, int32_t limit)
{
    return scalar_validity(scalar) == VALIDITY_OK && scalar < limit;
}

static bool is_beyond(int32_t scalar, int32_t limit)
{
    return scalar_validity(scalar) == VALIDITY_OK && (scalar >= limit || scalar <= -limit);
}

/* Overruns are counted in windows that follow each other; the verdict of a bad one stands until a good one has ended. */
static void count_overruns(struct self_check *s, const struct self_in *in)
{
    uint32_t now = in->facts->slot_overruns;

    if (s->seen)
        s->overruns += now - s->overruns_before;
    s->seen = true;
    s->overruns_before = now;
    s->window_ms += in->dt_ms < SELF_OVERRUN_MS ? in->dt_ms : SELF_OVERRUN_MS;
    if (s->overruns >= SELF_OVERRUNS)
        s->slots_late = true;
    if (s->window_ms < SELF_OVERRUN_MS)
        return;
    s->slots_late = s->overruns >= SELF_OVERRUNS;
    s->window_ms = 0;
    s->overruns = 0;
}

static unsigned of_facts(struct self_check *s, const struct self_in *in)
{
    const struct self_facts *f = in->facts;

    if (!f->fitted)
        return 0;
    count_overruns(s, in);
    return bit_if(f->ram_bad, SELF_ram) | bit_if(f->flash_bad, SELF_flash) | bit_if(is_below(f->stack_free, SELF_STACK_MIN), SELF_stack) |
           bit_if(is_beyond(f->clock_ppm, SELF_CLOCK_MAX_ppm), SELF_clock) | bit_if(s->slots_late, SELF_slots) |
           bit_if(f->reset == SELF_RESET_WATCHDOG || f->reset == SELF_RESET_CPU_FAULT, SELF_reset) | bit_if(f->nvm_bad, SELF_nvm) |
           bit_if(f->params_bad, SELF_params);
}

void self_check_step(struct self_check *s, const struct self_in *in)
{
    unsigned now = of_facts(s, in);

    now |= bit_if(in->afe_silent, SELF_afe) | bit_if(in->current_silent, SELF_current) | bit_if(in->voltages_missing, SELF_voltages) |
           bit_if(in->insulation_implausible, SELF_insulation) | (in->relays_wrong & 0xFu) << SELF_relay_1;
    s->kept = (uint16_t)(s->kept | (now & STAYING));
    s->failed = (uint16_t)(now | s->kept);
}

uint16_t self_check_first(const struct self_check *s, enum self_level level)
{
    for (unsigned bit = 0; bit < UNITS; bit++)
        if (s->failed >> bit & 1 && units[bit].level == level)
            return (uint16_t)(bit + 1);
    return 0;
}

const char *self_unit_word(unsigned bit)
{
    return bit < UNITS ? units[bit].name : NULL;
}
