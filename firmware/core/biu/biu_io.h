/* SPDX-License-Identifier: Apache-2.0 */
/* biu_io.h -- what goes into one step of a BIU, and what comes out. All of it is data; nothing here does anything.
 *
 * The caller fills `struct biu_in` afresh for every step. Analog readings are sample scalars: a value, or scalar_invalid(why).
 */
#ifndef FIRMWARE_BIU_IO_H
#define FIRMWARE_BIU_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"
#include "firmware/core/diagnosis/self_check.h"
#include "firmware/core/measure/sense.h"
#include "proto/sample.h"
#include "proto/tables.h"

enum {
    BIU_STEP_MS = 10,
    BIU_AFE_TX_MAX = 768,    /* bytes to the chain in one step */
    BIU_CAN_TX_MAX = 64,     /* frames to CAN0 in one step */
    BIU_CAN1_TX_MAX = 8,     /* to CAN1, the vehicle */
    BIU_RS485_TX_MAX = 2048, /* bytes to RS485 in one step: an answer of UDS and one to a display */
    BIU_CAN2_TX_MAX = 16,    /* to CAN2, the DC charger */
};

enum biu_relay {                               /* contactor masks */
                 BIU_RELAY_DISCHARGE = 1 << 0, /* RL1 */
                 BIU_RELAY_PRECHARGE = 1 << 1, /* RL2 */
                 BIU_RELAY_CHARGE = 1 << 2,    /* RL3 */
                 BIU_RELAY_HEATING = 1 << 3,   /* RL4; bits 4 to 7 of a mask of relays are RL5 to RL8 */
};

enum biu_input { /* digital inputs (ME-9) */
                 BIU_INPUT_HIGH = 1 << 0,
                 BIU_INPUT_ACC = 1 << 1,
                 BIU_INPUT_KEYON = 1 << 2,   /* this bit, not keyon_mV, asks for driving */
                 BIU_INPUT_CHARGER = 1 << 3, /* this bit, not charger_wake_mV, asks for charging; it wins over KeyOn */
};

enum biu_nvm { BIU_NVM_IDLE, BIU_NVM_DONE, BIU_NVM_FAILED };

enum biu_slot { BIU_SLOT_NOTHING, BIU_SLOT_ERASE, BIU_SLOT_WRITE };

struct biu_slot_order { /* what is to be done to the second program slot */
    enum biu_slot what;
    uint32_t offset; /* of a write */
    const uint8_t *data;
    size_t n;
};

struct biu_in {
    uint32_t now_ms; /* monotonic, may wrap */
    uint64_t utc_ms; /* since 1970; 0 = this board has no clock (then DTU_Clock serves) */

    const uint8_t *afe_rx; /* what the chain has sent since the last step; borrowed for the call; may be NULL when 0 */
    size_t afe_rx_len;
    const struct can_frame *can_rx; /* received from CAN0 since the last step, without our own; borrowed for the call */
    size_t can_rx_count;
    size_t can_room; /* frames that CAN0 can take in this step; no more are given out; 0 holds the stream back without losing a sample */
    const struct can_frame *can1_rx, *can2_rx; /* the same for the vehicle bus and for the DC charger's; a bus without room is not fitted */
    size_t can1_rx_count, can2_rx_count;
    size_t can1_room, can2_room;
    const uint8_t *rs485_rx; /* bytes from RS485 since the last step, without our own; borrowed for the call */
    size_t rs485_rx_len;

    int32_t pack_voltage_mV, link_voltage_mV; /* before and behind the contactors */
    int32_t supply_mV, keyon_mV, charger_wake_mV;
    struct sense sense;          /* the board's own inputs, raw */
    struct self_facts self;      /* what the board knows of itself */
    uint8_t inputs;              /* BIU_INPUT_* */
    uint8_t contactors_feedback; /* BIU_RELAY_* read back closed */
    bool afe_fault;              /* the chain's fault line is active */
    enum biu_nvm nvm;            /* how the write asked for by biu_out.nvm_write ended: told once, in any later step */
    uint32_t slot_size;          /* bytes of the second program slot, 0 = none */
    enum biu_nvm slot;           /* the same for biu_out.slot; a write has been read back and compared */
};

struct biu_out {
    uint8_t afe_tx[BIU_AFE_TX_MAX]; /* to the chain, in order */
    size_t afe_tx_len;
    struct can_frame can_tx[BIU_CAN_TX_MAX]; /* to CAN0, in order */
    size_t can_tx_count;
    struct can_frame can1_tx[BIU_CAN1_TX_MAX]; /* to the vehicle bus, in order */
    size_t can1_tx_count;
    struct can_frame can2_tx[BIU_CAN2_TX_MAX]; /* to the DC charger, in order */
    size_t can2_tx_count;
    uint8_t rs485_tx[BIU_RS485_TX_MAX]; /* to RS485, in order */
    size_t rs485_tx_len;
    uint8_t contactors;         /* BIU_RELAY_* to energise now */
    uint8_t bridge;             /* SENSE_BRIDGE_* to connect now */
    uint8_t outputs;            /* free outputs to energise now, bit 0 = RL5 */
    bool less_power;            /* an alarm asks the vehicle and the charger for less */
    bool no_power;              /* the contactors will open as soon as little flows */
    int32_t discharge_limit_dA; /* what the pack gives and takes now; 0 with no_power */
    int32_t charge_limit_dA;
    bool charger_on; /* the charger shall give charger_dA at up to charger_mV */
    int32_t charger_mV, charger_dA;
    uint8_t charge_state;       /* enum charge_state */
    const int32_t *nvm_write;   /* PARAMS values to store, or NULL. Set for one step; the values stay in place until the result is in */
    struct biu_slot_order slot; /* for the second program slot; its data stays in place until the next step */
    bool key_save;              /* save the key data (biu.key) now: the supply falls, or it is time */
    bool restart;               /* restart the board now: the answer to the tester has been given out */
    bool sleep;             /* sleep now, all outputs off, until an input or the timer wakes; then biu_wake(). Stays until it is obeyed */
    uint32_t wake_after_ms; /* the timer; 0 = an input alone wakes */
    const struct sample *sample; /* the sample taken in this step, or NULL; in the ring, valid until the next step */
};

#endif
