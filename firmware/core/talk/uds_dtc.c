/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/uds_service.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"

enum { COUNT_BY_MASK = 1, LIST_BY_MASK = 2, SNAPSHOT = 4, EXTENDED = 6, SUPPORTED = 0x0A };
enum {
    AVAILABLE = 0xFF,
    FORMAT_14229_1 = 1,
    RECORD_FIRST = 1,
    RECORD_AGEING = 2,     /* extended data: operation cycles without a failure */
    RECORD_SECONDS = 0x10, /* 0x10 the last second before the code came, 0x19 the tenth */
    RECORD_ALL = 0xFF,
    DTC_BYTES = 3,
    SNAPSHOT_DIDS = 7,
    SETTING_ON = 1,
    SETTING_OFF = 2
};

_Static_assert(3 + ALARMS * 4 <= (int)UDS_RESPONSE_MAX, "one answer lists all codes");
_Static_assert(46 + FREEZE_SECONDS * (4 + FREEZE_PER_SECOND * FREEZE_POINT_SIZE) <= (int)UDS_RESPONSE_MAX, "one answer holds all records");

static uint32_t get_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | get_be16(p + 1);
}

static void put_dtc(uint8_t *p, const struct uds *u, int row)
{
    p[0] = (uint8_t)(alarm_rows[row].dtc >> 16);
    put_be16(p + 1, (uint16_t)alarm_rows[row].dtc);
    p[DTC_BYTES] = u->dtc->row[row].status;
}

/* Sub-functions 01, 02 and 0A: how many, which, all. */
static int list(const struct uds *u, uint8_t how, uint8_t mask, uint8_t *out)
{
    int count = 0;
    uint8_t *at = out + 3;

    out[2] = AVAILABLE;
    for (int i = 0; i < ALARMS; i++) {
        if (how != SUPPORTED && !(u->dtc->row[i].status & mask))
            continue;
        count++;
        if (how != COUNT_BY_MASK) {
            put_dtc(at, u, i);
            at += DTC_BYTES + 1;
        }
    }
    if (how == COUNT_BY_MASK) {
        *at++ = FORMAT_14229_1;
        put_be16(at, (uint16_t)count);
        at += 2;
    }
    return (int)(at - out);
}

static uint8_t *put_did(uint8_t *p, uint16_t did, uint32_t value, size_t bytes)
{
    put_be16(p, did);
    for (size_t i = 0; i < bytes; i++)
        p[2 + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    return p + 2 + bytes;
}

static uint8_t *put_snapshot(uint8_t *p, const struct dtc_snapshot *s)
{
    *p++ = RECORD_FIRST;
    *p++ = SNAPSHOT_DIDS;
    p = put_did(p, DID_SNAPSHOT_NUMBER, s->alarm.number, 2);
    p = put_did(p, DID_SNAPSHOT_VALUE, (uint16_t)s->alarm.value, 2);
    p = put_did(p, DID_SNAPSHOT_PACK_mV, (uint32_t)s->pack_mV, 4);
    p = put_did(p, DID_SNAPSHOT_PACK_mA, (uint32_t)s->pack_mA, 4);
    p = put_did(p, DID_SNAPSHOT_SOC, (uint32_t)s->soc_permyriad, 4);
    p = put_did(p, DID_SNAPSHOT_UTC_HI, (uint32_t)(s->utc_ms >> 32), 4);
    return put_did(p, DID_SNAPSHOT_UTC_LO, (uint32_t)s->utc_ms, 4);
}

/* The records of the seconds before that are asked for. */
static uint8_t *put_seconds(uint8_t *p, const struct uds *u, int row, uint8_t record)
{
    const struct freeze_slot *slot = freeze_of(&u->dtc->freeze, (uint16_t)row);

    for (int ago = 0; slot && ago < FREEZE_SECONDS; ago++) {
        if (record != RECORD_ALL && record != RECORD_SECONDS + ago)
            continue;
        int points = freeze_pack(slot, ago, p + 4);

        if (points == 0)
            continue;
        memset(p + 4 + points * FREEZE_POINT_SIZE, 0xFF, (size_t)(FREEZE_PER_SECOND - points) * FREEZE_POINT_SIZE);
        p[0] = (uint8_t)(RECORD_SECONDS + ago);
        p[1] = 1;
        put_be16(p + 2, DID_SNAPSHOT_SECOND);
        p += 4 + FREEZE_PER_SECOND * FREEZE_POINT_SIZE;
    }
    return p;
}

static bool is_record(uint8_t what, uint8_t record)
{
    bool second = record >= RECORD_SECONDS && record < RECORD_SECONDS + FREEZE_SECONDS;

    return record == RECORD_FIRST || record == RECORD_ALL || (what == SNAPSHOT && second) || (what == EXTENDED && record == RECORD_AGEING);
}

/* Sub-functions 04 and 06: one code's snapshot, or how often it came. A record that has not been taken yet is left out. */
static int details(const struct uds *u, const uint8_t *req, uint8_t *out)
{
    int row = dtc_find(get_be24(req + 2));
    uint8_t *at = out + 2 + DTC_BYTES + 1, record = req[2 + DTC_BYTES];

    if (row < 0 || !is_record(out[1], record))
        return -UDS_NRC_RANGE;
    const struct dtc_row *r = &u->dtc->row[row];

    put_dtc(out + 2, u, row);
    if (r->occurrences && out[1] == SNAPSHOT && (record == RECORD_FIRST || record == RECORD_ALL))
        at = put_snapshot(at, &r->snapshot);
    if (r->occurrences && out[1] == SNAPSHOT)
        at = put_seconds(at, u, row, record);
    if (r->occurrences && out[1] == EXTENDED && record != RECORD_AGEING) {
        *at++ = RECORD_FIRST;
        *at++ = r->occurrences;
    }
    if (r->occurrences && out[1] == EXTENDED && record != RECORD_FIRST) {
        *at++ = RECORD_AGEING;
        *at++ = r->ageing;
    }
    return (int)(at - out);
}

int uds_19_read_dtc_information(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 2)
        return -UDS_NRC_LENGTH;
    out[1] = req[1] & (uint8_t)~UDS_SUPPRESS;
    switch (out[1]) {
    case COUNT_BY_MASK:
    case LIST_BY_MASK:
        return n == 3 ? list(u, out[1], req[2], out) : -UDS_NRC_LENGTH;
    case SUPPORTED:
        return n == 2 ? list(u, out[1], 0, out) : -UDS_NRC_LENGTH;
    case SNAPSHOT:
    case EXTENDED:
        return n == 2 + DTC_BYTES + 1 ? details(u, req, out) : -UDS_NRC_LENGTH;
    default:
        return -UDS_NRC_SUBFUNCTION;
    }
}

int uds_14_clear_diagnostic_information(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)out;
    if (n != 1 + DTC_BYTES)
        return -UDS_NRC_LENGTH;
    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    return dtc_clear(u->dtc, get_be24(req + 1)) == BMS_ERR_OK ? 1 : -UDS_NRC_RANGE;
}

int uds_85_control_dtc_setting(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 2)
        return -UDS_NRC_LENGTH;
    uint8_t setting = req[1] & (uint8_t)~UDS_SUPPRESS;

    if (setting != SETTING_ON && setting != SETTING_OFF)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 2)
        return -UDS_NRC_LENGTH;
    u->dtc->held = setting == SETTING_OFF;
    out[1] = setting;
    return 2;
}
