/* SPDX-License-Identifier: Apache-2.0 */
/* gbt27930.h -- the messages between a DC charger and a BMS (GB/T 27930-2015): what they are called, how long they are, what is in them.
 *
 * Bytes only; who sends what when is in gbt_bms.h. The rows are in gbt27930.def. Values are physical and in the unit of their name;
 * current has the house's sign: negative while charging, as the standard's offset of -400 A gives it.
 */
#ifndef FIRMWARE_CHARGE_GBT27930_H
#define FIRMWARE_CHARGE_GBT27930_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"

enum { GBT_CHARGER = 0x56, GBT_BMS = 0xF4, GBT_MESSAGE_MAX = 512, GBT_YES = 0xAA, GBT_NO = 0x00, GBT_BRM_LEN = 41, GBT_BRM_LONG = 49 };

enum gbt_msg {
#define GBT_MSG(name, pf, priority, from, shortest, longest, period_ms) GBT_##name,
#define GBT_FIELD(msg, name, start, bits, scale, offset)
#define GBT_TEXT(msg, name, start, bytes)
#include "firmware/core/charge/gbt27930.def"
    GBT_MSGS
};

enum gbt_field { /* GBT_BHM_max_mV, ... */
#define GBT_MSG(name, pf, priority, from, shortest, longest, period_ms)
#define GBT_FIELD(msg, name, start, bits, scale, offset) GBT_##msg##_##name,
#define GBT_TEXT(msg, name, start, bytes)
#include "firmware/core/charge/gbt27930.def"
                 GBT_FIELDS
};

enum gbt_text { /* GBT_BRM_vin, ... */
#define GBT_MSG(name, pf, priority, from, shortest, longest, period_ms)
#define GBT_FIELD(msg, name, start, bits, scale, offset)
#define GBT_TEXT(msg, name, start, bytes) GBT_##msg##_##name,
#include "firmware/core/charge/gbt27930.def"
                GBT_TEXTS
};

enum gbt_battery {
    GBT_BATTERY_LEAD = 1,
    GBT_BATTERY_NIMH,
    GBT_BATTERY_LFP,
    GBT_BATTERY_LMO,
    GBT_BATTERY_LCO,
    GBT_BATTERY_TERNARY,
    GBT_BATTERY_POLYMER,
    GBT_BATTERY_LTO,
    GBT_BATTERY_OTHER = 0xFF
};

enum gbt_stop { /* bit positions of the pairs in BST and CST: 00 no, 01 yes */
                GBT_BST_SOC = 0,
                GBT_BST_PACK_VOLTAGE = 2,
                GBT_BST_CELL_VOLTAGE = 4,
                GBT_BST_CHARGER = 6,
                GBT_BST_INSULATION = 8,
                GBT_BST_CONNECTOR_HOT = 10,
                GBT_BST_BMS_HOT = 12,
                GBT_BST_CONNECTOR = 14,
                GBT_BST_PACK_HOT = 16,
                GBT_BST_RELAY = 18,
                GBT_BST_CC2 = 20,
                GBT_BST_OTHER = 22,
                GBT_BST_CURRENT = 24,
                GBT_BST_VOLTAGE = 26,
                GBT_CST_DONE = 0,
                GBT_CST_MANUAL = 2,
                GBT_CST_FAULT = 4,
                GBT_CST_BMS = 6,
};

enum gbt_bms_error { /* bit positions in BEM: what the BMS waited for in vain */
                     GBT_BEM_CRM_NO = 0,
                     GBT_BEM_CRM_YES = 2,
                     GBT_BEM_CML = 8,
                     GBT_BEM_CRO = 10,
                     GBT_BEM_CCS = 16,
                     GBT_BEM_CST = 18,
                     GBT_BEM_CSD = 24,
};

enum gbt_charger_error { /* bit positions in CEM */
                         GBT_CEM_BRM = 0,
                         GBT_CEM_BCP = 8,
                         GBT_CEM_BRO = 10,
                         GBT_CEM_BCS = 16,
                         GBT_CEM_BCL = 18,
                         GBT_CEM_BST = 20,
                         GBT_CEM_BSD = 24,
};
#define GBT_BEM_NONE 0xFCF0F0F0u /* every pair 00, unused bits 1 */
#define GBT_CEM_NONE 0xFCC0F0FCu

struct gbt_msg_row {
    const char *name;
    uint8_t pf, priority, from; /* GBT_CHARGER or GBT_BMS */
    uint16_t shortest, longest, period_ms;
};

extern const struct gbt_msg_row gbt_msgs[GBT_MSGS];

/* The message that a PGN from this sender names, or -1. */
int gbt_by_pgn(uint32_t pgn, uint8_t from);

/* The message of a frame between charger and BMS, or -1: not one of ours, or the transport's. */
int gbt_of_frame(const struct can_frame *f);

bool gbt_is_length(enum gbt_msg msg, size_t n);

/* Read a field of its message data[n]. False: behind the end (then *value is 0). */
bool gbt_get(enum gbt_field field, const uint8_t *data, size_t n, int32_t *value);

/* Write a field; a value that does not fit becomes the nearest that does. data[n] must hold the field, else nothing happens. */
void gbt_put(enum gbt_field field, uint8_t *data, size_t n, int32_t value);

/* The bytes of a text and their number, or NULL behind the end. */
const uint8_t *gbt_text(enum gbt_text text, const uint8_t *data, size_t n, size_t *size);
void gbt_put_text(enum gbt_text text, uint8_t *data, size_t n, const char *s);

enum gbt_msg gbt_message_of(enum gbt_field field);

/* A frame with data[n], n <= 8, from its sender to the other; the rest of 8 stays away. */
struct can_frame gbt_frame(enum gbt_msg msg, const uint8_t *data, size_t n);

#endif
