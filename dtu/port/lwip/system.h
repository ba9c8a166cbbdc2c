/* SPDX-License-Identifier: Apache-2.0 */
/* system.h -- clock and random source of lwIP and mbedTLS on Linux; a board brings its own. */
#ifndef DTU_PORT_LWIP_SYSTEM_H
#define DTU_PORT_LWIP_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* Set lwIP's clock: time is an input of the port's poll. */
void system_set_now_ms(uint32_t now_ms);

/* n random bytes from the kernel; ends the program when there are none, because nothing safe can follow. */
void system_random(void *buf, size_t n);

#endif
