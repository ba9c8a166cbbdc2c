/* SPDX-License-Identifier: Apache-2.0 */
/* validity.h -- why a value is not there. The reason travels in the value itself, from the board to the browser.
 *
 * An unsigned value of n bits that is not valid is 2^n - code; a signed one is -2^(n-1) + code - 1. In `struct sample`, scalars are
 * INT32_MIN + code - 1, cells 0xFFFF - (code - 1), temperatures INT16_MIN + code - 1. Codes 6 and 7 are reserved.
 */
#ifndef PROTO_VALIDITY_H
#define PROTO_VALIDITY_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
/*     name         code  word in the API and on the console */
#define VALIDITY_TABLE(X)                \
    X(OK,           0, "ok")             \
    X(NEVER,        1, "never")          \
    X(STALE,        2, "stale")          \
    X(OPEN,         3, "open")           \
    X(IMPLAUSIBLE,  4, "implausible")    \
    X(NOT_FITTED,   5, "not_fitted")
/* clang-format on */

enum validity {
#define X(name, code, word) VALIDITY_##name = (code),
    VALIDITY_TABLE(X)
#undef X
};

enum { VALIDITY_CODES = 7 };

static inline int32_t scalar_invalid(enum validity why)
{
    return INT32_MIN + (int32_t)why - 1;
}

static inline enum validity scalar_validity(int32_t v)
{
    return v >= INT32_MIN + VALIDITY_CODES ? VALIDITY_OK : (enum validity)(v - INT32_MIN + 1);
}

static inline uint16_t cell_invalid(enum validity why)
{
    return (uint16_t)(0x10000 - (int)why);
}

static inline enum validity cell_validity(uint16_t mV)
{
    return mV <= 0xFFFF - VALIDITY_CODES ? VALIDITY_OK : (enum validity)(0x10000 - mV);
}

static inline int16_t temp_invalid(enum validity why)
{
    return (int16_t)(INT16_MIN + (int)why - 1);
}

static inline enum validity temp_validity(int16_t ddegC)
{
    return ddegC >= INT16_MIN + VALIDITY_CODES ? VALIDITY_OK : (enum validity)(ddegC - INT16_MIN + 1);
}

/* "ok", "never", ...; "unknown" for a code that is not in the table. */
const char *validity_word(enum validity v);

#endif
