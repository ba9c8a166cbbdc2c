/* SPDX-License-Identifier: Apache-2.0 */
/* Records from anywhere: the envelope as it comes, and, so that the fuzzer gets past the CRC, the same bytes sealed anew and as a bare body. */
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "proto/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void open_and_decode(const uint8_t *data, size_t n)
{
    static struct sample out[RECORD_SAMPLES_MAX];
    struct record r;

    if (record_open(data, n, &r) == BMS_ERR_OK)
        (void)body_decode(&r, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t sealed[RECORD_MAX];
    struct record bare = { .count = 1 + (n ? data[0] % RECORD_SAMPLES_MAX : 0u), .cells = 48, .temps = 12, .body = data, .body_len = n };
    static struct sample out[RECORD_SAMPLES_MAX];

    open_and_decode(data, n);
    (void)body_decode(&bare, out);
    if (n + 5 <= sizeof(sealed)) {
        if (n)
            memcpy(sealed, data, n);
        sealed[n] = 0x7D;
        put_le32(sealed + n + 1, crc32c(0, sealed, n));
        open_and_decode(sealed, n + 5);
    }
    return 0;
}
