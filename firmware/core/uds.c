/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/uds.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/topology.h"

enum { SUPPRESS = 0x80, ANSWER = 0x40, HARD_RESET = 1, START_ROUTINE = 1 };

/* A request handler writes the answer behind its first byte and returns its whole length, or a negative NRC. */
typedef int handler(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

void uds_init(struct uds *u, struct params *params, const struct sampler *sampler, struct stream *stream)
{
    *u = (struct uds) { .params = params, .sampler = sampler, .stream = stream };
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
    for (size_t i = 0; i < dids; i++, at += 6) {
        uint16_t did = get_be16(req + 1 + 2 * i);
        int param;
        const int32_t *copy = copy_of(u, did, &param);

        if (!copy)
            return -UDS_NRC_RANGE;
        put_be16(out + at, did);
        put_be32(out + at + 2, (uint32_t)copy[param]);
    }
    return (int)at;
}

static int uds_2E_write_data_by_identifier(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    int param = 0;

    if (n != 1 + 2 + 4)
        return -UDS_NRC_LENGTH;
    uint16_t did = get_be16(req + 1);

    if (copy_of(u, did, &param) != u->params->running || params_set(u->params, (enum param)param, (int32_t)get_be32(req + 3)) != BMS_ERR_OK)
        return -UDS_NRC_RANGE;
    put_be16(out + 1, did);
    return 3;
}

/* Only a set that describes a possible pack is stored: single writes may pass through impossible ones. The answer comes from uds_poll(). */
static int store(struct uds *u, size_t n)
{
    struct topology t;

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
    if ((req[1] & ~SUPPRESS) != START_ROUTINE)
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
    if ((req[1] & ~SUPPRESS) != HARD_RESET)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 2)
        return -UDS_NRC_LENGTH;
    u->restart = true;
    out[1] = HARD_RESET;
    return 2;
}

static int uds_3E_tester_present(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)u;
    if (n < 2)
        return -UDS_NRC_LENGTH;
    if ((req[1] & ~SUPPRESS) != 0)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 2)
        return -UDS_NRC_LENGTH;
    out[1] = 0;
    return 2;
}

static const struct {
    uint8_t service;
    bool subfunction;
    handler *handle;
} services[] = {
    { UDS_ECU_RESET, true, uds_11_ecu_reset },
    { UDS_READ_DATA, false, uds_22_read_data_by_identifier },
    { UDS_WRITE_DATA, false, uds_2E_write_data_by_identifier },
    { UDS_ROUTINE, true, uds_31_routine_control },
    { UDS_TESTER_PRESENT, true, uds_3E_tester_present },
};

size_t uds_request(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n == 0)
        return 0;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (services[i].service != req[0])
            continue;
        int len = services[i].handle(u, req, n, out);

        if (len < 0)
            return refuse(req[0], -len, out);
        out[0] = (uint8_t)(req[0] + ANSWER);
        u->quiet = services[i].subfunction && (req[1] & SUPPRESS);
        return u->quiet ? 0 : (size_t)len;
    }
    return refuse(req[0], UDS_NRC_SERVICE, out);
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

size_t uds_poll(struct uds *u, uint32_t dt_ms, enum biu_nvm nvm, uint8_t *out)
{
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
