/* SPDX-License-Identifier: Apache-2.0 */
/* Every input of a BIU is recorded, step by step; the record, given to another BIU, gives every output again, bit for bit. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/firmware/rig.h"
#include "tests/unit/suite.h"

enum { STEPS = 2000, AFE_RX_MAX = 4096, CAN_RX_MAX = 4 };

struct recorded {
    struct biu_in in;
    uint8_t afe_rx[AFE_RX_MAX];
    struct can_frame can_rx[CAN_RX_MAX];
    struct biu_out out;
    struct sample sample;
};

static struct rig r;
static struct biu again;
static struct sample ring[RIG_RING];
static struct biu_out out;

/* An incident: driving, a cell that goes over, a chip and a sensor that fall silent, a weld, the key, a charger. */
static void incident(unsigned t)
{
    r.in.inputs = t < 1500 ? (t > 900 && t < 950 ? 0 : BIU_INPUT_KEYON) : BIU_INPUT_CHARGER;
    r.current_mA = (int32_t)(t * 7919u % 200000) - 50000;
    if (t == 300)
        rig_set_cell(&r, 31, 4260);
    if (t == 400)
        rig_set_cell(&r, 31, 3700);
    r.chain.chip[1].spoil_crc = t % 97 == 0;
    r.chain.chip[2].mute = t > 1000 && t < 1100;
    r.csu_silent = t > 1200 && t < 1240;
    r.welded = t > 1700 ? BIU_RELAY_PRECHARGE : 0;
}

static void keep(struct recorded *k)
{
    k->in = r.in;
    memcpy(k->afe_rx, r.in.afe_rx, r.in.afe_rx_len);
    memcpy(k->can_rx, r.in.can_rx, r.in.can_rx_count * sizeof(k->can_rx[0]));
    k->in.afe_rx = k->afe_rx;
    k->in.can_rx = k->can_rx;
}

static bool same_output(const struct recorded *k)
{
    const struct biu_out *a = &k->out;

    return a->contactors == out.contactors && a->less_power == out.less_power && a->no_power == out.no_power && a->restart == out.restart &&
           a->afe_tx_len == out.afe_tx_len && memcmp(a->afe_tx, out.afe_tx, out.afe_tx_len) == 0 && a->can_tx_count == out.can_tx_count &&
           memcmp(a->can_tx, out.can_tx, out.can_tx_count * sizeof(out.can_tx[0])) == 0 && !a->sample == !out.sample &&
           (!out.sample || sample_is_equal(&k->sample, out.sample));
}

static void test_replay_gives_every_output_again(void)
{
    struct recorded *record = calloc(STEPS, sizeof(*record));
    unsigned moved = 0, samples = 0, wrong = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    rig_init(&r, 48, 4294967000u); /* the clock wraps on the way */
    rig_start(&r);
    for (unsigned t = 0; t < STEPS; t++) {
        struct recorded *k = &record[t];

        incident(t);
        rig_before(&r);
        keep(k);
        uint8_t was = r.out.contactors;

        biu_step(&r.biu, &r.in, &r.out);
        k->out = r.out;
        if (r.out.sample)
            k->sample = *r.out.sample;
        moved += r.out.contactors != was;
        rig_after(&r);
    }
    memset(&again, 0xA5, sizeof(again)); /* nothing of what was in memory before counts */
    memset(&out, 0xA5, sizeof(out));
    biu_init(&again, &(struct biu_config) { .params = r.params, .boot = 7, .ring = ring, .ring_size = RIG_RING }, 4294967000u);
    for (unsigned t = 0; t < STEPS; t++) {
        biu_step(&again, &record[t].in, &out);
        wrong += !same_output(&record[t]);
        samples += out.sample != NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(moved >= 8 && samples > 20);
    free(record);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a record of the inputs gives every output again, bit for bit", test_replay_gives_every_output_again },
        CU_TEST_INFO_NULL,
    };

    return suite_run("determinism", tests);
}
