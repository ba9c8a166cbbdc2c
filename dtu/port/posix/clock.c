/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/port/posix/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

uint32_t clock_now_ms(void)
{
    return (uint32_t)read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_utc_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

uint64_t clock_random(void)
{
    uint64_t v = 0;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, &v, sizeof(v)) != (ssize_t)sizeof(v))
        v = read_ms(CLOCK_REALTIME) << 20 ^ (uint64_t)getpid() ^ read_ms(CLOCK_MONOTONIC) << 40;
    if (fd >= 0)
        close(fd);
    return v ? v : 1;
}
