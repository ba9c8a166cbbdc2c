/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/did_values.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"

enum { DID = 2, VALUE = 4 };

size_t did_values_request(uint16_t base, const uint16_t *id, size_t count, uint8_t *request)
{
    request[0] = UDS_READ_DATA;
    for (size_t i = 0; i < count; i++)
        put_be16(request + 1 + DID * i, (uint16_t)(base + id[i]));
    return 1 + DID * count;
}

int did_values_take(const uint8_t *request, size_t n, const uint8_t *answer, size_t answer_n, int32_t *value)
{
    size_t count = (n - 1) / DID;

    if (answer_n != 1 + (DID + VALUE) * count)
        return BMS_ERR_CORRUPT;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = answer + 1 + (DID + VALUE) * i;

        if (memcmp(p, request + 1 + DID * i, DID) != 0)
            return BMS_ERR_CORRUPT;
        value[i] = (int32_t)get_be32(p + DID);
    }
    return BMS_ERR_OK;
}
