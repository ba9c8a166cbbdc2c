/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#include "sim/fleet/pages.h"

#include <sys/mman.h>
#include <unistd.h>

void *pages_take(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

void pages_give(void *p, size_t size)
{
    if (p)
        munmap(p, size);
}

void pages_forget(void *p, size_t size)
{
    madvise(p, size, MADV_DONTNEED);
}

size_t pages_size(void)
{
    long size = sysconf(_SC_PAGESIZE);

    return size > 0 ? (size_t)size : 4096;
}
