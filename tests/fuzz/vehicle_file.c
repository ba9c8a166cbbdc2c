/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_file.c -- the container of an exported vehicle. Checksums that do not fit are mended first for half of the inputs, or nothing behind the head
 * would ever be read. */
#include "server/history/vehicle_file.h"

#include "common/bytes.h"
#include "common/crc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    uint8_t *p, *end;
    bool mend;
    uint32_t crc;
};

/* A read of four bytes is a checksum, as nothing else in the file has that length. */
static size_t take(void *ctx, void *out, size_t n)
{
    struct source *s = ctx;
    size_t left = (size_t)(s->end - s->p), k = n < left ? n : left;

    memcpy(out, s->p, k);
    s->p += k;
    if (s->mend && n == 4 && k == 4)
        put_le32(out, s->crc);
    else
        s->crc = crc32c(s->crc, out, k);
    return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vehicle_reader r;
    uint8_t *copy = size > 0 ? malloc(size) : NULL;

    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    struct source s = { .p = copy + 1, .end = copy + size, .mend = data[0] & 1u };

    if (vehicle_file_open(&r, take, &s) == 0) {
        uint8_t table = 0;

        if (strlen(r.device) == 0 || strlen(r.device) > DEVICE_NAME_MAX)
            abort();
        while (vehicle_file_next(&r) > 0) {
            if (r.length > VEHICLE_BLOCK_MAX || r.table < table || r.table > VEHICLE_TABLES_MAX)
                abort();
            table = r.table;
        }
    }
    free(copy);
    return 0;
}
