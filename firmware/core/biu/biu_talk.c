/* SPDX-License-Identifier: Apache-2.0 */
/* biu_talk.c -- requests of testers on CAN0 and RS485, one at a time, and the sample stream between them. */
#include "firmware/core/biu/biu_parts.h"

#include "firmware/core/talk/modbus.h"

_Static_assert((int)RS485_TX_MAX + MODBUS_PDU_MAX + 1 + RS485_CRC <= (int)BIU_RS485_TX_MAX, "the answers of one step fit");

/* What the conditions of services look at. */
static void show(struct biu *biu, const struct biu_in *in)
{
    biu->uds.program.slot_size = in->slot_size;
    const struct sample *s = sampler_get(&biu->sampler, biu->sampler.last_no);

    biu->uds.board = (struct uds_board) { .failed = s ? s->scalar[SAMPLE_self_check] : scalar_invalid(VALIDITY_NEVER),
                                          .relays = biu->relays,
                                          .feedback = in->contactors_feedback,
                                          .asked = in->inputs & (BIU_INPUT_KEYON | BIU_INPUT_CHARGER),
                                          .major = biu->alarms.level == ALARM_MAJOR,
                                          .current_mA = biu->current.mA,
                                          .pack_mV = in->pack_voltage_mV,
                                          .link_mV = in->link_voltage_mV };
}

/* The next request, of whoever came first in this order: everybody's, CAN0, RS485. Returns the answer's length, 0 when there is none (yet). */
static size_t take_request(struct biu *biu)
{
    const uint8_t *request;
    size_t n;

    biu->asked_by_rs485 = false;
    if (biu->to_all_n) {
        n = uds_request_functional(&biu->uds, biu->to_all, biu->to_all_n, biu->answer);
        biu->to_all_n = 0;
        return n;
    }
    if ((n = isotp_take(&biu->isotp, &request)) > 0)
        return uds_request(&biu->uds, request, n, biu->answer);
    if ((n = rs485_take(&biu->rs485, &request)) == 0)
        return 0;
    biu->asked_by_rs485 = true;
    return uds_request(&biu->uds, request, n, biu->answer);
}

static void answer(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    if (in->nvm != BIU_NVM_IDLE)
        biu->nvm = in->nvm;
    uds_slot_result(&biu->uds, in->slot);
    if (isotp_is_sending(&biu->isotp))
        return;
    size_t n = uds_poll(&biu->uds, dt_ms, biu->nvm, biu->answer);

    biu->nvm = BIU_NVM_IDLE;
    if (n == 0 && !uds_is_busy(&biu->uds) && !biu->uds.restart)
        n = take_request(biu);
    if (n && biu->asked_by_rs485)
        out->rs485_tx_len += rs485_frame(biu->answer, n, out->rs485_tx + out->rs485_tx_len);
    else if (n)
        isotp_send(&biu->isotp, biu->answer, n, in->now_ms);
}

void biu_talk(struct biu *biu, const struct biu_in *in, uint32_t dt_ms, struct biu_out *out)
{
    size_t room = in->can_room < BIU_CAN_TX_MAX ? in->can_room : BIU_CAN_TX_MAX;
    size_t n = 0;

    show(biu, in);
    out->rs485_tx_len = rs485_step(&biu->rs485, &biu->uds, in->rs485_rx, in->rs485_rx_len, dt_ms, out->rs485_tx);
    answer(biu, in, dt_ms, out);
    while (n < room && isotp_poll(&biu->isotp, in->now_ms, &out->can_tx[n]) == 1)
        n++;
    out->can_tx_count = n + stream_step(&biu->stream, &biu->sampler, out->can_tx + n, biu->uds.silent ? 0 : room - n);
    out->nvm_write = biu->uds.store ? biu->params.running : NULL;
    biu->uds.store = false;
    out->slot = biu->uds.order;
    biu->uds.order = (struct biu_slot_order) { .what = BIU_SLOT_NOTHING };
    out->restart = biu->uds.restart && !isotp_is_sending(&biu->isotp);
}
