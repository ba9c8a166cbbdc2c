/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c -- play a recorded log through the chips and the board: one SYNC, hence one sample, for each row.
 *
 * The world shows a row for 100 ms before its sample is taken, so that everything has been measured afresh; before that it shows the row
 * before. Over a gap of up to 2 s the board stays awake. A longer one means that it slept: it stays awake for 2 s more when played at a
 * speed (so that somebody may talk to it), until the sample is out when played as fast as it goes; then come no steps, and 200 ms before
 * the row it wakes up. An alarm that comes or goes makes the board sample by itself, as it must; such samples are counted apart, and are in
 * the truth file like all others.
 */
#include <math.h>

#include "common/err.h"
#include "proto/can0.h"
#include "sim/pack.h"
#include "sim/report.h"

enum {
    GAP_MAX_MS = 2000,
    SHOWN_MS = 100,
    AWAKE_MS = 200,
    BOOT_MS = 1500,     /* before the first row: addresses, first scans, contactors */
    SYNC_STEPS = 10,    /* the board answers SYNC within that */
    STREAM_STEPS = 500, /* a sample goes out within that, even behind a resend */
    LINGER_MS = 1500,   /* after the last row, for a DTU that asks for something again */
};

struct play {
    struct pack *p;
    uint64_t base_utc_ms;
    uint64_t utc_ms;   /* of the last step: never goes back */
    double t_s;        /* of the last row */
    uint32_t awake_ms; /* steps since then */
    uint64_t by_sync, by_alarm;
};

static void show(struct pack *p)
{
    const struct replay_row *row = &p->log.row;

    for (int i = 0; i < p->log.cells; i++) {
        world_set_cell(&p->world, i, row->cell_mV[i]);
        p->world.hole[i] = row->hole[i];
    }
    for (int i = 0; i < p->log.temps; i++) {
        if (p->log.fitted[i])
            world_set_probe(&p->world, i / AFE_TEMPS, i % AFE_TEMPS, row->temp_C[i]);
    }
    p->world.current_A = row->current_A;
    world_set_pack_V(&p->world, row->pack_V);
}

/* One step at this time or, when that is earlier, at the last one. As pack_step(). */
static int step(struct play *play, uint64_t utc_ms)
{
    const struct sample *s;

    if (utc_ms > play->utc_ms)
        play->utc_ms = utc_ms;
    play->awake_ms += WORLD_STEP_MS;
    return pack_step(play->p, play->utc_ms, &s);
}

/* Steps up to one before `utc_ms`, without a SYNC. */
static int run_until(struct play *play, uint64_t utc_ms, uint32_t ms)
{
    for (uint32_t left_ms = ms; left_ms >= 2 * WORLD_STEP_MS; left_ms -= WORLD_STEP_MS) {
        int got = step(play, utc_ms - left_ms + WORLD_STEP_MS);

        if (got < 0)
            return got;
        play->by_alarm += (uint64_t)got;
    }
    return BMS_ERR_OK;
}

/* Send SYNC; the sample carries this time. */
static int take_sample(struct play *play, uint64_t utc_ms)
{
    struct can_frame f = can0_begin(CAN0_SYNC, CAN0_ADDR_DTU);

    can0_put(&f, CAN0_SIG_sync_tag, (int32_t)play->by_sync);
    can0_finish(&f, (uint8_t)play->by_sync);
    can_bus_send(play->p->bus, play->p->node, &f);
    for (int i = 0; i < SYNC_STEPS; i++) {
        int got = step(play, utc_ms);

        if (got < 0)
            return got;
        if (got == 1) {
            play->by_sync++;
            return BMS_ERR_OK;
        }
    }
    report_error("replay", "the board took no sample at line=%u of %s", play->p->log.line, play->p->log.path);
    return BMS_ERR_TIMEOUT;
}

/* The board is awake all the time between two rows. */
static int stay_awake(struct play *play, uint64_t utc_ms, uint32_t gap_ms)
{
    uint32_t shown_ms = gap_ms < SHOWN_MS ? SHOWN_MS : gap_ms;
    int err = run_until(play, utc_ms - SHOWN_MS, shown_ms - SHOWN_MS);

    show(play->p);
    return err ? err : run_until(play, utc_ms, SHOWN_MS);
}

/* Until the last sample is out, for a bounded time. */
static int stream_out(struct play *play)
{
    for (int i = 0; i < STREAM_STEPS && play->p->board.streamed_no < play->p->last_no; i++) {
        int got = step(play, play->utc_ms);

        if (got < 0)
            return got;
        play->by_alarm += (uint64_t)got;
    }
    return BMS_ERR_OK;
}

static int sleep_and_wake(struct play *play, uint64_t utc_ms, uint32_t gap_ms)
{
    uint32_t until_wake_ms = gap_ms - AWAKE_MS;
    uint32_t hold_ms = until_wake_ms < GAP_MAX_MS ? until_wake_ms : GAP_MAX_MS;
    int err = BMS_ERR_OK;

    if (play->p->options->speed > 0)
        err = run_until(play, play->utc_ms + hold_ms, hold_ms);
    if (!err)
        err = stream_out(play);
    if (err)
        return err;
    if (play->awake_ms < until_wake_ms)
        pack_sleep(play->p, until_wake_ms - play->awake_ms);
    show(play->p);
    return run_until(play, utc_ms, AWAKE_MS);
}

static int play_row(struct play *play, bool first)
{
    double t_s = play->p->log.row.t_s;
    uint64_t utc_ms = play->base_utc_ms + (uint64_t)(int64_t)llround(t_s * 1000);
    double gap_ms = first ? 0 : (t_s - play->t_s) * 1000;
    int err;

    if (first) {
        show(play->p);
        err = run_until(play, utc_ms, BOOT_MS);
    } else if (gap_ms > GAP_MAX_MS) {
        err = sleep_and_wake(play, utc_ms, gap_ms < 1e9 ? (uint32_t)gap_ms : 1000000000u);
    } else {
        err = stay_awake(play, utc_ms, (uint32_t)gap_ms);
    }
    if (!err)
        err = take_sample(play, utc_ms);
    play->t_s = t_s;
    play->awake_ms = 0;
    return err;
}

static int linger(struct play *play)
{
    pack_flush(play->p, play->utc_ms);
    if (!play->p->options->lossless)
        return BMS_ERR_OK;
    for (int64_t until_ns = clock_ns() + (int64_t)LINGER_MS * 1000000; clock_ns() < until_ns;) {
        play->p->tester_ns = until_ns; /* real time */
        int got = step(play, play->utc_ms);

        if (got < 0)
            return got == BMS_ERR_STATE ? BMS_ERR_OK : got;
        play->by_alarm += (uint64_t)got;
    }
    pack_flush(play->p, play->utc_ms);
    return BMS_ERR_OK;
}

int pack_run_replay(struct pack *p, uint64_t base_utc_ms)
{
    struct play play = { .p = p, .base_utc_ms = base_utc_ms };
    uint32_t rows = 0;
    int got;

    p->world.inputs.inputs = BIU_INPUT_HIGH | BIU_INPUT_ACC | BIU_INPUT_KEYON;
    p->world.inputs.keyon_mV = p->world.inputs.supply_mV;
    while (!pack_is_done(p) && (got = replay_next(&p->log)) != 0) {
        if (got < 0) {
            report_error("replay", "%s", p->log.error);
            return got;
        }
        got = play_row(&play, rows == 0);
        if (got == BMS_ERR_STATE)
            break;
        if (got)
            return got;
        rows++;
    }
    got = pack_is_stopped() ? BMS_ERR_OK : linger(&play);
    report_info("replay", "done rows=%u of=%u samples=%llu by_sync=%llu by_alarm=%llu holes=%u frames=%llu dropped=%llu", rows, p->log.rows,
                (unsigned long long)p->samples, (unsigned long long)play.by_sync, (unsigned long long)play.by_alarm, p->log.holes,
                (unsigned long long)p->bus[0].frames, (unsigned long long)doors_dropped(&p->doors));
    return got;
}
