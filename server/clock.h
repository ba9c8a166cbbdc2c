/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h -- the two clocks, in milliseconds. Everything pure takes time as data; only the threads' loops call these. */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>

int64_t clock_utc_ms(void);  /* since 1970 */
int64_t clock_mono_ms(void); /* never goes back */

#endif
