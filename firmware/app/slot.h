/* SPDX-License-Identifier: Apache-2.0 */
/* slot.h -- do what the core orders for the second program slot, and prove it: what was written is read back and compared. */
#ifndef FIRMWARE_SLOT_H
#define FIRMWARE_SLOT_H

#include "firmware/core/biu/biu_io.h"
#include "firmware/port/slot_port.h"

/* BIU_NVM_IDLE for no order; port may be NULL: then every order fails. */
enum biu_nvm slot_obey(const struct slot_port *port, const struct biu_slot_order *order);

#endif
