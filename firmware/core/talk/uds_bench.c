/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/talk/uds_service.h"

enum {
    HEAD = 4,
    CALM_mA = 1000,
    REFERENCE_MIN_mA = 10000,
    PPM = 1000000,
    LINK_FULL_permille = 950,
    LINK_EMPTY_mV = 60000,
    SIMULATED_BYTES = 3
};

/* --- calibration of the current: what is measured = raw (1 + gain) + offset --- */

static bool is_calm(const struct uds *u)
{
    return scalar_validity(u->board.current_mA) == VALIDITY_OK && u->board.relays == 0 && u->board.feedback == 0;
}

static int set_zero(struct uds *u)
{
    int64_t offset_mA = (int64_t)u->params->running[PARAM_current_offset_mA] - u->board.current_mA;

    if (!is_calm(u)) /* something can flow */
        return -UDS_NRC_CONDITIONS;
    if (offset_mA < INT32_MIN || offset_mA > INT32_MAX)
        return -UDS_NRC_RANGE;
    return uds_set_param(u, PARAM_current_offset_mA, (int32_t)offset_mA);
}

static int set_gain(struct uds *u, int32_t reference_mA)
{
    const int32_t *p = u->params->running;

    if (scalar_validity(u->board.current_mA) != VALIDITY_OK)
        return -UDS_NRC_CONDITIONS;
    int64_t measured = (int64_t)u->board.current_mA - p[PARAM_current_offset_mA],
            wanted = (int64_t)reference_mA - p[PARAM_current_offset_mA];

    if (reference_mA > -REFERENCE_MIN_mA && reference_mA < REFERENCE_MIN_mA) /* too little to tell a gain from */
        return -UDS_NRC_RANGE;
    if (measured == 0)
        return -UDS_NRC_CONDITIONS;
    int64_t gain_ppm = wanted * (PPM + p[PARAM_current_gain_ppm]) / measured - PPM;

    if (gain_ppm < -PPM || gain_ppm > PPM)
        return -UDS_NRC_RANGE;
    return uds_set_param(u, PARAM_current_gain_ppm, (int32_t)gain_ppm);
}

static int as_delivered(struct uds *u)
{
    int32_t chemistry = u->params->running[PARAM_chemistry];

    int no = uds_set_param(u, PARAM_current_offset_mA, param_rows[PARAM_current_offset_mA].dflt[chemistry]);

    return no ? no : uds_set_param(u, PARAM_current_gain_ppm, param_rows[PARAM_current_gain_ppm].dflt[chemistry]);
}

int uds_calibrate(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = -UDS_NRC_RANGE;

    if (n < HEAD + 1 || n != (req[HEAD] == UDS_CALIBRATE_GAIN ? HEAD + 5u : HEAD + 1u))
        return -UDS_NRC_LENGTH;
    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    if (req[HEAD] == UDS_CALIBRATE_ZERO)
        no = set_zero(u);
    else if (req[HEAD] == UDS_CALIBRATE_GAIN)
        no = set_gain(u, (int32_t)get_be32(req + HEAD + 1));
    else if (req[HEAD] == UDS_CALIBRATE_FACTORY)
        no = as_delivered(u);
    put_be32(out + HEAD, (uint32_t)u->params->running[PARAM_current_offset_mA]);
    put_be32(out + HEAD + 4, (uint32_t)u->params->running[PARAM_current_gain_ppm]);
    return no ? no : HEAD + 8;
}

/* --- what only an unlocked extended session may do --- */

static int may_bench(const struct uds *u)
{
    if (u->session != UDS_SESSION_EXTENDED)
        return -UDS_NRC_RANGE; /* a routine of another session (ISO 14229-1 figure 31) */
    return u->unlocked ? 0 : -UDS_NRC_SECURITY;
}

/* Nothing flows through a main relay between equal voltages, or through RL2 into a link whose voltage is harmless (60 V, ISO 6469-3 class A). */
static bool is_safe(const struct uds *u, uint8_t relay)
{
    const struct uds_board *b = &u->board;
    bool known = scalar_validity(b->pack_mV) == VALIDITY_OK && scalar_validity(b->link_mV) == VALIDITY_OK;

    if (!known || !is_calm(u) || b->asked || b->major || b->current_mA > CALM_mA || b->current_mA < -CALM_mA)
        return false;
    if (relay == BIU_RELAY_PRECHARGE)
        return b->link_mV < LINK_EMPTY_mV;
    return (int64_t)b->link_mV * 1000 >= (int64_t)b->pack_mV * LINK_FULL_permille;
}

int uds_test_contactor(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = may_bench(u);

    (void)out;
    if (n != HEAD + 1)
        return -UDS_NRC_LENGTH;
    if (no)
        return no;
    if (req[HEAD] != BIU_RELAY_DISCHARGE && req[HEAD] != BIU_RELAY_PRECHARGE && req[HEAD] != BIU_RELAY_CHARGE)
        return -UDS_NRC_RANGE;
    return u->contactor && is_safe(u, req[HEAD]) && contactor_test(u->contactor, req[HEAD]) == BMS_ERR_OK ? HEAD : -UDS_NRC_CONDITIONS;
}

int uds_stop_contactor(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)req;
    (void)out;
    if (n != HEAD)
        return -UDS_NRC_LENGTH;
    if (!u->contactor || u->contactor->test_result != CONTACTOR_TEST_RUNNING)
        return -UDS_NRC_SEQUENCE;
    contactor_test_stop(u->contactor);
    return HEAD;
}

int uds_tell_contactor(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)req;
    if (n != HEAD)
        return -UDS_NRC_LENGTH;
    if (!u->contactor || u->contactor->test_result == CONTACTOR_TEST_NEVER)
        return -UDS_NRC_SEQUENCE;
    out[HEAD] = (uint8_t)u->contactor->test_result;
    return HEAD + 1;
}

int uds_simulate(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = may_bench(u), row = n == HEAD + SIMULATED_BYTES ? alarm_by_id(req[HEAD]) : -1;

    (void)out;
    if (n != HEAD + SIMULATED_BYTES)
        return -UDS_NRC_LENGTH;
    if (no)
        return no;
    uint16_t seconds = get_be16(req + HEAD + 1);

    if (!u->alarms || row < 0 || seconds == 0 || seconds > ALARM_SIMULATED_MAX_S)
        return -UDS_NRC_RANGE;
    alarm_simulate(u->alarms, (enum alarm)row, seconds * 1000u);
    return HEAD;
}

static void end_simulation(struct uds *u)
{
    for (int i = 0; u->alarms && i < ALARMS; i++)
        if (u->alarms->row[i].simulated_ms)
            alarm_simulate(u->alarms, (enum alarm)i, 0);
}

int uds_stop_simulation(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)req;
    (void)out;
    if (n != HEAD)
        return -UDS_NRC_LENGTH;
    end_simulation(u);
    return HEAD;
}

_Static_assert(HEAD + ALARMS * SIMULATED_BYTES <= UDS_RESPONSE_MAX, "one answer lists all that is simulated");

int uds_tell_simulated(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    size_t at = HEAD;

    (void)req;
    if (n != HEAD)
        return -UDS_NRC_LENGTH;
    for (int i = 0; u->alarms && i < ALARMS; i++) {
        uint32_t left_ms = u->alarms->row[i].simulated_ms;

        if (!left_ms)
            continue;
        out[at] = alarm_rows[i].id;
        put_be16(out + at + 1, (uint16_t)((left_ms + 999) / 1000));
        at += SIMULATED_BYTES;
    }
    return (int)at;
}

void uds_end_bench(struct uds *u)
{
    end_simulation(u);
    if (u->contactor)
        contactor_test_stop(u->contactor);
}
