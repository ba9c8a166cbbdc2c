/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_upload.h -- the board's own tables, as it hands them out: hash and sizes, upload block by block, exit. Pure; somebody sends it.
 *
 *   ASK (22 1011) ──> BEGIN (35) ──> DATA (36) .. ──> EXIT (37) ──> DONE
 *
 * A block that got no answer may be asked for again: the board gives the same bytes. What comes is packed in zlib's format (RFC 1950).
 */
#ifndef LOCAL_CORE_CATALOGUE_UPLOAD_H
#define LOCAL_CORE_CATALOGUE_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

enum {
    CATALOGUE_PACKED_MAX = 256 * 1024,     /* bytes */
    CATALOGUE_PLAIN_MAX = 4 * 1024 * 1024, /* bytes of JSON */
    CATALOGUE_REQUEST_MAX = 11
};

enum catalogue_phase { CATALOGUE_ASK, CATALOGUE_BEGIN, CATALOGUE_DATA, CATALOGUE_EXIT, CATALOGUE_DONE };

struct catalogue_upload {
    enum catalogue_phase phase;
    uint32_t hash, packed_size, plain_size; /* read it from BEGIN on; sizes are within the bounds */
    uint8_t *packed;                        /* borrowed, CATALOGUE_PACKED_MAX bytes */
    uint32_t got;
    uint8_t counter;
};

/* packed[CATALOGUE_PACKED_MAX]: of the caller, until it is done. */
void catalogue_upload_start(struct catalogue_upload *u, uint8_t *packed);

/* The next request into out[CATALOGUE_REQUEST_MAX]: its length, 0 when it is done. */
size_t catalogue_upload_request(const struct catalogue_upload *u, uint8_t *out);

/* The positive answer to it. Returns 0, or BMS_ERR_CORRUPT when it makes no sense or is too large. */
int catalogue_upload_answer(struct catalogue_upload *u, const uint8_t *answer, size_t n);

#endif
