/* SPDX-License-Identifier: Apache-2.0 */
/* stop_at_failure.c -- linked into a test program in front of CUnit: the first assertion that fails ends it with 1. For mutate.py, which asks no more. */
#include <CUnit/CUnit.h>
#include <stdlib.h>

/* As CUnit declares it. */
CU_BOOL CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition, const char *file, const char *function, CU_BOOL fatal)
{
    (void)line;
    (void)condition;
    (void)file;
    (void)function;
    (void)fatal;
    if (!value)
        _Exit(EXIT_FAILURE);
    return CU_TRUE;
}
