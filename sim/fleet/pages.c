/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#include "sim/fleet/pages.h"

#include <stdint.h>
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
    uintptr_t page = pages_size(), from = ((uintptr_t)p + page - 1) / page * page, to = ((uintptr_t)p + size) / page * page;

    if (to > from)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

size_t pages_size(void)
{
    long size = sysconf(_SC_PAGESIZE);

    return size > 0 ? (size_t)size : 4096;
}
