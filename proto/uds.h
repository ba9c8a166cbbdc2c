/* SPDX-License-Identifier: Apache-2.0 */
/* uds.h -- the UDS services (ISO 14229-1) and identifiers that the BIU answers on CAN0. One tester at a time: the DTU, or a cable.
 *
 * Positive answer = service + 0x40; negative = 7F, service, NRC. Integers are big-endian, as UDS has it. Parameter values are int32.
 *
 *   22 DID [DID ..]                 -> 62 DID value(4) [DID value(4) ..]     at most 64 DIDs
 *   2E 2xxx value(4)                -> 6E 2xxx                             running copy; range-checked; NRC 31 out of range or unknown
 *   31 01 0201                      -> 71 01 0201                          store the running copy (Flash); NRC 72 when NVM fails
 *   31 01 0202 no(4)                -> 71 01 0202 first(4) last(4)         send samples from no on again; first = what the ring still holds
 *   11 01                           -> 51 01                               restart; the answer goes out first
 *   3E 00                           -> 7E 00
 *   10 01 | 03                      -> 50 .. 0032 01F4                     default, extended; back to default after S3 of 5 s without a request
 *   14 group(3)                     -> 54                                  FFFFFF = all, or one code
 *   19 01 | 02 mask                 -> 59 01 FF 01 count(2) | 59 02 FF [code(3) status ..]
 *   19 04 | 06 code(3) record       -> 59 04 | 06 code(3) status [01 ..]   snapshot; how often it came
 *   19 0A                           -> 59 0A FF [code(3) status ..]
 *   27 01 | 02 key(4)               -> 67 01 seed(4) | 67 02               extended session; three wrong keys: 10 s without a seed
 *   28 00 | 01 type                 -> 68 ..                               extended session; the sample stream on and off
 *   85 01 | 02                      -> C5 ..                               extended session; trouble codes noted or not
 *
 * Functional addressing (everybody): CAN0_ISOTP_TO_ALL, single frames.
 */
#ifndef PROTO_UDS_H
#define PROTO_UDS_H

#include <stdint.h>

enum uds_service {
    UDS_SESSION = 0x10,
    UDS_CLEAR_DTC = 0x14,
    UDS_READ_DTC = 0x19,
    UDS_SECURITY = 0x27,
    UDS_COMMUNICATION = 0x28,
    UDS_DTC_SETTING = 0x85,
    UDS_ECU_RESET = 0x11,
    UDS_READ_DATA = 0x22,
    UDS_WRITE_DATA = 0x2E,
    UDS_ROUTINE = 0x31,
    UDS_TESTER_PRESENT = 0x3E,
    UDS_NEGATIVE = 0x7F
};

enum uds_nrc {
    UDS_NRC_SERVICE = 0x11,
    UDS_NRC_SUBFUNCTION = 0x12,
    UDS_NRC_LENGTH = 0x13,
    UDS_NRC_TOO_LONG = 0x14,
    UDS_NRC_CONDITIONS = 0x22,
    UDS_NRC_RANGE = 0x31,
    UDS_NRC_PROGRAMMING = 0x72,
    UDS_NRC_PENDING = 0x78,
    UDS_NRC_SEQUENCE = 0x24,
    UDS_NRC_SECURITY = 0x33,
    UDS_NRC_KEY = 0x35,
    UDS_NRC_ATTEMPTS = 0x36,
    UDS_NRC_DELAY = 0x37,
    UDS_NRC_SUBFUNCTION_NOT_IN_SESSION = 0x7E,
    UDS_NRC_NOT_IN_SESSION = 0x7F,
};

enum {
    DID_PARAM_RUNNING = 0x2000, /* + parameter id */
    DID_PARAM_STORED = 0x3000,  /* + parameter id */
    UDS_ROUTINE_STORE = 0x0201,
    UDS_ROUTINE_RESEND = 0x0202,
    UDS_DIDS_MAX = 64,
};

enum uds_session { UDS_SESSION_DEFAULT = 1, UDS_SESSION_EXTENDED = 3 };

enum {
    DID_ACTIVE_SESSION = 0xF186,  /* 1 byte */
    DID_SNAPSHOT_NUMBER = 0x1001, /* in snapshots alone: cell, probe or chip */
    DID_SNAPSHOT_VALUE = 0x1002,
    DID_SNAPSHOT_PACK_mV = 0x1003,
    DID_SNAPSHOT_PACK_mA = 0x1004,
    DID_SNAPSHOT_SOC = 0x1005,
    DID_SNAPSHOT_UTC_HI = 0x1006,
    DID_SNAPSHOT_UTC_LO = 0x1007,
    UDS_S3_MS = 5000,
    UDS_KEY_ATTEMPTS = 3,
    UDS_KEY_DELAY_MS = 10000,
};

/* The key that answers a seed. It keeps a slip of the hand away, not an attacker: everybody can read it here. */
static inline uint32_t uds_key(uint32_t seed)
{
    uint32_t x = seed ^ 0x43574255u;

    x = x << 7 | x >> 25;
    return x * 2246822519u + 0x27D4EB2Fu;
}

#endif
