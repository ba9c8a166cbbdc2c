/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware/io_layout.h"

#include <string.h>

#include "common/can.h"

/* Frames without size: gcc 12 does not see the padding behind an array of structs. */
struct no_frame {
};
#define can_frame no_frame
#include "firmware/core/biu/biu_io.h"
#undef can_frame
#include "firmware/core/biu/biu.h"

#ifdef __clang__
#define KEEP_FIELDS(x) memset(x, 0, sizeof(*(x)))
#else
#define KEEP_FIELDS(x) __builtin_clear_padding(x)
#endif

static size_t left(const void *x, size_t n)
{
    const uint8_t *p = x;
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += p[i] != 0;
    return bytes;
}

#define COVER(field) memset((void *)&x.field, 0, sizeof(x.field));

size_t io_layout_forgotten_in(void)
{
    struct biu_in x;

    memset(&x, 0xFF, sizeof(x));
    KEEP_FIELDS(&x);
#define IN_VALUE(name)              COVER(name)
#define IN_ARRAY(name)              COVER(name)
#define IN_BYTES(name, count, max)  COVER(name) COVER(count)
#define IN_FRAMES(name, count, max) COVER(name) COVER(count)
#include "firmware/core/biu/biu_io.def"
    return left(&x, sizeof(x));
}

size_t io_layout_forgotten_out(void)
{
    struct biu_out x;

    memset(&x, 0xFF, sizeof(x));
    KEEP_FIELDS(&x);
#define OUT_VALUE(name)           COVER(name)
#define OUT_ARRAY(name)           COVER(name)
#define OUT_BYTES(name, count)    COVER(name) COVER(count)
#define OUT_FRAMES(name, count)   COVER(name) COVER(count)
#define OUT_BORROWED(name, count) COVER(name) COVER(count)
#define OUT_PARAMS(name)          COVER(name)
#define OUT_SAMPLE(name)          COVER(name)
#include "firmware/core/biu/biu_io.def"
    return left(&x, sizeof(x));
}

size_t io_layout_forgotten_config(void)
{
    struct biu_config x;

    memset(&x, 0xFF, sizeof(x));
    KEEP_FIELDS(&x);
#define CONFIG_VALUE(name) COVER(name)
#include "firmware/core/biu/biu_io.def"
    COVER(params) /* these have records of their own */
    COVER(key)
    COVER(codes)
    COVER(codes_n)
    COVER(ring)
    return left(&x, sizeof(x));
}
