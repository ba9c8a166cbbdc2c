/* SPDX-License-Identifier: Apache-2.0 */
/* afe.h -- the wire of the AFE daisy chain: a bq76PL455A-class chip. Both ends (firmware driver, simulated chip) are written from this page.
 *
 * Command frame, BIU -> chain:   init | [device] | register | data ... | CRC-16-IBM low, high
 *   init = 0x80 | request << 4 | size; size = 1 to 6 data bytes. 8-bit register addresses. `device` only with the single-device requests.
 *   A read is a write-with-response whose data is (bytes wanted - 1); 1 to 128 bytes.
 * Response frame, chain -> BIU:  length - 1 (bit 7 clear) | data ... | CRC-16-IBM low, high
 *   A broadcast request with response is answered by every device, the highest address first, each with a frame of its own.
 * Registers of more than one byte are big-endian. Vectors: 81 00 03 03 -> CRC 68 CD; 0B 7319 72FC 730E 730D 7311 72F1 -> CRC F6 DF.
 *
 * Start: every chip comes up without an address. Broadcast AFE_REG_DEV_CTRL = AFE_DEV_CTRL_AUTO_ADDRESS, then broadcast AFE_REG_ADDR = 0, 1,
 * 2, ... : each chip takes the first value it sees and passes on the later ones. A chip that has been reset answers nothing until addressed.
 * Scan: broadcast with response AFE_REG_CMD = AFE_CMD_SAMPLE_REPORT | highest address. Each answer holds the channels chosen in
 * AFE_REG_CHANNELS: the cells from the highest to cell 1, then the AUX inputs from the highest to AUX0, then the die, 2 bytes each.
 * Cell: 5 V / 65536 an LSB. AUX: NTC to ground with a pull-up of AFE_NTC_PULLUP_OHM to 5 V, 5 V / 65536 an LSB, ratiometric; the NTCs are on AUX0 to AUX3.
 * Die: 5 V / 65536 an LSB; (mV - AFE_DIE_0_C_mV) * AFE_DIE_mK_PER_V / 1000 mK, that is 0 degC at 2.287 V and 131.944 K for each volt.
 * Balancing: bit k of AFE_REG_CBENBL turns on the bypass of cell k + 1. AFE_REG_CBTIME (seconds, 0 = until cleared) turns them off if the BIU is silent.
 */
#ifndef PROTO_AFE_H
#define PROTO_AFE_H

enum afe_request {
    AFE_SINGLE_RESPOND = 0,
    AFE_SINGLE = 1,
    AFE_BROADCAST_RESPOND = 6,
    AFE_BROADCAST = 7,
};

enum afe_register {                     /* bytes */
                    AFE_REG_CMD = 0x02, /* 1 */
                    AFE_REG_CHANNELS =
                        0x03,            /* 4: bit 31 - k = cell 16 - k (k = 0 to 15), bits 15 to 8 = AUX7 to AUX0, bit 7 = die, others 0 */
                    AFE_REG_ADDR = 0x0A, /* 1: 0 to 15 */
                    AFE_REG_DEV_CTRL = 0x0C,  /* 1 */
                    AFE_REG_NCHAN = 0x0D,     /* 1: cells in use, 6 to 16 */
                    AFE_REG_CBTIME = 0x13,    /* 1 */
                    AFE_REG_CBENBL = 0x14,    /* 2 */
                    AFE_REG_STATUS = 0x51,    /* 1 */
                    AFE_REG_FAULT_SUM = 0x52, /* 2; writing 1s clears */
                    AFE_REG_FAULT_COM = 0x60, /* 2: frames with a bad CRC since cleared, saturating */
};

enum {
    AFE_INIT_COMMAND = 0x80,
    AFE_DEV_CTRL_AUTO_ADDRESS = 0x08,
    AFE_CMD_SAMPLE_REPORT = 0x20,
    AFE_STATUS_RESET = 0x80, /* set by power-on, cleared by writing 1 */
    AFE_AUX_INPUTS = 8,
    AFE_COMMAND_MAX = 1 + 1 + 1 + 6 + 2,
    AFE_RESPONSE_MAX = 1 + 128 + 2,
    AFE_NTC_PULLUP_OHM = 100000,
    AFE_FULL_SCALE_mV = 5000,
    AFE_CHANNEL_DIE = 0x80,
    AFE_DIE_0_C_mV = 2287,
    AFE_DIE_mK_PER_V = 131944,
};

#endif
