/* SPDX-License-Identifier: Apache-2.0 */
/* uds.h -- the UDS services (ISO 14229-1) and identifiers that the BIU answers on CAN0. One tester at a time: the DTU, or a cable.
 *
 * Positive answer = service + 0x40; negative = 7F, service, NRC. Integers are big-endian, as UDS has it. Parameter values are int32.
 *
 *   22 DID [DID ..]                 -> 62 DID value(4) [DID value(4) ..]     at most 128 DIDs
 *   2E 2xxx value(4)                -> 6E 2xxx                             running copy; range-checked; NRC 31 out of range or unknown
 *   31 01 0201                      -> 71 01 0201                          store the running copy (Flash); NRC 72 when NVM fails; meanwhile writes: NRC 21
 *   31 01 0202 no(4)                -> 71 01 0202 first(4) last(4)         send samples from no on again; first = what the ring still holds
 *   11 01                           -> 51 01                               restart; the answer goes out first
 *   3E 00                           -> 7E 00
 *   10 01 | 02 | 03                 -> 50 .. 0032 01F4                     default, programming, extended; back to default after S3 of 5 s without a
 *                                                                          request. Programming wants open contactors, and keeps them open
 *   14 group(3)                     -> 54                                  FFFFFF = all, or one code
 *   19 01 | 02 mask                 -> 59 01 FF 01 count(2) | 59 02 FF [code(3) status ..]
 *   19 04 | 06 code(3) record       -> 59 04 | 06 code(3) status [01 ..]   snapshot; how often it came
 *   19 0A                           -> 59 0A FF [code(3) status ..]
 *   27 01 | 02 key(4)               -> 67 01 seed(4) | 67 02               extended session; three wrong keys: 10 s without a seed
 *   28 00 | 01 type                 -> 68 ..                               extended session; the sample stream on and off
 *   85 01 | 02                      -> C5 ..                               extended session; trouble codes noted or not
 *
 *   31 01 0203                      -> 71 01 0203 failed(2)                self-test: failed units, one bit each, 0 = all well (self_check)
 *   31 01 0204 soc(2)               -> 71 01 0204                          set the SOC, 0.01 %; as 2E 1010
 *   31 01 0205 what(1) [mA(4)]      -> 71 01 0205 offset(4) gain(4)        calibrate the current: 00 zero is now, 01 so much flows now, 02 as delivered
 *   31 01 0206 relay(1)             -> 71 01 0206                          contactor test: close one BIU_RELAY_* for a moment; 31 02 stops it
 *   31 03 0206                      -> 71 03 0206 result(1)                enum uds_test
 *   31 01 0207 alarm(1) seconds(2)  -> 71 01 0207                          simulated failure; 31 02 ends them all
 *   31 03 0207                      -> 71 03 0207 [alarm(1) seconds(2) ..] what is simulated, and how long still
 *   31 01 0208                      -> 71 01 0208 size(4) verified(4) crc(4)   how far the download is; CRC-32C of the verified bytes
 *   31 01 FF00                      -> 71 01 FF00                          erase the second slot
 *   31 01 FF01 crc(4)               -> 71 01 FF01 00                       is the image whole? CRC-32C of all of it; NRC 24 not all here, 72 another CRC
 *   34 00 44 address(4) size(4)     -> 74 20 block(2)                      download into the second slot, from 0 or from `verified`
 *   35 10 44 address(4) size(4)     -> 75 20 block(2)                      upload of the catalogue, zlib, from UDS_MEMORY_CATALOGUE
 *   36 counter [data]               -> 76 counter [data]                   a repeated block is answered and not written again; NRC 73
 *   37                              -> 77
 *
 * 0207 needs the extended session and the key of 27; FF00, FF01, 34 need the programming session, the key, and open contactors (NRC 22).
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
    UDS_REQUEST_DOWNLOAD = 0x34,
    UDS_REQUEST_UPLOAD = 0x35,
    UDS_TRANSFER_DATA = 0x36,
    UDS_TRANSFER_EXIT = 0x37,
    UDS_TESTER_PRESENT = 0x3E,
    UDS_NEGATIVE = 0x7F
};

enum uds_nrc {
    UDS_NRC_SERVICE = 0x11,
    UDS_NRC_SUBFUNCTION = 0x12,
    UDS_NRC_LENGTH = 0x13,
    UDS_NRC_TOO_LONG = 0x14,
    UDS_NRC_BUSY = 0x21,
    UDS_NRC_CONDITIONS = 0x22,
    UDS_NRC_RANGE = 0x31,
    UDS_NRC_NOT_ACCEPTED = 0x70,
    UDS_NRC_SUSPENDED = 0x71,
    UDS_NRC_PROGRAMMING = 0x72,
    UDS_NRC_BLOCK_COUNTER = 0x73,
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
    UDS_ROUTINE_SELF_TEST = 0x0203,
    UDS_ROUTINE_SET_SOC = 0x0204,
    UDS_ROUTINE_CALIBRATE = 0x0205,
    UDS_ROUTINE_CONTACTOR = 0x0206,
    UDS_ROUTINE_SIMULATE = 0x0207,
    UDS_ROUTINE_PROGRESS = 0x0208,
    UDS_ROUTINE_ERASE = 0xFF00,
    UDS_ROUTINE_CHECK = 0xFF01,
    UDS_DIDS_MAX = 128,
    UDS_BLOCK_MAX = 514, /* bytes of a 36 request, service and counter included */
};
#define UDS_MEMORY_CATALOGUE 0x80000000u /* address of the catalogue in 35; the second slot begins at 0 */

enum uds_session { UDS_SESSION_DEFAULT = 1, UDS_SESSION_PROGRAMMING = 2, UDS_SESSION_EXTENDED = 3 };
enum uds_calibrate { UDS_CALIBRATE_ZERO = 0, UDS_CALIBRATE_GAIN = 1, UDS_CALIBRATE_FACTORY = 2 };
enum uds_test { UDS_TEST_NEVER, UDS_TEST_RUNNING, UDS_TEST_PASSED, UDS_TEST_FAILED, UDS_TEST_STOPPED };

enum {
    DID_ACTIVE_SESSION = 0xF186,  /* 1 byte */
    DID_SOC_SET = 0x1010,         /* 2 bytes, 0.01 %: what was set by calibration, 65535 = not set (ES-5); can be written */
    DID_CATALOGUE = 0x1011,       /* 12 bytes: hash of the tables, packed size, plain size */
    DID_RELAY_WEAR = 0x1012,      /* 64 bytes: RL1 to RL8, times closed (4), sum of the amperes opened (4), since production */
    DID_SNAPSHOT_NUMBER = 0x1001, /* in snapshots alone: cell, probe or chip */
    DID_SNAPSHOT_VALUE = 0x1002,
    DID_SNAPSHOT_PACK_mV = 0x1003,
    DID_SNAPSHOT_PACK_mA = 0x1004,
    DID_SNAPSHOT_SOC = 0x1005,
    DID_SNAPSHOT_UTC_HI = 0x1006,
    DID_SNAPSHOT_UTC_LO = 0x1007,
    DID_SNAPSHOT_SECOND =
        0x1008, /* 160 bytes: ten points of firmware/core/protection/freeze.h, oldest first; all ones where there is none */
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
