/* SPDX-License-Identifier: Apache-2.0 */
/* stack_mark.h -- how much of a stack has never been used: paint it before it is in use, look later how much paint is left (ME-13).
 *
 * For a board whose stack is a fixed region that grows downwards: paint all of it below the stack pointer at the start (or the whole stack of a thread
 * before the thread begins), and give stack_mark_free() to `stack_free` of the self-check (firmware/port/self_port.h). Known weakness: a frame that
 * reserves more than it writes leaves paint below the deepest use; words that happen to hold the paint count as free.
 */
#ifndef FIRMWARE_STACK_MARK_H
#define FIRMWARE_STACK_MARK_H

#include <stddef.h>
#include <stdint.h>

#define STACK_MARK_PAINT 0xC0DEFEEDu

/* low[words]: from the end of the stack, its lowest address, up. */
void stack_mark_paint(volatile uint32_t *low, size_t words);

/* Bytes that have not been written since, counted from the end of the stack. */
int32_t stack_mark_free(const volatile uint32_t *low, size_t words);

#endif
