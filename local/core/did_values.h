/* SPDX-License-Identifier: Apache-2.0 */
/* did_values.h -- values of four bytes by their identifiers, many in a request (UDS 22), whatever tables they come from. Pure. */
#ifndef LOCAL_CORE_DID_VALUES_H
#define LOCAL_CORE_DID_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/uds.h"

enum { DID_VALUES_BLOCK = 64 }; /* identifiers that every board takes at once, older ones too */
enum { DID_VALUES_REQUEST_MAX = 1 + 2 * DID_VALUES_BLOCK };

/* Ask for base + id[0..count), count <= DID_VALUES_BLOCK, into request[DID_VALUES_REQUEST_MAX]. Returns its length. */
size_t did_values_request(uint16_t base, const uint16_t *id, size_t count, uint8_t *request);

/* The positive answer to request[n]: the values in its order into value[(n - 1) / 2]. 0, or BMS_ERR_CORRUPT when it answers something else. */
int did_values_take(const uint8_t *request, size_t n, const uint8_t *answer, size_t answer_n, int32_t *value);

#endif
