/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/biu_app.h"

#include <string.h>

#include "common/err.h"

_Static_assert((int)CODE_STORE_SIZE + NVM_PROGRAM_MAX <= (int)NVM_CODE_STRIDE, "trouble codes fit into their place");
_Static_assert((int)KEY_STORE_SIZE <= (int)NVM_KEY_STRIDE, "a save of key data fits into its place");
#include "firmware/app/slot.h"

int biu_app_init(struct biu_app *app, const struct biu_ports *ports, const int32_t *factory, struct sample *ring, size_t ring_size)
{
    struct nvm_image image;

    *app = (struct biu_app) { .ports = ports, .nvm_result = BIU_NVM_IDLE };
    memcpy(image.params, factory, sizeof(image.params));
    app->nvm_status = nvm_load(&app->nvm, ports->nvm, &image);
    app->replaced = image.replaced;
    app->nvm.boot++;
    int counted = nvm_store(&app->nvm, image.params);
    struct nvm_layout layout = nvm_layout_of(ports->nvm);
    struct key_data key;

    app->write_failed = counted != BMS_ERR_OK;
    self_run_init(&app->self, ports->self);

    app->key_status =
        key_store_load(&app->keys, ports->nvm, &(struct key_geometry) { layout.key_offset, layout.key_unit, KEY_DATA_PAGE }, &key);
    app->key_errors += key_store_tidy(&app->keys) != BMS_ERR_OK;
    struct biu_config cfg = { .params = image.params,
                              .boot = app->nvm.boot,
                              .ring = ring,
                              .ring_size = ring_size,
                              .key = app->key_status == BMS_ERR_OK ? &key : NULL };

    app->code_status = code_store_load(
        &app->codes, ports->nvm, &(struct code_geometry) { layout.code_offset, layout.code_unit, KEY_DATA_PAGE }, &cfg.codes, &cfg.codes_n);
    app->key_errors += code_store_tidy(&app->codes) != BMS_ERR_OK;
    uint32_t now_ms = ports->clock->now_ms(ports->clock->ctx);

    if (ports->trace)
        ports->trace->start(ports->trace->ctx, &cfg, now_ms);
    app->topology_status = biu_init(&app->biu, &cfg, now_ms);
    return app->topology_status != BMS_ERR_OK ? app->topology_status : counted;
}

/* Frames that have come, at most max; the rest waits for the next step. */
static size_t take_frames(const struct can_port *can, struct can_frame *rx, size_t max)
{
    size_t n = 0;

    while (can && n < max && can->receive(can->ctx, &rx[n]) == 1)
        n++;
    return n;
}

static size_t room_of(const struct can_port *can)
{
    return can ? can->room(can->ctx) : 0;
}

static void give_frames(const struct can_port *can, const struct can_frame *tx, size_t n)
{
    for (size_t i = 0; can && i < n; i++)
        can->send(can->ctx, &tx[i]);
}

/* What cannot be read is left out; the values then grow old, which is judged. */
static void receive(struct biu_app *app, struct biu_in *in)
{
    const struct biu_ports *p = app->ports;
    int n = p->afe->read(p->afe->ctx, app->afe_rx, sizeof(app->afe_rx));

    in->afe_rx = app->afe_rx;
    in->afe_rx_len = n > 0 ? (size_t)n : 0;
    in->afe_fault = p->afe->fault(p->afe->ctx) == 1;
    in->can_rx = app->can_rx;
    in->can_rx_count = take_frames(p->can0, app->can_rx, BIU_APP_CAN_RX_MAX);
    in->can_room = room_of(p->can0);
    in->can1_rx = app->can1_rx;
    in->can1_rx_count = take_frames(p->can1, app->can1_rx, BIU_APP_CAN1_RX_MAX);
    in->can1_room = room_of(p->can1);
    in->can2_rx = app->can2_rx;
    in->can2_rx_count = take_frames(p->can2, app->can2_rx, BIU_APP_CAN2_RX_MAX);
    in->can2_room = room_of(p->can2);
    n = p->rs485 ? p->rs485->read(p->rs485->ctx, app->rs485_rx, sizeof(app->rs485_rx)) : 0;
    in->rs485_rx = app->rs485_rx;
    in->rs485_rx_len = n > 0 ? (size_t)n : 0;
}

static void read_inputs(struct biu_app *app, struct biu_in *in)
{
    const struct biu_ports *p = app->ports;
    struct input_reading r;

    p->inputs->read(p->inputs->ctx, &r);
    in->pack_voltage_mV = r.pack_voltage_mV;
    in->link_voltage_mV = r.link_voltage_mV;
    in->supply_mV = r.supply_mV;
    in->keyon_mV = r.keyon_mV;
    in->charger_wake_mV = r.charger_wake_mV;
    in->inputs = r.inputs;
    in->sense = r.sense;
    if (p->contactors->feedback(p->contactors->ctx, &in->contactors_feedback) != BMS_ERR_OK)
        in->contactors_feedback = 0;
    in->now_ms = p->clock->now_ms(p->clock->ctx);
    in->utc_ms = p->clock->utc_ms(p->clock->ctx);
    in->nvm = app->nvm_result;
    app->nvm_result = BIU_NVM_IDLE;
    in->slot = app->slot_result;
    in->slot_size = p->slot ? p->slot->size : 0;
}

/* Nothing stored yet is no fault of the memory. */
static bool is_lost(int status)
{
    return status == BMS_ERR_IO || status == BMS_ERR_CORRUPT;
}

static void check_self(struct biu_app *app, struct self_facts *now)
{
    self_run_step(&app->self, now);
    now->nvm_bad = app->write_failed || is_lost(app->nvm_status) || is_lost(app->key_status) || is_lost(app->code_status);
    now->params_bad = app->replaced > 0;
}

static void save_key(struct biu_app *app)
{
    app->write_failed = key_store_save(&app->keys, &app->biu.key) != BMS_ERR_OK;
    app->key_errors += app->write_failed;
    if (!app->biu.key_saving.low && key_store_tidy(&app->keys) != BMS_ERR_OK) /* no erase while the supply falls */
        app->key_errors++;
}

/* Trouble codes: a page a step, and nothing while the supply falls. Before a restart or a sleep all that is left. Flash is erased only while every
 * contactor is open: what has changed a second time since then waits for that. */
static void keep_codes(struct biu_app *app)
{
    bool ends = app->out.restart || app->out.sleep;

    bool may_erase = !app->out.contactors || ends;

    if (app->biu.key_saving.low)
        return;
    do {
        if (!code_store_is_busy(&app->codes) && !may_erase && code_store_must_erase(&app->codes))
            return;
        if (!code_store_is_busy(&app->codes) && app->codes_taken != app->biu.dtc.changes) {
            app->codes_taken = app->biu.dtc.changes;
            code_store_begin(&app->codes, &app->biu.dtc);
        }
        if (code_store_step(&app->codes) != BMS_ERR_OK) {
            app->write_failed = true;
            app->key_errors++;
        }
    } while (ends && (code_store_is_busy(&app->codes) || app->codes_taken != app->biu.dtc.changes));
    if (ends && code_store_tidy(&app->codes) != BMS_ERR_OK)
        app->key_errors++;
}

static void store(struct biu_app *app)
{
    app->write_failed = nvm_store(&app->nvm, app->out.nvm_write) != BMS_ERR_OK;
    app->nvm_result = app->write_failed ? BIU_NVM_FAILED : BIU_NVM_DONE;
}

static void send(struct biu_app *app)
{
    const struct biu_ports *p = app->ports;

    if (p->inputs->bridge)
        p->inputs->bridge(p->inputs->ctx, app->out.bridge);
    p->contactors->drive(p->contactors->ctx, (uint8_t)(app->out.contactors | app->out.outputs << OUTPUTS_FREE));
    if (app->out.key_save)
        save_key(app);
    keep_codes(app);
    if (app->out.afe_tx_len)
        p->afe->write(p->afe->ctx, app->out.afe_tx, app->out.afe_tx_len);
    give_frames(p->can0, app->out.can_tx, app->out.can_tx_count);
    give_frames(p->can1, app->out.can1_tx, app->out.can1_tx_count);
    give_frames(p->can2, app->out.can2_tx, app->out.can2_tx_count);
    if (p->rs485 && app->out.rs485_tx_len)
        p->rs485->write(p->rs485->ctx, app->out.rs485_tx, app->out.rs485_tx_len);
    if (app->out.nvm_write)
        store(app);
    app->slot_result = slot_obey(p->slot, &app->out.slot);
}

int biu_app_step(struct biu_app *app)
{
    struct biu_in in = { 0 };

    receive(app, &in);
    read_inputs(app, &in);
    check_self(app, &in.self);
    biu_step(&app->biu, &in, &app->out);
    if (app->ports->trace)
        app->ports->trace->step(app->ports->trace->ctx, &in, &app->out);
    send(app);
    return app->out.restart;
}

void biu_app_wake(struct biu_app *app)
{
    const struct biu_ports *p = app->ports;
    uint32_t now_ms = p->clock->now_ms(p->clock->ctx);

    if (p->trace)
        p->trace->wake(p->trace->ctx, now_ms);
    biu_wake(&app->biu, now_ms);
}
