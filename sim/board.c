/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/board.h"

#include <string.h>

#include "common/err.h"
#include "proto/can0.h"

static int afe_read(void *ctx, uint8_t *buf, size_t size)
{
    struct board *b = ctx;

    return (int)afe_chain_read(&b->world->chain, buf, size);
}

static int afe_write(void *ctx, const uint8_t *data, size_t n)
{
    struct board *b = ctx;

    afe_chain_write(&b->world->chain, data, n);
    return BMS_ERR_OK;
}

static int afe_fault(void *ctx)
{
    const struct board *b = ctx;

    return afe_chain_fault(&b->world->chain);
}

static void deliver(void *ctx, const struct can_frame *f)
{
    struct board *b = ctx;

    if (b->rx_count == BOARD_RX_MAX) {
        b->rx_lost++;
        return;
    }
    b->rx[(b->rx_first + b->rx_count++) % BOARD_RX_MAX] = *f;
}

static int can_receive(void *ctx, struct can_frame *f)
{
    struct board *b = ctx;

    if (b->rx_count == 0)
        return 0;
    *f = b->rx[b->rx_first];
    b->rx_first = (b->rx_first + 1) % BOARD_RX_MAX;
    b->rx_count--;
    return 1;
}

static int can_send(void *ctx, const struct can_frame *f)
{
    struct board *b = ctx;

    if (b->can_room == 0)
        return BMS_ERR_NOSPACE;
    b->can_room--;
    if (f->ext && f->id == CAN0_ID_FROM(CAN0_BIU_SampleEnd, CAN0_ADDR_BIU))
        b->streamed_no = (uint32_t)can0_get(f, CAN0_SIG_sample_no);
    can_bus_send(b->bus, b->node, f);
    return BMS_ERR_OK;
}

static size_t can_room(void *ctx)
{
    const struct board *b = ctx;

    return b->can_room;
}

static int drive(void *ctx, uint8_t mask)
{
    struct board *b = ctx;

    contactors_drive(&b->world->contactors, mask);
    return BMS_ERR_OK;
}

static int feedback(void *ctx, uint8_t *mask)
{
    const struct board *b = ctx;

    *mask = b->world->contactors.closed;
    return BMS_ERR_OK;
}

static void read_inputs(void *ctx, struct input_reading *now)
{
    const struct board *b = ctx;

    *now = b->world->inputs;
}

static uint32_t clock_now_ms(void *ctx)
{
    const struct board *b = ctx;

    return b->now_ms;
}

static uint64_t clock_utc_ms(void *ctx)
{
    const struct board *b = ctx;

    return b->utc_ms;
}

static void wire_ports(struct board *b, const struct nvm_port *nvm)
{
    b->afe = (struct afe_port) { .ctx = b, .read = afe_read, .write = afe_write, .fault = afe_fault };
    b->can0 = (struct can_port) { .ctx = b, .receive = can_receive, .send = can_send, .room = can_room };
    b->contactors = (struct contactor_port) { .ctx = b, .drive = drive, .feedback = feedback };
    b->inputs = (struct input_port) { .ctx = b, .read = read_inputs };
    b->clock = (struct clock_port) { .ctx = b, .now_ms = clock_now_ms, .utc_ms = clock_utc_ms };
    b->ports = (struct biu_ports) {
        .afe = &b->afe, .can0 = &b->can0, .contactors = &b->contactors, .inputs = &b->inputs, .nvm = nvm, .clock = &b->clock
    };
}

int board_init(struct board *b, struct world *world, struct can_bus *bus, const struct nvm_port *nvm, const int32_t *factory,
               uint64_t utc_ms)
{
    memset(b, 0, sizeof(*b));
    b->world = world;
    b->bus = bus;
    b->utc_ms = utc_ms;
    memcpy(b->factory, factory, sizeof(b->factory));
    wire_ports(b, nvm);
    b->node = can_bus_attach(bus, deliver, b);
    if (b->node < 0)
        return b->node;
    return biu_app_init(&b->app, &b->ports, b->factory, b->ring, BOARD_RING);
}

/* The chips keep their power; the contactors fall open. */
static void restart(struct board *b)
{
    b->restarts++;
    b->streamed_no = 0;
    contactors_drive(&b->world->contactors, 0);
    (void)biu_app_init(&b->app, &b->ports, b->factory, b->ring, BOARD_RING); /* runs all the same; nvm_status and topology_status tell */
}

const struct sample *board_step(struct board *b, uint64_t utc_ms)
{
    b->now_ms += WORLD_STEP_MS;
    b->utc_ms = utc_ms;
    b->can_room = BOARD_CAN_FRAMES_PER_STEP;
    if (biu_app_step(&b->app)) {
        restart(b);
        return NULL;
    }
    return b->app.out.sample;
}

void board_sleep(struct board *b, uint32_t ms)
{
    b->now_ms += ms;
    b->rx_count = 0;
    biu_wake(&b->app.biu, b->now_ms);
}
