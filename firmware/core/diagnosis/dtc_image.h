/* SPDX-License-Identifier: Apache-2.0 */
/* dtc_image.h -- the trouble codes as bytes, for a memory that keeps them without power (firmware/app/code_store.h).
 *
 * image: version (1), which alarms were tested since the last clear by id (8), count (1), and for each code that has failed since the last clear: alarm
 * id (1), status (1), occurrences (1), ageing counter (1), level (1), number (2), value (2), pack mV (4), pack mA (4), SOC (4), UTC ms (8);
 * little-endian. The ten seconds before a code came are not in it. Pure.
 */
#ifndef FIRMWARE_DTC_IMAGE_H
#define FIRMWARE_DTC_IMAGE_H

#include "firmware/core/diagnosis/dtc.h"

enum {
    DTC_IMAGE_VERSION = 1,
    DTC_IMAGE_CODES_MAX = 64, /* alarm ids are below */
    DTC_IMAGE_HEAD = 1 + 8 + 1,
    DTC_IMAGE_ROW = 5 + 2 * 2 + 3 * 4 + 8,
    DTC_IMAGE_MAX = DTC_IMAGE_HEAD + DTC_IMAGE_CODES_MAX * DTC_IMAGE_ROW
};

/* To out[DTC_IMAGE_MAX]. Returns how many bytes. */
size_t dtc_pack(const struct dtc_memory *d, uint8_t *out);

/* Into a memory after dtc_init(), as the last operation cycle left it; dtc_begin_cycle() is the next call. Codes of alarms that this firmware does not
 * have are left out. Returns 0, or BMS_ERR_CORRUPT for bytes that no version has; then `d` is as after dtc_init(). */
int dtc_unpack(struct dtc_memory *d, const uint8_t *in, size_t n);

#endif
