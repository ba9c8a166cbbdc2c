/* SPDX-License-Identifier: Apache-2.0 */
/* board.h -- the simulated BIU board: the firmware's application with its ports on the world and on the bus.
 *
 * Time is what the caller says. One call of board_step() is 10 ms of the board.
 */
#ifndef SIM_BOARD_H
#define SIM_BOARD_H

#include "firmware/app/biu_app.h"
#include "sim/can_bus.h"
#include "sim/can_queue.h"
#include "sim/world.h"

enum {
    BOARD_RING = 3600,               /* samples kept for a resend: an hour at 1 Hz, 3.3 MB of memory */
    BOARD_CAN_FRAMES_PER_STEP = 35,  /* what 500 kbit/s carry in 10 ms */
    BOARD_CAN2_FRAMES_PER_STEP = 17, /* and 250 kbit/s, the charger's */
    BOARD_SELF_WORDS = 64,
    BOARD_PROGRAM_BYTES = 4096,
    BOARD_RX_MAX = 512, /* frames that a controller and its driver hold */
};

enum board_can_no { BOARD_CAN0, BOARD_CAN1, BOARD_CAN2, BOARD_CANS };

struct board_can {       /* one CAN controller with its driver */
    struct board *board; /* whose it is */
    struct can_bus *bus; /* borrowed; NULL = not wired */
    int node;
    struct can_frame rx[BOARD_RX_MAX];
    size_t rx_first, rx_count;
    uint32_t rx_lost;
    size_t room_max, room; /* frames that may be sent in a step, and still in this one */
    struct can_port port;
};

struct board {
    struct world *world; /* borrowed */
    struct board_can can[BOARD_CANS];
    uint32_t now_ms;
    uint64_t utc_ms;
    uint32_t restarts; /* asked for by a tester */
    int32_t factory[PARAMS];
    uint32_t streamed_no; /* number of the last sample whose end has gone out */
    struct sample ring[BOARD_RING];
    struct biu_app app;
    struct biu_ports ports;
    struct afe_port afe;
    struct contactor_port contactors;
    struct input_port inputs;
    struct clock_port clock;
    struct self_port self;
    struct self_ram self_ram;
    struct self_flash self_flash;
    uint32_t ram[BOARD_SELF_WORDS];       /* what the self-check tests */
    uint8_t program[BOARD_PROGRAM_BYTES]; /* and what lies in flash */
    uint32_t slot_overruns;
};

/* Power on. world, bus and nvm are borrowed and must outlive the board, which must not be moved; it is large: not on a stack.
 * Returns 0, or what biu_app_init() returns: then the board runs, but is not what was wanted. */
int board_init(struct board *b, struct world *world, struct can_bus *can0, const struct nvm_port *nvm, const int32_t *factory,
               uint64_t utc_ms, const struct trace_port *trace);

/* Wire CAN1 or CAN2 to a bus, which is borrowed. Returns 0 or BMS_ERR_NOSPACE. */
int board_wire(struct board *b, enum board_can_no no, struct can_bus *bus);

/* 10 ms at this time. Returns the sample that was taken in it, valid until the next step, or NULL. */
const struct sample *board_step(struct board *b, uint64_t utc_ms);

/* The board slept until now: ms have passed without a step. */
void board_sleep(struct board *b, uint32_t ms);

#endif
