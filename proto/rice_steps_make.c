/* SPDX-License-Identifier: Apache-2.0 */
/* rice_steps_make.c -- prints the table of rice_steps.h as C, by reading each pattern with get_rice(). */
#include "proto/rice_steps.h"

#include <stdio.h>

#include "common/units.h"

static struct rice_step step_of(unsigned k, unsigned pattern)
{
    const uint8_t bytes[16] = { (uint8_t)pattern, (uint8_t)(pattern >> 8) };
    struct bit_reader b = bits_of(bytes, sizeof bytes);
    struct rice_step s = { .at = { 0 } };

    for (unsigned count = 0; count < RICE_STEP_VALUES; count++) {
        int32_t value = unzigzag32(get_rice(&b, k));
        unsigned taken = 8 * (unsigned)(b.p - bytes) - b.held;

        if (taken > RICE_STEP_BITS || value > INT8_MAX || value < INT8_MIN)
            break;
        s.at[count] = (int8_t)value;
        s.at[RICE_STEP_COUNT] = (int8_t)(count + 1);
        s.at[RICE_STEP_TAKEN] = (int8_t)taken;
    }
    return s;
}

int main(void)
{
    printf("/* Made by rice_steps_make.c. */\n#include \"proto/rice_steps.h\"\n\nconst struct rice_step rice_steps[RICE_K_MAX + "
           "1][RICE_STEPS] = {\n");
    for (unsigned k = 0; k <= RICE_K_MAX; k++) {
        printf("{\n");
        for (unsigned pattern = 0; pattern < RICE_STEPS; pattern++) {
            struct rice_step s = step_of(k, pattern);

            printf("{{");
            for (size_t i = 0; i < sizeof s.at; i++)
                printf("%d,", s.at[i]);
            printf("}},%s", pattern % 8 == 7 ? "\n" : "");
        }
        printf("},\n");
    }
    printf("};\n");
    return 0;
}
