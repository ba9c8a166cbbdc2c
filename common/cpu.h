/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h -- hot loops of the server compiled a second time for processors with AVX2 and BMI2 (x86-64-v3, since 2013). The source is the same plain C; nothing but
 * the compiler's choice of instructions differs.
 *
 *   CPU_INLINE int work(..) { .. }                     the loop; always inlined, so that it is compiled for whoever calls it
 *   CPU_WIDE(static int work_wide(..)) { return work(..); }
 *   int work_any(..) { return cpu_is_wide() ? work_wide(..) : work(..); }
 */
#ifndef COMMON_CPU_H
#define COMMON_CPU_H

#include <stdbool.h>

#define CPU_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define CPU_WIDE(declaration) __attribute__((target("avx2,bmi,bmi2"))) declaration

static inline bool cpu_is_wide(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); /* a look into a word that the start-up code has filled */
}
#else
#define CPU_WIDE(declaration) declaration

static inline bool cpu_is_wide(void)
{
    return false;
}
#endif

#endif
