/* SPDX-License-Identifier: Apache-2.0 */
/* cc.h -- what lwIP asks of compiler and platform. Read by lwIP's sources too, so it includes nothing of ours. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

void lwip_platform_assert(const char *message, const char *file, int line);
unsigned int lwip_platform_random(void);

#define LWIP_TIMEVAL_PRIVATE          0
#define LWIP_PLATFORM_DIAG(x)         ((void)0)
#define LWIP_PLATFORM_ASSERT(message) lwip_platform_assert(message, __FILE__, __LINE__)
#define LWIP_RAND()                   lwip_platform_random()

#endif
