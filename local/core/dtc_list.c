/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/dtc_list.h"

#include "common/err.h"
#include "proto/tables.h"
#include "proto/uds.h"

enum { HEAD = 3, ROW = 4, BY_MASK = 0x02 };

static int alarm_of(uint32_t code)
{
    for (int a = 0; a < ALARMS; a++)
        if (alarm_rows[a].dtc == code)
            return a;
    return -1;
}

int dtc_list_parse(const uint8_t *answer, size_t n, struct dtc_row *rows)
{
    if (n < HEAD || answer[0] != UDS_READ_DTC + 0x40 || answer[1] != BY_MASK || (n - HEAD) % ROW != 0)
        return BMS_ERR_CORRUPT;
    size_t count = (n - HEAD) / ROW;

    if (count > DTC_LIST_MAX)
        return BMS_ERR_CORRUPT;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = answer + HEAD + ROW * i;

        rows[i] = (struct dtc_row) { .code = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], .status = p[3] };
        rows[i].alarm = alarm_of(rows[i].code);
    }
    return (int)count;
}
