/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/pack.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/crc.h"
#include "common/err.h"
#include "firmware/core/measure/afe_faults.h"
#include "proto/afe.h"
#include "proto/can0.h"
#include "sim/report.h"

enum {
    CLIENT_WAIT_MS = 60000, /* --lossless: how long the hub may have no client, or a client no room */
    SLICE_MS = 200,
    LATE_MAX_MS = 1000, /* the board's clock is set back after that */
    TESTER_MS = 250,    /* real time lasts so long after a tester's frame */
    FLUSH_STEPS = 500,
    FLUSH_MS = 5000,
    RS485_BAUD = 115200,
    ROOM_FRAMES = 2 * BOARD_CAN_FRAMES_PER_STEP,
};

static const double noise_mV = 0.25;
static volatile sig_atomic_t stopped;

void pack_stop(void)
{
    stopped = 1;
}

bool pack_is_stopped(void)
{
    return stopped != 0;
}

/* A tester on the bus: see pack.h. */
static void watch(void *ctx, const struct can_frame *f)
{
    struct pack *p = ctx;

    if (f->ext && f->id == CAN0_ISOTP_TO_BIU)
        p->tester_ns = clock_ns() + (int64_t)TESTER_MS * 1000000;
}

static int chemistry_by_word(const char *word)
{
    for (int i = 0; i < CHEMISTRIES; i++) {
        if (strcmp(word, chemistry_word(i)) == 0)
            return i;
    }
    return BMS_ERR_UNKNOWN;
}

/* The board comes from production with the parameters of its pack. A board that has others already keeps them, all but the wiring. */
static int provision(struct pack *p, int32_t *factory)
{
    struct nvm_image image;
    struct nvm nvm;
    bool same = true;

    wiring_params(&p->wiring, p->chemistry, factory);
    if (p->options->replay) {
        factory[PARAM_sample_period_ms] = 0;
        factory[PARAM_cell_stuck_mV] = 0; /* a held hole, and rows seconds apart, are no faults of a chip */
        factory[PARAM_cell_jump_mV] = AFE_FULL_SCALE_mV;
    } else if (p->options->sample_ms >= 0)
        factory[PARAM_sample_period_ms] = (int32_t)p->options->sample_ms;
    if (nvm_load(&nvm, &p->nvm.port, &image) != BMS_ERR_OK)
        return BMS_ERR_OK;
    for (int i = 0; i < PARAMS; i++) {
        bool wired = i == PARAM_chemistry || (i >= PARAM_biu_devices && i <= PARAM_afe16_probes);
        bool asked = i == PARAM_sample_period_ms && (p->options->replay || p->options->sample_ms >= 0);

        if ((!wired && !asked) || image.params[i] == factory[i])
            continue;
        image.params[i] = factory[i];
        same = false;
    }
    if (same)
        return BMS_ERR_OK;
    report_warn("pack", "the stored parameters describe another pack: wiring replaced nvm=%s", p->options->nvm);
    return nvm_store(&nvm, image.params);
}

/* What a board may have and may be without. */
static int open_extras(struct pack *p)
{
    const char *slot = p->options->slot, *link = p->options->rs485_pty;

    if (slot && slot_file_open(&p->slot, slot) != BMS_ERR_OK) {
        report_error("pack", "cannot open slot=%s why=\"%s\"", slot, strerror(errno));
        return BMS_ERR_IO;
    }
    int err = link ? serial_door_open(&p->rs485, link, RS485_BAUD) : BMS_ERR_OK;

    if (err)
        report_error("pack", "cannot open rs485-pty=%s why=\"%s\"", link, err == BMS_ERR_IO ? strerror(errno) : bms_err_text(err));
    else if (link)
        report_info("pack", "listening door=rs485-pty link=%s", link);
    return err;
}

static int open_files(struct pack *p)
{
    int err = nvm_file_open(&p->nvm, p->options->nvm);

    if (err) {
        report_error("pack", "cannot open nvm=%s why=\"%s\"", p->options->nvm, strerror(errno));
        return err;
    }
    if (p->options->record && record_file_create(&p->record, p->options->record, CW_VERSION) != BMS_ERR_OK) {
        report_error("pack", "cannot open record=%s why=\"%s\"", p->options->record, strerror(errno));
        return BMS_ERR_IO;
    }
    err = open_extras(p);
    if (err)
        return err;
    if (!p->options->truth)
        return BMS_ERR_OK;
    err = truth_file_open(&p->truth, p->options->truth);
    if (err)
        report_error("pack", "cannot open truth=%s why=\"%s\"", p->options->truth,
                     err == BMS_ERR_IO ? strerror(errno) : "is no truth file");
    return err;
}

static int power_on(struct pack *p, uint64_t utc_ms)
{
    int32_t factory[PARAMS];
    int err = provision(p, factory);

    if (!err)
        err = board_init(&p->board, &p->world, &p->bus[0], &p->nvm.port, factory, utc_ms, p->record.file ? &p->record.port : NULL);
    if (!err)
        err = board_wire(&p->board, BOARD_CAN1, &p->bus[1]);
    if (!err)
        err = board_wire(&p->board, BOARD_CAN2, &p->bus[2]);
    if (!err && p->options->slot)
        p->board.ports.slot = &p->slot.port;
    if (!err && p->options->rs485_pty)
        p->board.ports.rs485 = &p->rs485.port;
    if (err) {
        report_error("pack", "the board does not start why=\"%s\" pack=\"%s\"", bms_err_text(err),
                     topology_text(p->board.app.biu.topology_error));
        return err;
    }
    report_info("pack", "started name=%s cells=%d chips=%d chemistry=%s boot=%u sample_ms=%d", p->options->name, p->wiring.cells,
                p->wiring.chips, chemistry_word(p->chemistry), p->board.app.nvm.boot, factory[PARAM_sample_period_ms]);
    return BMS_ERR_OK;
}

static int set_up_faults(struct pack *p)
{
    char error[FAULTS_ERROR_MAX];

    if (!p->options->fault || faults_parse(&p->faults, p->options->fault, &p->wiring, error) == BMS_ERR_OK)
        return BMS_ERR_OK;
    report_error("pack", "fault=%s: %s", p->options->fault, error);
    return BMS_ERR_RANGE;
}

static int set_up(struct pack *p)
{
    int chemistry = chemistry_by_word(p->options->chemistry);
    bool replay = p->options->replay != NULL;

    if (chemistry < 0) {
        report_error("pack", "unknown chemistry=%s", p->options->chemistry);
        return BMS_ERR_RANGE;
    }
    p->chemistry = (enum chemistry)chemistry;
    p->seed = p->options->seed ? (uint64_t)p->options->seed : crc32c(0, (const uint8_t *)p->options->name, strlen(p->options->name));
    if (wiring_init(&p->wiring, replay ? p->log.cells : (int)p->options->cells, replay ? p->log.temps : 0) != BMS_ERR_OK) {
        report_error("pack", "%s: line 1: %d cells cannot have %d probes", p->log.path, p->log.cells, p->log.temps);
        return BMS_ERR_RANGE;
    }
    if (replay)
        wiring_fit_probes(&p->wiring, p->log.fitted, p->log.temps);
    world_init(&p->world, &p->wiring, replay ? 0 : noise_mV, p->seed);
    return set_up_faults(p);
}

int pack_open(struct pack *p, const struct pack_options *options, uint64_t utc_ms)
{
    p->options = options;
    p->nvm.fd = -1;
    p->slot.fd = -1;
    p->rs485.fd = -1;
    p->truth.fd = -1;
    p->doors.can[0].hub.fd = -1;
    int err = set_up(p);

    if (!err)
        err = open_files(p);
    if (!err)
        err = doors_open(&p->doors, options, p->bus);
    if (err)
        return err;
    p->node = can_bus_attach(&p->bus[0], watch, p);
    p->due_ns = clock_ns();
    return power_on(p, utc_ms);
}

/* Wait until the step is due, or only look at the doors when there is no hurry limit. */
static void keep_time(struct pack *p)
{
    int64_t now = clock_ns();

    if (p->rs485.received != p->rs485_received)
        p->tester_ns = now + (int64_t)TESTER_MS * 1000000;
    p->rs485_received = p->rs485.received;
    double speed = now < p->tester_ns ? 1 : p->options->speed;

    if (speed > 0) {
        p->due_ns += (int64_t)(WORLD_STEP_MS * 1e6 / speed);
        if (now - p->due_ns > (int64_t)LATE_MAX_MS * 1000000) {
            p->late_ms += (uint64_t)((double)(now - p->due_ns) * speed / 1e6);
            p->due_ns = now;
        }
        if (p->due_ns > now) {
            doors_wait(&p->doors, p->due_ns);
            return;
        }
    } else {
        p->due_ns = now;
    }
    doors_poll(&p->doors);
}

/* In slices, so that a signal just before a wait is seen as well. */
static int wait_for_clients(struct pack *p)
{
    int err = p->options->lossless ? BMS_ERR_TIMEOUT : BMS_ERR_OK;

    for (int ms = 0; err == BMS_ERR_TIMEOUT && ms < CLIENT_WAIT_MS && !pack_is_stopped(); ms += SLICE_MS)
        err = doors_wait_for_room(&p->doors, ROOM_FRAMES, SLICE_MS);
    if (err == BMS_ERR_TIMEOUT && !pack_is_stopped())
        report_error("can", "nobody took frames from the hub for %d s", CLIENT_WAIT_MS / 1000);
    return err;
}

/* Where to look, once when the alarms have changed. */
static void report_chain(const struct pack *p)
{
    const struct biu *biu = &p->board.app.biu;
    struct afe_fault faults[AFE_FAULTS_MAX];
    size_t n = afe_faults_of(&biu->afe, &biu->measure, (uint32_t)biu->params.running[PARAM_afe_silent_limit], faults, AFE_FAULTS_MAX);

    for (size_t i = 0; i < n; i++)
        report_warn("chain", "fault=\"%s\" board=%u chip=%u cell=%u behind_board=%u behind_chip=%u", afe_fault_text(faults[i].kind),
                    faults[i].at.board, faults[i].at.chip, faults[i].cell, faults[i].near.board, faults[i].near.chip);
}

static int note_sample(struct pack *p, const struct sample *s, const uint16_t *truth_mV)
{
    p->samples++;
    p->last_no = s->no;
    if (s->alarms != p->alarms) {
        report_info("pack", "alarms active=%u worst=%d sample=%u", s->alarms, s->scalar[SAMPLE_alarm_level], s->no);
        report_chain(p);
    }
    p->alarms = s->alarms;
    int err = truth_file_append(&p->truth, s, truth_mV);

    if (err)
        report_error("pack", "cannot write truth=%s why=\"%s\"", p->options->truth, strerror(errno));
    return err;
}

int pack_step(struct pack *p, uint64_t utc_ms, const struct sample **s)
{
    uint16_t truth_mV[PACK_CELLS_MAX];
    uint32_t restarts = p->board.restarts;
    struct can_frame f;
    int err = wait_for_clients(p);

    keep_time(p);
    if (pack_is_stopped())
        return BMS_ERR_STATE;
    if (err)
        return err;
    faults_apply(&p->faults, &p->world, p->board.now_ms / 1000.0);
    world_step(&p->world);
    if (csu_step(&p->world.csu, p->world.current_A, &f))
        can_bus_send(&p->bus[0], p->node, &f);
    world_truth(&p->world, truth_mV); /* of the scan whose answers the board is about to read */
    *s = board_step(&p->board, utc_ms);
    if (p->board.restarts != restarts)
        report_info("pack", "board restarted boot=%u", p->board.app.nvm.boot);
    if (!*s)
        return 0;
    err = note_sample(p, *s, truth_mV);
    return err ? err : 1;
}

void pack_sleep(struct pack *p, uint32_t ms)
{
    board_sleep(&p->board, ms);
    if (p->options->speed <= 0)
        return;
    p->due_ns += (int64_t)(ms * 1e6 / p->options->speed);
    for (int64_t now; (now = clock_ns()) < p->due_ns && !pack_is_stopped();) {
        int64_t slice = now + (int64_t)SLICE_MS * 1000000;

        doors_wait(&p->doors, slice < p->due_ns ? slice : p->due_ns);
    }
}

bool pack_is_done(const struct pack *p)
{
    return p->options->samples > 0 && p->samples >= (uint64_t)p->options->samples;
}

void pack_flush(struct pack *p, uint64_t utc_ms)
{
    const struct sample *s;
    int64_t until_ns = clock_ns() + (int64_t)FLUSH_MS * 1000000;

    for (int i = 0; i < FLUSH_STEPS && p->board.streamed_no < p->last_no; i++) {
        if (pack_step(p, utc_ms, &s) < 0)
            return;
    }
    while (!can_hub_is_flushed(&p->doors.can[0].hub) && clock_ns() < until_ns && !pack_is_stopped())
        doors_wait(&p->doors, clock_ns() + 1000000);
}

void pack_close(struct pack *p)
{
    if (p->log.file)
        replay_close(&p->log);
    if (p->doors.can[0].hub.fd >= 0)
        doors_close(&p->doors);
    truth_file_close(&p->truth);
    if (record_file_close(&p->record) != BMS_ERR_OK)
        report_error("pack", "cannot write record=%s", p->options->record);
    nvm_file_close(&p->nvm);
    slot_file_close(&p->slot);
    serial_door_close(&p->rs485);
}
