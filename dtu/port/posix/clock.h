/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h -- time and chance from the operating system. */
#ifndef DTU_PORT_POSIX_CLOCK_H
#define DTU_PORT_POSIX_CLOCK_H

#include <stdint.h>

uint32_t clock_now_ms(void); /* monotonic, wraps after 49 days */
uint64_t clock_utc_ms(void); /* since 1970 */
uint64_t clock_random(void); /* from the system's random source, never 0; the clock's bits if that fails */

#endif
