/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"

const char *bms_err_text(int err)
{
    switch (err) {
#define X(name, value, text)                                                                                                               \
    case BMS_ERR_##name:                                                                                                                   \
        return text;
        BMS_ERR_TABLE(X)
#undef X
    }
    return "unknown error";
}
