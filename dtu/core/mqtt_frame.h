/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_frame.h -- cut a byte stream into MQTT control packets (2.1), any portions in, whole packets out.
 *
 * One packet at a time in the caller's buffer. The length is checked before the body is stored, so a hostile length costs nothing.
 */
#ifndef DTU_CORE_MQTT_FRAME_H
#define DTU_CORE_MQTT_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct mqtt_frame {
    uint8_t *buf; /* body of the packet, buf[size], without the fixed header */
    size_t size;
    size_t got;    /* bytes of the body stored */
    uint32_t want; /* Remaining Length */
    uint8_t first; /* type and flags */
    uint8_t stage; /* bytes of the fixed header seen; 0xFF: in the body */
};

void mqtt_frame_init(struct mqtt_frame *f, uint8_t *buf, size_t size);

/* Take bytes[n] up to the end of one packet. Returns how many were taken; *done is 1 when a packet is whole (f->first, buf[want]), 0 when
 * more is needed. Errors: BMS_ERR_CORRUPT for a Remaining Length of more than 4 bytes, BMS_ERR_NOSPACE for a packet that does not fit. */
int mqtt_frame_feed(struct mqtt_frame *f, const uint8_t *bytes, size_t n, int *done);

#endif
