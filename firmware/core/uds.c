/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/uds.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/topology.h"
#include "firmware/core/uds_service.h"

enum { ANSWER = 0x40, HARD_RESET = 1, START_ROUTINE = 1 };

void uds_init(struct uds *u, struct params *params, const struct sampler *sampler, struct stream *stream, struct dtc_memory *dtc)
{
    *u = (struct uds) { .params = params, .sampler = sampler, .stream = stream, .dtc = dtc, .session = UDS_SESSION_DEFAULT };
}

static size_t refuse(uint8_t service, int nrc, uint8_t *out)
{
    out[0] = UDS_NEGATIVE;
    out[1] = service;
    out[2] = (uint8_t)nrc;
    return 3;
}

/* The copy that a DID names and the index in it, or NULL. */
static const int32_t *copy_of(const struct uds *u, uint16_t did, int *param)
{
    const int32_t *copy = did >= DID_PARAM_STORED ? u->params->stored : u->params->running;
    uint16_t base = did >= DID_PARAM_STORED ? DID_PARAM_STORED : DID_PARAM_RUNNING;

    if (did < DID_PARAM_RUNNING)
        return NULL;
    *param = param_by_id((uint16_t)(did - base));
    return *param < 0 ? NULL : copy;
}

static int uds_22_read_data_by_identifier(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    size_t dids = (n - 1) / 2, at = 1;

    if (n < 3 || n % 2 == 0 || dids > UDS_DIDS_MAX)
        return -UDS_NRC_LENGTH;
    for (size_t i = 0; i < dids; i++) {
        uint16_t did = get_be16(req + 1 + 2 * i);
        int param;

        if (did == DID_ACTIVE_SESSION) {
            put_be16(out + at, did);
            out[at + 2] = u->session;
            at += 3;
            continue;
        }
        const int32_t *copy = copy_of(u, did, &param);

        if (!copy)
            return -UDS_NRC_RANGE;
        put_be16(out + at, did);
        put_be32(out + at + 2, (uint32_t)copy[param]);
        at += 6;
    }
    return (int)at;
}

static int uds_2E_write_data_by_identifier(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int param = 0;

    if (n != 1 + 2 + 4)
        return -UDS_NRC_LENGTH;
    uint16_t did = get_be16(req + 1);

    if (copy_of(u, did, &param) != u->params->running)
        return -UDS_NRC_RANGE;
    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    if (params_set(u->params, (enum param)param, (int32_t)get_be32(req + 3)) != BMS_ERR_OK)
        return -UDS_NRC_RANGE;
    put_be16(out + 1, did);
    return 3;
}

/* Only a set that describes a possible pack is stored: single writes may pass through impossible ones. The answer comes from uds_poll(). */
static int store(struct uds *u, size_t n)
{
    struct topology t;

    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    if (n != 4)
        return -UDS_NRC_LENGTH;
    if (u->writing || topology_read(u->params->running, &t) != TOPOLOGY_OK)
        return -UDS_NRC_CONDITIONS;
    memcpy(u->storing, u->params->running, sizeof(u->storing));
    u->store = true;
    u->writing = true;
    u->busy = true;
    u->told_pending = false;
    u->stored_ms = 0;
    return 0;
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

static int uds_31_routine_control(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 4)
        return -UDS_NRC_LENGTH;
    if ((req[1] & ~UDS_SUPPRESS) != START_ROUTINE)
        return -UDS_NRC_SUBFUNCTION;
    memcpy(out + 1, req + 1, 3);
    out[1] = START_ROUTINE;
    switch (get_be16(req + 2)) {
    case UDS_ROUTINE_STORE:
        return store(u, n);
    case UDS_ROUTINE_RESEND:
        return resend(u, req, n, out);
    default:
        return -UDS_NRC_RANGE;
    }
}

static int uds_11_ecu_reset(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 2)
        return -UDS_NRC_LENGTH;
    if ((req[1] & ~UDS_SUPPRESS) != HARD_RESET)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 2)
        return -UDS_NRC_LENGTH;
    u->restart = true;
    out[1] = HARD_RESET;
    return 2;
}

static const struct {
    uint8_t service;
    bool subfunction;
    bool extended; /* not in the default session (ISO 14229-1 table 23) */
    uds_handler *handle;
} services[] = {
    { UDS_SESSION, true, false, uds_10_diagnostic_session_control },
    { UDS_ECU_RESET, true, false, uds_11_ecu_reset },
    { UDS_CLEAR_DTC, false, false, uds_14_clear_diagnostic_information },
    { UDS_READ_DTC, true, false, uds_19_read_dtc_information },
    { UDS_READ_DATA, false, false, uds_22_read_data_by_identifier },
    { UDS_SECURITY, true, true, uds_27_security_access },
    { UDS_COMMUNICATION, true, true, uds_28_communication_control },
    { UDS_WRITE_DATA, false, false, uds_2E_write_data_by_identifier },
    { UDS_ROUTINE, true, false, uds_31_routine_control },
    { UDS_TESTER_PRESENT, true, false, uds_3E_tester_present },
    { UDS_DTC_SETTING, true, true, uds_85_control_dtc_setting },
};

size_t uds_request(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n == 0)
        return 0;
    u->s3_ms = 0;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (services[i].service != req[0])
            continue;
        bool here = !services[i].extended || u->session != UDS_SESSION_DEFAULT;
        int len = here ? services[i].handle(u, req, n, out) : -UDS_NRC_NOT_IN_SESSION;

        if (len < 0)
            return refuse(req[0], -len, out);
        out[0] = (uint8_t)(req[0] + ANSWER);
        u->quiet = services[i].subfunction && (req[1] & UDS_SUPPRESS);
        return u->quiet ? 0 : (size_t)len;
    }
    return refuse(req[0], UDS_NRC_SERVICE, out);
}

size_t uds_request_functional(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    size_t len = uds_request(u, req, n, out);

    if (len == 0 || out[0] != UDS_NEGATIVE)
        return len;
    switch (out[2]) { /* ISO 14229-1 table 5: who is not meant keeps still */
    case UDS_NRC_SERVICE:
    case UDS_NRC_SUBFUNCTION:
    case UDS_NRC_RANGE:
    case UDS_NRC_SUBFUNCTION_NOT_IN_SESSION:
    case UDS_NRC_NOT_IN_SESSION:
        return 0;
    default:
        return len;
    }
}

bool uds_is_busy(const struct uds *u)
{
    return u->busy;
}

static size_t stored(struct uds *u, uint8_t *out)
{
    u->busy = false;
    if (u->quiet && !u->told_pending)
        return 0;
    out[0] = UDS_ROUTINE + ANSWER;
    out[1] = START_ROUTINE;
    put_be16(out + 2, UDS_ROUTINE_STORE);
    return 4;
}

/* S3 stands still while a request is worked on. */
static void run_timers(struct uds *u, uint32_t dt_ms)
{
    u->age_ms += dt_ms;
    u->delay_ms = u->delay_ms > dt_ms ? u->delay_ms - dt_ms : 0;
    if (u->session == UDS_SESSION_DEFAULT || u->busy)
        return;
    u->s3_ms = dt_ms > UDS_S3_MS - u->s3_ms ? UDS_S3_MS + 1 : u->s3_ms + dt_ms;
    if (u->s3_ms > UDS_S3_MS)
        uds_default_session(u);
}

size_t uds_poll(struct uds *u, uint32_t dt_ms, enum biu_nvm nvm, uint8_t *out)
{
    run_timers(u, dt_ms);
    if (u->writing && nvm == BIU_NVM_DONE)
        params_stored(u->params, u->storing); /* also when the tester has been told otherwise, after UDS_STORE_MS */
    if (nvm != BIU_NVM_IDLE)
        u->writing = false;
    if (!u->busy)
        return 0;
    u->stored_ms += dt_ms;
    if (nvm == BIU_NVM_DONE)
        return stored(u, out);
    if (nvm == BIU_NVM_FAILED || u->stored_ms >= UDS_STORE_MS) {
        u->busy = false;
        return refuse(UDS_ROUTINE, UDS_NRC_PROGRAMMING, out);
    }
    if (u->told_pending || u->stored_ms < UDS_PENDING_MS)
        return 0;
    u->told_pending = true;
    return refuse(UDS_ROUTINE, UDS_NRC_PENDING, out);
}
