/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.h -- the board's own tables of signals, parameters and alarms, as it hands them out: catalogue.json, packed by the build.
 *
 * A tool whose tables have another hash must not write: it reads these (UDS 35) and works with them.
 */
#ifndef PROTO_CATALOGUE_H
#define PROTO_CATALOGUE_H

#include <stdint.h>

struct catalogue {
    uint32_t hash;        /* of the rows, as "hash" in the JSON */
    uint32_t plain_size;  /* bytes of JSON */
    uint32_t packed_size; /* bytes of it in zlib's format (RFC 1950) */
    const uint8_t *packed;
};

extern const struct catalogue board_catalogue;

#endif
