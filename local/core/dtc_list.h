/* SPDX-License-Identifier: Apache-2.0 */
/* dtc_list.h -- the answer to 19 02 (report DTC by status mask) as rows. Pure; the bytes come from outside. */
#ifndef LOCAL_CORE_DTC_LIST_H
#define LOCAL_CORE_DTC_LIST_H

#include <stddef.h>
#include <stdint.h>

enum { DTC_LIST_MAX = 128 };

struct dtc_row {
    uint32_t code; /* 24 bits, as in alarms.def */
    uint8_t status;
    int alarm; /* index in alarm_rows, -1 for a code of another version's table */
};

/* rows[DTC_LIST_MAX]. Returns the count, or BMS_ERR_CORRUPT when it is no such answer. */
int dtc_list_parse(const uint8_t *answer, size_t n, struct dtc_row *rows);

#endif
