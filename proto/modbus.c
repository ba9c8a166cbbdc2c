/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/modbus.h"

const struct modbus_row modbus_inputs[] = {
#define INPUT(address_, name_, scalar_, divide_, kind_, unit_, text_)                                                                      \
    { address_, 1, true, SAMPLE_##scalar_, MODBUS_KIND_##kind_, divide_, #name_, unit_, text_ },
#define OTHER(address_, name_, what_, unit_, text_) { address_, 1, false, MODBUS_##what_, MODBUS_KIND_U, 1, #name_, unit_, text_ },
#define BLOCK(address_, count_, name_, what_, unit_, text_)                                                                                \
    { address_, count_, false, MODBUS_##what_, MODBUS_KIND_U, 1, #name_, unit_, text_ },
#include "proto/modbus.def"
};

const struct modbus_row modbus_holdings[] = {
#define HOLD(address_, name_, what_, unit_, text_) { address_, 1, false, MODBUS_##what_, MODBUS_KIND_U, 1, #name_, unit_, text_ },
#include "proto/modbus.def"
};

const uint16_t modbus_input_count = sizeof(modbus_inputs) / sizeof(modbus_inputs[0]);
const uint16_t modbus_holding_count = sizeof(modbus_holdings) / sizeof(modbus_holdings[0]);
