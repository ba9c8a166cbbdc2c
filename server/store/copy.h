/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h -- rows in PostgreSQL's binary COPY format (manual, COPY, "Binary Format"), in a buffer that grows.
 *
 * copy_begin(), then for each row copy_row() and its fields in order, then copy_end(). `bad` is set for good when memory ends.
 */
#ifndef SERVER_COPY_H
#define SERVER_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct copy {
    uint8_t *data; /* owned; copy_free() */
    size_t used, size;
    bool bad;
};

void copy_begin(struct copy *c);
void copy_row(struct copy *c, uint16_t fields);
void copy_int16(struct copy *c, int16_t v);
void copy_int32(struct copy *c, int32_t v);
void copy_int64(struct copy *c, int64_t v);
void copy_null(struct copy *c);
void copy_bytes(struct copy *c, const void *data, size_t n);                     /* text and bytea */
void copy_device(struct copy *tenant, struct copy *vehicle, const char *device); /* the two halves of "<tenant>.<vehicle>" */
void copy_utc_ms(struct copy *c, int64_t utc_ms);                                /* timestamptz */
void copy_raw(struct copy *c, const void *data, size_t n);                       /* a whole row of another one */
void copy_end(struct copy *c);
void copy_free(struct copy *c);

#endif
