/* SPDX-License-Identifier: Apache-2.0 */
/* crc.h -- the three checksums of the system. Each takes the result so far, so data may come in pieces.
 *
 *   crc8_j1850   CAN frames (SAE J1850: poly 1D, init FF, xorout FF; "123456789" -> 4B)      start with CRC8_J1850_INIT
 *   crc16_ibm    AFE frames (poly 8005 reflected, init 0; "123456789" -> BB3D)               start with 0
 *   crc32c       records, journal, NVM (Castagnoli, as in RFC 3720; "123456789" -> E3069283) start with 0
 */
#ifndef COMMON_CRC_H
#define COMMON_CRC_H

#include <stddef.h>
#include <stdint.h>

#define CRC8_J1850_INIT 0u

uint8_t crc8_j1850(uint8_t crc, const uint8_t *data, size_t n);
uint16_t crc16_ibm(uint16_t crc, const uint8_t *data, size_t n);
uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t n);

#endif
