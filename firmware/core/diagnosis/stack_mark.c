/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/diagnosis/stack_mark.h"

void stack_mark_paint(volatile uint32_t *low, size_t words)
{
    for (size_t i = 0; i < words; i++)
        low[i] = STACK_MARK_PAINT;
}

int32_t stack_mark_free(const volatile uint32_t *low, size_t words)
{
    size_t i = 0;

    while (i < words && low[i] == STACK_MARK_PAINT)
        i++;
    return i > INT32_MAX / sizeof(*low) ? INT32_MAX : (int32_t)(i * sizeof(*low));
}
