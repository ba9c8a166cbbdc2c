/* SPDX-License-Identifier: Apache-2.0 */
/* system.c -- see system.h; the other functions here are declared by lwIP, mbedTLS and their configuration. */
#include "dtu/port/lwip/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lwip/sys.h"
#include "mbedtls/entropy_poll.h"

static uint32_t clock_ms;

void system_set_now_ms(uint32_t now_ms)
{
    clock_ms = now_ms;
}

u32_t sys_now(void)
{
    return clock_ms;
}

void system_random(void *buf, size_t n)
{
    if (getrandom(buf, n, 0) != (ssize_t)n)
        abort();
}

unsigned int lwip_platform_random(void)
{
    unsigned int v;

    system_random(&v, sizeof v);
    return v;
}

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t n, size_t *got)
{
    (void)data;
    if (n > 256) /* getrandom gives less than asked only above this */
        n = 256;
    system_random(output, n);
    *got = n;
    return 0;
}

time_t tls_platform_time(time_t *t)
{
    return time(t);
}

void lwip_platform_assert(const char *message, const char *file, int line)
{
    fprintf(stderr, "lwip: %s (%s:%d)\n", message, file, line);
    abort();
}
