/* SPDX-License-Identifier: Apache-2.0 */
/* nvm_place.h -- what the three stores (nvm.h, key_store.h, code_store.h) have in common: is a place in memory written, and why is nothing found. */
#ifndef FIRMWARE_NVM_PLACE_H
#define FIRMWARE_NVM_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every one of p[n] has this value; n >= 1. */
bool nvm_is_all(const uint8_t *p, size_t n, uint8_t value);

/* p[n] was never written: flash and most EEPROMs come as FF, some memories as 00. */
bool nvm_is_blank(const uint8_t *p, size_t n);

/* Of two places without a valid save, the error that says most: BMS_ERR_CORRUPT (something was there), BMS_ERR_IO (cannot be read),
 * BMS_ERR_UNKNOWN (never written). */
int nvm_worse(int a, int b);

#endif
