/* SPDX-License-Identifier: Apache-2.0 */
/* can.h -- one classical CAN frame (ISO 11898-1), as every part of the system hands it on. */
#ifndef COMMON_CAN_H
#define COMMON_CAN_H

#include <stdbool.h>
#include <stdint.h>

struct can_frame {
    uint32_t id; /* 11 or 29 bits, without flags */
    bool ext;    /* 29-bit identifier */
    uint8_t len; /* 0 to 8 */
    uint8_t data[8];
};

#endif
