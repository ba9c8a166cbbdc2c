/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "common/bytes.h"
#include "common/isotp.h"
#include "firmware/app/biu_app.h"
#include "firmware/core/store/params.h"
#include "proto/can0.h"
#include "tests/unit/firmware/fake_chain.h"
#include "tests/unit/firmware/fake_nvm.h"
#include "tests/unit/suite.h"

/* A board: the fake chain, the fake memory, CAN0 as two small queues, a clock that the test moves. */
struct board {
    struct biu_app app;
    struct fake_chain chain;
    struct fake_nvm nvm;
    struct sample ring[8];
    int32_t factory[PARAMS];
    uint32_t now_ms;
    struct can_frame in[8], out[512];
    size_t in_count, out_count;
    int32_t link_mV, supply_mV;
    uint8_t mask, counter;
    struct afe_port afe;
    struct can_port can0;
    struct contactor_port contactors;
    struct input_port inputs;
    struct clock_port clock;
    struct biu_ports ports;
};

static int afe_read(void *ctx, uint8_t *buf, size_t size)
{
    struct board *b = ctx;
    size_t n = b->chain.out_len < size ? b->chain.out_len : size;

    memcpy(buf, b->chain.out, n);
    b->chain.out_len = 0;
    return (int)n;
}

static int afe_write(void *ctx, const uint8_t *data, size_t n)
{
    fake_chain_receive(&((struct board *)ctx)->chain, data, n);
    return 0;
}

static int afe_fault(void *ctx)
{
    (void)ctx;
    return 0;
}

static int can_receive(void *ctx, struct can_frame *f)
{
    struct board *b = ctx;

    if (b->in_count == 0)
        return 0;
    *f = b->in[0];
    memmove(b->in, b->in + 1, --b->in_count * sizeof(b->in[0]));
    return 1;
}

static int can_send(void *ctx, const struct can_frame *f)
{
    struct board *b = ctx;

    if (b->out_count == sizeof(b->out) / sizeof(b->out[0]))
        return BMS_ERR_NOSPACE;
    b->out[b->out_count++] = *f;
    return 0;
}

static size_t can_room(void *ctx)
{
    return sizeof(((struct board *)ctx)->out) / sizeof(struct can_frame) - ((struct board *)ctx)->out_count;
}

static int drive(void *ctx, uint8_t mask)
{
    ((struct board *)ctx)->mask = mask;
    return 0;
}

static int feedback(void *ctx, uint8_t *mask)
{
    *mask = ((struct board *)ctx)->mask;
    return 0;
}

static void read_inputs(void *ctx, struct input_reading *now)
{
    struct board *from = ctx;

    if (from->mask & BIU_RELAY_PRECHARGE)
        from->link_mV += (177600 - from->link_mV) / 10;
    *now = (struct input_reading) { .pack_voltage_mV = 177600,
                                    .link_voltage_mV = from->link_mV,
                                    .supply_mV = from->supply_mV,
                                    .keyon_mV = 24000,
                                    .charger_wake_mV = scalar_invalid(VALIDITY_NOT_FITTED),
                                    .inputs = BIU_INPUT_KEYON };
    sense_absent(&now->sense);
}

static uint32_t now_ms(void *ctx)
{
    return ((struct board *)ctx)->now_ms;
}

static uint64_t utc_ms(void *ctx)
{
    return 1700000000000u + ((struct board *)ctx)->now_ms;
}

static struct board b;

static void make_board(void)
{
    memset(&b, 0, sizeof(b));
    fake_nvm_init(&b.nvm);
    params_defaults(CHEMISTRY_NMC, b.factory);
    b.afe = (struct afe_port) { &b, afe_read, afe_write, afe_fault };
    b.can0 = (struct can_port) { &b, can_receive, can_send, can_room };
    b.contactors = (struct contactor_port) { &b, drive, feedback };
    b.inputs = (struct input_port) { &b, read_inputs, NULL };
    b.clock = (struct clock_port) { &b, now_ms, utc_ms };
    b.ports = (struct biu_ports) {
        .afe = &b.afe, .can0 = &b.can0, .contactors = &b.contactors, .inputs = &b.inputs, .nvm = &b.nvm.port, .clock = &b.clock
    };
}

static int power_up(void)
{
    fake_chain_init(&b.chain, 3, 3700);
    b.link_mV = 0;
    b.supply_mV = 24100;
    return biu_app_init(&b.app, &b.ports, b.factory, b.ring, 8);
}

static int step(void)
{
    struct can_frame f = can0_begin(CAN0_CSU_Current, CAN0_ADDR_CSU);

    can0_put(&f, CAN0_SIG_csu_current_mA, 1000);
    can0_finish(&f, ++b.counter);
    b.in[b.in_count++] = f;
    b.now_ms += 10;
    return biu_app_step(&b.app);
}

/* Returns whether the board asked for a restart. */
static bool run(uint32_t ms)
{
    bool restart = false;

    for (uint32_t t = 0; t < ms && !restart; t += 10)
        restart = step() == 1;
    return restart;
}

/* A request that fits one frame; true when the board restarts. */
static bool ask(const uint8_t *req, uint8_t n)
{
    struct can_frame f = { .id = CAN0_ISOTP_TO_BIU, .ext = true, .len = 8, .data = { n } };

    memcpy(f.data + 1, req, n);
    b.in[b.in_count++] = f;
    b.out_count = 0;
    return run(100);
}

static const struct can_frame *answer(void)
{
    for (size_t i = 0; i < b.out_count; i++)
        if (b.out[i].id == CAN0_ISOTP_FROM_BIU)
            return &b.out[i];
    return NULL;
}

static void test_ports_are_served(void)
{
    make_board();
    CU_ASSERT_EQUAL(power_up(), BMS_ERR_OK);
    run(1000);
    CU_ASSERT_EQUAL(b.mask, BIU_RELAY_DISCHARGE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b.app.out.sample);
    CU_ASSERT_EQUAL(b.app.out.sample->cell_mV[47], 3700);
    CU_ASSERT_EQUAL(b.app.out.sample->scalar[SAMPLE_pack_voltage_mV], 177600);
    CU_ASSERT_EQUAL(scalar_validity(b.app.out.sample->scalar[SAMPLE_charger_wake_mV]), VALIDITY_NOT_FITTED);
    CU_ASSERT_EQUAL(b.app.out.sample->scalar[SAMPLE_contactors_feedback], BIU_RELAY_DISCHARGE);
    CU_ASSERT_EQUAL(b.app.out.sample->utc_ms, 1700000001000u);
    CU_ASSERT(b.out_count >= 34);
}

static void test_starts_are_counted_and_a_new_board_says_so(void)
{
    make_board();
    power_up();
    CU_ASSERT_EQUAL(b.app.nvm_status, BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(b.app.biu.boot, 1);
    power_up();
    CU_ASSERT_EQUAL(b.app.nvm_status, BMS_ERR_OK);
    CU_ASSERT_EQUAL(b.app.biu.boot, 2);
    memset(b.nvm.bytes, 0x5A, sizeof(b.nvm.bytes));
    CU_ASSERT_EQUAL(power_up(), BMS_ERR_OK);
    CU_ASSERT_EQUAL(b.app.nvm_status, BMS_ERR_CORRUPT);
    b.nvm.broken = true;
    CU_ASSERT_EQUAL(power_up(), BMS_ERR_IO);
    run(1000); /* and works all the same */
    CU_ASSERT_EQUAL(b.mask, BIU_RELAY_DISCHARGE);
}

static const uint8_t write_77[] = { 0x2E, 0x20, 80, 0, 0, 0, 77 }, flash[] = { 0x31, 1, 2, 1 }, restart[] = { 0x11, 1 };

static void test_calibrate_is_gone_after_a_restart(void)
{
    make_board();
    power_up();
    ask(write_77, sizeof(write_77));
    CU_ASSERT_EQUAL(b.app.biu.params.running[PARAM_balance_start_mV], 77);
    CU_ASSERT(ask(restart, sizeof(restart)));
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer()); /* went out before */
    CU_ASSERT_EQUAL(answer()->data[1], 0x51);
    power_up();
    CU_ASSERT_EQUAL(b.app.biu.params.running[PARAM_balance_start_mV], 50);
}

static void test_flash_stays(void)
{
    make_board();
    power_up();
    ask(write_77, sizeof(write_77));
    ask(flash, sizeof(flash));
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer());
    CU_ASSERT_EQUAL(answer()->data[1], 0x71);
    CU_ASSERT_EQUAL(b.app.biu.params.stored_hash, b.app.biu.params.running_hash);
    power_up();
    CU_ASSERT_EQUAL(b.app.biu.params.running[PARAM_balance_start_mV], 77);
    CU_ASSERT_EQUAL(b.app.biu.boot, 2);
}

static void test_flash_that_fails_is_told(void)
{
    make_board();
    power_up();
    ask(write_77, sizeof(write_77));
    b.nvm.bytes_left = 50;
    ask(flash, sizeof(flash));
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer());
    CU_ASSERT_EQUAL(answer()->data[1], 0x7F);
    CU_ASSERT_EQUAL(answer()->data[3], UDS_NRC_PROGRAMMING);
    b.nvm.bytes_left = -1;
    power_up();
    CU_ASSERT_EQUAL(b.app.nvm_status, BMS_ERR_OK);
    CU_ASSERT_EQUAL(b.app.biu.params.running[PARAM_balance_start_mV], 50);
}

static void test_key_data_outlive_the_power(void)
{
    make_board();
    power_up();
    CU_ASSERT_EQUAL(b.app.key_status, BMS_ERR_UNKNOWN);
    run(5000);
    b.supply_mV = 7000; /* the battery is taken off: saved in this step */
    step();
    int64_t discharged_mAms = b.app.biu.key.discharged_mAms, left_mAms = b.app.biu.key.soc.left_mAms;

    CU_ASSERT(discharged_mAms > 0);
    power_up();
    CU_ASSERT_EQUAL(b.app.key_status, BMS_ERR_OK);
    CU_ASSERT_EQUAL(b.app.biu.key.discharged_mAms, discharged_mAms);
    CU_ASSERT_EQUAL(b.app.biu.key.soc.left_mAms, left_mAms);
    CU_ASSERT_EQUAL(soc_left_mAh(&b.app.biu.soc), (int32_t)((left_mAms + 1800000) / 3600000));
    CU_ASSERT_EQUAL(b.app.biu.contactor.wear[0].closed, 1);
    run(2000);
    b.nvm.broken = true;
    b.supply_mV = 7000;
    step();
    CU_ASSERT_EQUAL(b.app.key_errors, 1);
}

static const uint8_t clear_codes[] = { 0x14, 0xFF, 0xFF, 0xFF }, confirmed[] = { 0x19, 0x01, DTC_CONFIRMED };

static unsigned confirmed_codes(void)
{
    ask(confirmed, sizeof(confirmed));
    return answer() && answer()->data[1] == 0x59 ? get_be16(answer()->data + 5) : UINT16_MAX;
}

static void over_voltage(bool on)
{
    b.chain.chip[1].cell_raw[4] = fake_raw(on ? 4400 : 3700);
}

static void test_trouble_codes_outlive_the_power(void)
{
    make_board();
    power_up();
    CU_ASSERT_EQUAL(b.app.code_status, BMS_ERR_UNKNOWN);
    run(1000);
    CU_ASSERT_EQUAL(confirmed_codes(), 0);
    over_voltage(true);
    run(3000);
    unsigned codes = confirmed_codes();

    CU_ASSERT(codes > 0 && codes < 10);
    power_up(); /* without a word before */
    CU_ASSERT_EQUAL(b.app.code_status, BMS_ERR_OK);
    CU_ASSERT_EQUAL(confirmed_codes(), codes);
    run(1000);
    ask(clear_codes, sizeof(clear_codes));
    power_up();
    CU_ASSERT_EQUAL(confirmed_codes(), 0);
}

static void test_trouble_codes_wait_while_the_supply_falls(void)
{
    make_board();
    power_up();
    run(1000);
    uint32_t sequence = b.app.codes.sequence;

    b.supply_mV = 7000;
    over_voltage(true);
    run(3000);
    CU_ASSERT_EQUAL(b.app.codes.sequence, sequence);
    b.supply_mV = 24100;
    run(2000);
    CU_ASSERT(b.app.codes.sequence > sequence);
}

static unsigned erases_closed, erases_open;

static int erase_unit(void *ctx, size_t offset)
{
    struct fake_nvm *f = ctx;

    memset(f->bytes + offset, 0xFF, NVM_CODE_STRIDE);
    if (b.mask)
        erases_closed++;
    else
        erases_open++;
    return BMS_ERR_OK;
}

/* The first change finds what was erased at the start; a second one waits until the contactors are open. */
static void test_flash_is_not_erased_while_a_contactor_is_closed(void)
{
    static const struct nvm_port *port;

    make_board();
    power_up();
    port = b.app.codes.port;
    CU_ASSERT_PTR_EQUAL(port, &b.nvm.port);
    b.nvm.port.erase = erase_unit; /* as flash, for the codes: their units are whole erase units */
    b.nvm.port.erase_size = NVM_CODE_STRIDE;
    CU_ASSERT_EQUAL(code_store_tidy(&b.app.codes), BMS_ERR_OK);
    uint32_t sequence = b.app.codes.sequence;

    erases_closed = erases_open = 0;
    run(5000);
    CU_ASSERT_FATAL(b.mask != 0);
    for (int change = 0; change < 2; change++) {
        b.app.biu.dtc.changes++;
        run(1000);
        CU_ASSERT(b.mask != 0 && b.app.codes.sequence == sequence + 1 && code_store_must_erase(&b.app.codes));
    }
    over_voltage(true); /* the contactors open */
    run(2000);
    CU_ASSERT(b.mask == 0 && b.app.codes.sequence > sequence + 1);
    CU_ASSERT(erases_closed == 0 && erases_open > 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the ports are served around each step", test_ports_are_served },
        { "starts are counted, and a board says why it uses factory values", test_starts_are_counted_and_a_new_board_says_so },
        { "calibrated and not flashed is gone after a restart [UC-5]", test_calibrate_is_gone_after_a_restart },
        { "flashed stays [UC-5]", test_flash_stays },
        { "key data outlive the power [AC-7]", test_key_data_outlive_the_power },
        { "trouble codes outlive the power, and are cleared in memory too [AC-7]", test_trouble_codes_outlive_the_power },
        { "flash is erased for trouble codes only while no contactor is closed [AC-7]",
          test_flash_is_not_erased_while_a_contactor_is_closed },
        { "trouble codes wait while the supply falls [AC-7]", test_trouble_codes_wait_while_the_supply_falls },
        { "a flash that fails is told and leaves the old set [AC-7]", test_flash_that_fails_is_told },
        CU_TEST_INFO_NULL,
    };

    return suite_run("biu_app", tests);
}
