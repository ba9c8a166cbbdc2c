/* SPDX-License-Identifier: Apache-2.0 */
/* name_hash.h -- a name as a number for tables that bound what they keep: FNV-1a, 64 bits, never 0. Whoever chooses names can choose two with the same. */
#ifndef COMMON_NAME_HASH_H
#define COMMON_NAME_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t name_hash(const char *name, size_t n)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 1099511628211u;
    return h ? h : 1;
}

#endif
