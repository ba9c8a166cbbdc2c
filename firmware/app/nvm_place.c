/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/nvm_place.h"

#include "common/err.h"

bool nvm_is_all(const uint8_t *p, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}

bool nvm_is_blank(const uint8_t *p, size_t n)
{
    return nvm_is_all(p, n, 0x00) || nvm_is_all(p, n, 0xFF);
}

int nvm_worse(int a, int b)
{
    if (a == BMS_ERR_CORRUPT || b == BMS_ERR_CORRUPT)
        return BMS_ERR_CORRUPT;
    return a == BMS_ERR_IO || b == BMS_ERR_IO ? BMS_ERR_IO : BMS_ERR_UNKNOWN;
}
