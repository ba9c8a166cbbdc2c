/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/measure/topology.h"
#include "firmware/core/talk/uds_service.h"

enum { START = 1, STOP = 2, RESULT = 3 };

/* Only a set that describes a possible pack is stored: single writes may pass through impossible ones. */
int uds_store(struct uds *u)
{
    struct topology t;

    if (u->params->held || topology_read(u->params->running, &t) != TOPOLOGY_OK)
        return -UDS_NRC_CONDITIONS;
    params_hold(u->params);
    u->store = true;
    return 0;
}

/* The answer comes from uds_poll(). */
static int store(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    static const uint8_t reply[] = { UDS_ROUTINE + UDS_ANSWER, START, UDS_ROUTINE_STORE >> 8, UDS_ROUTINE_STORE & 0xFF };

    (void)req;
    (void)out;
    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    if (n != 4)
        return -UDS_NRC_LENGTH;
    int no = uds_store(u);

    return no ? no : uds_wait(u, UDS_WAIT_NVM, reply, sizeof(reply));
}

static int resend(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n != 8)
        return -UDS_NRC_LENGTH;
    uint32_t no = get_be32(req + 4), oldest = sampler_oldest(u->sampler), last = u->sampler->last_no;

    if (no > last && no - last > 1) /* the tester means another start of the board */
        return -UDS_NRC_RANGE;
    if (no < oldest)
        no = oldest;
    stream_back(u->stream, no);
    put_be32(out + 4, no);
    put_be32(out + 8, last);
    return 12;
}

static int self_test(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)req;
    if (n != 4)
        return -UDS_NRC_LENGTH;
    if (scalar_validity(u->board.failed) != VALIDITY_OK) /* no check has ended yet */
        return -UDS_NRC_CONDITIONS;
    put_be16(out + 4, (uint16_t)u->board.failed);
    return 6;
}

int uds_set_soc(struct uds *u, const uint8_t *value, size_t n)
{
    if (n != 2)
        return -UDS_NRC_LENGTH;
    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    return u->soc && soc_set(u->soc, get_be16(value)) == BMS_ERR_OK ? 0 : -UDS_NRC_RANGE;
}

static int set_soc(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = uds_set_soc(u, req + 4, n - 4);

    (void)out;
    return no ? no : 4;
}

static const struct {
    uint16_t id;
    uint8_t how;
    uds_handler *run; /* called with n >= 4; the answer's first four bytes are there */
} routines[] = {
    { UDS_ROUTINE_STORE, START, store },
    { UDS_ROUTINE_RESEND, START, resend },
    { UDS_ROUTINE_SELF_TEST, START, self_test },
    { UDS_ROUTINE_SET_SOC, START, set_soc },
    { UDS_ROUTINE_PROGRESS, START, uds_progress },
    { UDS_ROUTINE_ERASE, START, uds_erase },
    { UDS_ROUTINE_CHECK, START, uds_check },
    { UDS_ROUTINE_CALIBRATE, START, uds_calibrate },
    { UDS_ROUTINE_CONTACTOR, START, uds_test_contactor },
    { UDS_ROUTINE_CONTACTOR, STOP, uds_stop_contactor },
    { UDS_ROUTINE_CONTACTOR, RESULT, uds_tell_contactor },
    { UDS_ROUTINE_SIMULATE, START, uds_simulate },
    { UDS_ROUTINE_SIMULATE, STOP, uds_stop_simulation },
    { UDS_ROUTINE_SIMULATE, RESULT, uds_tell_simulated },
};

/* Sub-functions are judged before routines: what no routine has at all is not supported (ISO 14229-1 figure 31). */
int uds_31_routine_control(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = -UDS_NRC_RANGE;

    if (n < 4)
        return -UDS_NRC_LENGTH;
    uint8_t how = req[1] & (uint8_t)~UDS_SUPPRESS;
    uint16_t id = get_be16(req + 2);

    if (how < START || how > RESULT)
        return -UDS_NRC_SUBFUNCTION;
    out[1] = how;
    put_be16(out + 2, id);
    for (size_t i = 0; i < sizeof(routines) / sizeof(routines[0]); i++) {
        if (routines[i].id != id)
            continue;
        if (routines[i].how == how)
            return routines[i].run(u, req, n, out);
        no = -UDS_NRC_SUBFUNCTION;
    }
    return no;
}
