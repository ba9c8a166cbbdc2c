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
 */
#ifndef PROTO_UDS_H
#define PROTO_UDS_H

enum uds_service {
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
};

enum {
    DID_PARAM_RUNNING = 0x2000, /* + parameter id */
    DID_PARAM_STORED = 0x3000,  /* + parameter id */
    UDS_ROUTINE_STORE = 0x0201,
    UDS_ROUTINE_RESEND = 0x0202,
    UDS_DIDS_MAX = 64,
};

#endif
