/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/board.h"

#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "proto/can0.h"

enum { BAD_WORD = 5 }; /* of the RAM, when a bit is to be stuck */

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
    struct board_can *c = ctx;

    if (c->rx_count == BOARD_RX_MAX) {
        c->rx_lost++;
        return;
    }
    c->rx[(c->rx_first + c->rx_count++) % BOARD_RX_MAX] = *f;
}

static int can_receive(void *ctx, struct can_frame *f)
{
    struct board_can *c = ctx;

    if (c->rx_count == 0)
        return 0;
    *f = c->rx[c->rx_first];
    c->rx_first = (c->rx_first + 1) % BOARD_RX_MAX;
    c->rx_count--;
    return 1;
}

static int can_send(void *ctx, const struct can_frame *f)
{
    struct board_can *c = ctx;

    if (c->room == 0)
        return BMS_ERR_NOSPACE;
    c->room--;
    if (c == &c->board->can[BOARD_CAN0] && f->ext && f->id == CAN0_ID_FROM(CAN0_BIU_SampleEnd, CAN0_ADDR_BIU))
        c->board->streamed_no = (uint32_t)can0_get(f, CAN0_SIG_sample_no);
    can_bus_send(c->bus, c->node, f);
    return BMS_ERR_OK;
}

static size_t can_room(void *ctx)
{
    const struct board_can *c = ctx;

    return c->room;
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

static void bridge(void *ctx, uint8_t mask)
{
    struct board *b = ctx;

    b->world->senses.bridge = mask;
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

/* --- the board looks at itself --- */

static uint32_t ram_read(void *ctx, size_t word)
{
    const struct board *b = ctx;

    return b->ram[word] | (b->world->board.ram_bit && word == BAD_WORD);
}

static void ram_write(void *ctx, size_t word, uint32_t value)
{
    struct board *b = ctx;

    b->ram[word] = value;
}

static void ram_alone(void *ctx) /* nobody else uses it */
{
    (void)ctx;
}

static int flash_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    const struct board *b = ctx;

    memcpy(buf, b->program + offset, n);
    if (b->world->board.flash_bit && offset == 0)
        buf[0] ^= 1;
    return BMS_ERR_OK;
}

static void self_facts(void *ctx, struct self_facts *now)
{
    const struct board *b = ctx;
    bool watchdog = b->world->board.watchdog;

    now->reset = watchdog ? SELF_RESET_WATCHDOG : b->restarts ? SELF_RESET_SOFTWARE : SELF_RESET_POWER;
    now->stack_free = scalar_invalid(VALIDITY_NOT_FITTED); /* the stack is the host's */
    now->clock_ppm = (int32_t)b->world->board.clock_ppm;
    now->slot_overruns = b->slot_overruns;
}

static void wire_self(struct board *b)
{
    struct noise noise = { 1 };

    for (size_t i = 0; i < BOARD_PROGRAM_BYTES; i++)
        b->program[i] = (uint8_t)noise_u64(&noise);
    b->self_ram = (struct self_ram) {
        .ctx = b, .words = BOARD_SELF_WORDS, .read = ram_read, .write = ram_write, .enter = ram_alone, .leave = ram_alone
    };
    b->self_flash = (struct self_flash) {
        .ctx = b, .size = BOARD_PROGRAM_BYTES, .crc = crc32c(0, b->program, BOARD_PROGRAM_BYTES), .read = flash_read
    };
    b->self = (struct self_port) { .ctx = b, .facts = self_facts, .ram = &b->self_ram, .flash = &b->self_flash };
    b->ports.self = &b->self;
}

static void wire_ports(struct board *b, const struct nvm_port *nvm)
{
    b->afe = (struct afe_port) { .ctx = b, .read = afe_read, .write = afe_write, .fault = afe_fault };
    b->contactors = (struct contactor_port) { .ctx = b, .drive = drive, .feedback = feedback };
    b->inputs = (struct input_port) { .ctx = b, .read = read_inputs, .bridge = bridge };
    b->clock = (struct clock_port) { .ctx = b, .now_ms = clock_now_ms, .utc_ms = clock_utc_ms };
    b->ports = (struct biu_ports) {
        .afe = &b->afe, .can0 = &b->can[BOARD_CAN0].port, .contactors = &b->contactors, .inputs = &b->inputs, .nvm = nvm, .clock = &b->clock
    };
    wire_self(b);
}

int board_wire(struct board *b, enum board_can_no no, struct can_bus *bus)
{
    struct board_can *c = &b->can[no];

    c->board = b;
    c->bus = bus;
    c->room_max = no == BOARD_CAN2 ? BOARD_CAN2_FRAMES_PER_STEP : BOARD_CAN_FRAMES_PER_STEP;
    c->port = (struct can_port) { .ctx = c, .receive = can_receive, .send = can_send, .room = can_room };
    c->node = can_bus_attach(bus, deliver, c);
    if (c->node < 0)
        return c->node;
    if (no == BOARD_CAN1)
        b->ports.can1 = &c->port;
    if (no == BOARD_CAN2)
        b->ports.can2 = &c->port;
    return BMS_ERR_OK;
}

int board_init(struct board *b, struct world *world, struct can_bus *can0, const struct nvm_port *nvm, const int32_t *factory,
               uint64_t utc_ms, const struct trace_port *trace)
{
    memset(b, 0, sizeof(*b));
    b->world = world;
    b->utc_ms = utc_ms;
    memcpy(b->factory, factory, sizeof(b->factory));
    wire_ports(b, nvm);
    b->ports.trace = trace;
    int err = board_wire(b, BOARD_CAN0, can0);

    if (err)
        return err;
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

static void tell(struct board *b)
{
    const struct biu_out *out = &b->app.out;

    b->world->told = (struct world_told) { .discharge_A = out->discharge_limit_dA / 10.0,
                                           .charge_A = out->charge_limit_dA / 10.0,
                                           .charger_on = out->charger_on,
                                           .charger_A = out->charger_dA / 10.0,
                                           .charge_over = out->charge_state >= CHARGE_FULL };
}

const struct sample *board_step(struct board *b, uint64_t utc_ms)
{
    b->now_ms += WORLD_STEP_MS;
    b->slot_overruns += b->world->board.late;
    b->utc_ms = utc_ms;
    for (int i = 0; i < BOARD_CANS; i++)
        b->can[i].room = b->can[i].room_max;
    if (biu_app_step(&b->app)) {
        restart(b);
        return NULL;
    }
    tell(b);
    return b->app.out.sample;
}

void board_sleep(struct board *b, uint32_t ms)
{
    b->now_ms += ms;
    for (int i = 0; i < BOARD_CANS; i++)
        b->can[i].rx_count = 0;
    biu_app_wake(&b->app);
}
