/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/uds.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/talk/uds_service.h"
#include "proto/catalogue.h"

enum { HARD_RESET = 1, DID_BYTES_MAX = KEY_RELAYS * 8 };

void uds_init(struct uds *u, struct params *params, const struct sampler *sampler, struct stream *stream, struct dtc_memory *dtc)
{
    *u = (struct uds) { .params = params, .sampler = sampler, .stream = stream, .dtc = dtc, .session = UDS_SESSION_DEFAULT };
    program_init(&u->program, 0);
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

static size_t put_wear(const struct relay_wear *wear, uint8_t *out)
{
    for (size_t i = 0; i < KEY_RELAYS; i++) {
        put_be32(out + 8 * i, wear[i].closed);
        put_be32(out + 8 * i + 4, wear[i].load_A);
    }
    return (size_t)KEY_RELAYS * 8;
}

/* The DIDs that are no parameters. Returns the bytes of the value in out, or 0. */
static size_t read_other(const struct uds *u, uint16_t did, uint8_t *out)
{
    switch (did) {
    case DID_ACTIVE_SESSION:
        out[0] = u->session;
        return 1;
    case DID_SOC_SET:
        put_be16(out, (uint16_t)(u->soc ? soc_calibrated(u->soc) : SOC_NOT_SET));
        return 2;
    case DID_CATALOGUE:
        put_be32(out, board_catalogue.hash);
        put_be32(out + 4, board_catalogue.packed_size);
        put_be32(out + 8, board_catalogue.plain_size);
        return 12;
    case DID_RELAY_WEAR:
        return u->wear ? put_wear(u->wear, out) : 0;
    default:
        return 0;
    }
}

static size_t read_did(const struct uds *u, uint16_t did, uint8_t *out)
{
    int param;
    const int32_t *copy = copy_of(u, did, &param);

    if (!copy)
        return read_other(u, did, out);
    put_be32(out, (uint32_t)copy[param]);
    return 4;
}

static int uds_22_read_data_by_identifier(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    size_t dids = (n - 1) / 2, at = 1;

    if (n < 3 || n % 2 == 0 || dids > UDS_DIDS_MAX)
        return -UDS_NRC_LENGTH;
    for (size_t i = 0; i < dids; i++) {
        uint8_t value[DID_BYTES_MAX];
        uint16_t did = get_be16(req + 1 + 2 * i);
        size_t bytes = read_did(u, did, value);

        if (bytes == 0)
            return -UDS_NRC_RANGE;
        if (at + 2 + bytes > UDS_READ_MAX)
            return -UDS_NRC_TOO_LONG;
        put_be16(out + at, did);
        memcpy(out + at + 2, value, bytes);
        at += 2 + bytes;
    }
    return (int)at;
}

int uds_set_param(struct uds *u, enum param param, int32_t value)
{
    switch (params_set(u->params, param, value)) {
    case BMS_ERR_OK:
        return 0;
    case BMS_ERR_STATE:
        return -UDS_NRC_BUSY;
    default:
        return -UDS_NRC_RANGE;
    }
}

static int write_soc(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int no = uds_set_soc(u, req + 3, n - 3);

    put_be16(out + 1, DID_SOC_SET);
    return no ? no : 3;
}

static int uds_2E_write_data_by_identifier(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int param = 0;
    uint16_t did = n < 3 ? 0 : get_be16(req + 1);

    if (did == DID_SOC_SET)
        return write_soc(u, req, n, out);
    if (n != 1 + 2 + 4)
        return -UDS_NRC_LENGTH;
    if (copy_of(u, did, &param) != u->params->running)
        return -UDS_NRC_RANGE;
    if (uds_is_locked(u))
        return -UDS_NRC_SECURITY;
    int no = uds_set_param(u, (enum param)param, (int32_t)get_be32(req + 3));

    put_be16(out + 1, did);
    return no ? no : 3;
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
    { UDS_REQUEST_DOWNLOAD, false, false, uds_34_request_download },
    { UDS_REQUEST_UPLOAD, false, false, uds_35_request_upload },
    { UDS_TRANSFER_DATA, false, false, uds_36_transfer_data },
    { UDS_TRANSFER_EXIT, false, false, uds_37_request_transfer_exit },
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
        out[0] = (uint8_t)(req[0] + UDS_ANSWER);
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
    return u->wait != UDS_WAIT_NOTHING;
}

int uds_wait(struct uds *u, enum uds_wait what, const uint8_t *reply, size_t n)
{
    u->wait = (uint8_t)what;
    memcpy(u->reply, reply, n);
    u->reply_n = (uint8_t)n;
    u->told_pending = false;
    u->wait_ms = u->told_ms = 0;
    u->slot_result = BIU_NVM_IDLE;
    return 0;
}

/* S3 stands still while a request is worked on. */
static void run_timers(struct uds *u, uint32_t dt_ms)
{
    u->age_ms += dt_ms;
    u->delay_ms = u->delay_ms > dt_ms ? u->delay_ms - dt_ms : 0;
    if (u->session == UDS_SESSION_DEFAULT || uds_is_busy(u))
        return;
    u->s3_ms = dt_ms > UDS_S3_MS - u->s3_ms ? UDS_S3_MS + 1 : u->s3_ms + dt_ms;
    if (u->s3_ms > UDS_S3_MS)
        uds_default_session(u);
}

static size_t done(struct uds *u, uint8_t *out)
{
    u->wait = UDS_WAIT_NOTHING;
    if (u->quiet && !u->told_pending)
        return 0;
    memcpy(out, u->reply, u->reply_n);
    return u->reply_n;
}

static size_t failed(struct uds *u, uint8_t *out)
{
    u->wait = UDS_WAIT_NOTHING;
    return refuse((uint8_t)(u->reply[0] - UDS_ANSWER), UDS_NRC_PROGRAMMING, out);
}

size_t uds_poll(struct uds *u, uint32_t dt_ms, enum biu_nvm nvm, uint8_t *out)
{
    run_timers(u, dt_ms);
    if (nvm != BIU_NVM_IDLE) {
        if (u->params->held) /* also when the tester has been told otherwise, after UDS_STORE_MS */
            params_release(u->params, nvm == BIU_NVM_DONE);
        u->last_store = nvm;
    }
    if (!uds_is_busy(u))
        return 0;
    enum biu_nvm result = u->wait == UDS_WAIT_NVM ? nvm : u->slot_result;

    u->slot_result = BIU_NVM_IDLE;
    u->wait_ms += dt_ms;
    u->told_ms += dt_ms;
    if (result == BIU_NVM_DONE)
        return done(u, out);
    if (result == BIU_NVM_FAILED || u->wait_ms >= (u->wait == UDS_WAIT_NVM ? UDS_STORE_MS : UDS_SLOT_MS))
        return failed(u, out);
    if (u->told_ms < (u->told_pending ? UDS_PENDING_AGAIN_MS : UDS_PENDING_MS))
        return 0;
    u->told_pending = true;
    u->told_ms = 0;
    return refuse((uint8_t)(u->reply[0] - UDS_ANSWER), UDS_NRC_PENDING, out);
}
