/* SPDX-License-Identifier: Apache-2.0 */
/* biu_app.h -- one BIU on one board: the ports around biu_step(). The simulator is one more board. */
#ifndef FIRMWARE_BIU_APP_H
#define FIRMWARE_BIU_APP_H

#include <stdbool.h>

#include "firmware/app/code_store.h"
#include "firmware/app/key_store.h"
#include "firmware/app/nvm.h"
#include "firmware/app/self_run.h"
#include "firmware/core/biu/biu.h"
#include "firmware/port/afe_port.h"
#include "firmware/port/can_port.h"
#include "firmware/port/clock_port.h"
#include "firmware/port/contactor_port.h"
#include "firmware/port/input_port.h"
#include "firmware/port/nvm_port.h"
#include "firmware/port/serial_port.h"
#include "firmware/port/slot_port.h"
#include "firmware/port/trace_port.h"

struct biu_ports { /* each borrowed, must outlive the app */
    const struct afe_port *afe;
    const struct can_port *can0;
    const struct contactor_port *contactors;
    const struct input_port *inputs;
    const struct nvm_port *nvm;
    const struct clock_port *clock;
    const struct trace_port *trace;     /* NULL = nobody records */
    const struct can_port *can1, *can2; /* vehicle, DC charger; NULL = not fitted */
    const struct serial_port *rs485;    /* NULL = not fitted */
    const struct self_port *self;       /* NULL = the board tells nothing of itself */
    const struct slot_port *slot;       /* the second program slot; NULL = none */
};

enum {
    BIU_APP_AFE_RX_MAX = 2048,
    BIU_APP_CAN_RX_MAX = 128,
    BIU_APP_CAN1_RX_MAX = 16,
    BIU_APP_CAN2_RX_MAX = 32,
    BIU_APP_RS485_RX_MAX = 256
};

struct biu_app {
    struct biu biu;
    struct nvm nvm;
    struct key_store keys;
    struct code_store codes;
    int code_status;      /* of code_store_load() at the start: 0, or why there are no trouble codes from before */
    uint32_t codes_taken; /* biu.dtc.changes when they were last given to the store */
    int key_status;       /* of key_store_load() at the start: 0, or why SOC and counters begin afresh */
    uint32_t key_errors;  /* saves of key data or trouble codes that failed */
    const struct biu_ports *ports;
    struct biu_out out; /* of the last step; out.sample is how a board follows what was measured */
    enum biu_nvm nvm_result, slot_result;
    int nvm_status;      /* of nvm_load() at the start: 0, or why the factory values are in use */
    int topology_status; /* of biu_init() */
    uint16_t replaced;   /* stored values that could not be used */
    bool write_failed;   /* the last write to the memory */
    struct self_run self;
    uint8_t afe_rx[BIU_APP_AFE_RX_MAX];
    uint8_t rs485_rx[BIU_APP_RS485_RX_MAX];
    struct can_frame can_rx[BIU_APP_CAN_RX_MAX], can1_rx[BIU_APP_CAN1_RX_MAX], can2_rx[BIU_APP_CAN2_RX_MAX];
};

/* Boot: load the stored parameters, count the start, start the BIU. factory[PARAMS] are used when nothing valid is stored (a new board,
 * or lost memory; nvm_status says so) and must each be inside their row. Must not be moved afterwards. Returns 0, or BMS_ERR_RANGE as
 * biu_init() does, or BMS_ERR_IO when the start could not be counted; the app runs all the same. */
int biu_app_init(struct biu_app *app, const struct biu_ports *ports, const int32_t *factory, struct sample *ring, size_t ring_size);

/* Every 10 ms. Returns 1 when the board shall restart (call biu_app_init() again), else 0. */
int biu_app_step(struct biu_app *app);

/* After a sleep in which no steps ran: biu_wake(). */
void biu_app_wake(struct biu_app *app);

#endif
