/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/uds_service.h"

#include "common/bytes.h"

enum { SEED = 1, KEY = 2, SEED_BYTES = 4, P2_MS = 50, P2_STAR_10MS = 500 };
enum {
    ENABLE_BOTH = 0,
    DISABLE_TX = 1,
    TYPE_NORMAL = 1,
    TYPE_ALL = 3,
    TYPE_MASK = 3,
    SUBNET_THIS = 0,
    SUBNET_SHIFT = 4,
    SUBNET_ALL = 0x0F
};

void uds_default_session(struct uds *u)
{
    u->session = UDS_SESSION_DEFAULT;
    u->unlocked = false;
    u->seed = 0;
    u->silent = false;
    u->transfer = UDS_TRANSFER_NONE;
    uds_end_bench(u);
    u->dtc->held = false;
}

bool uds_is_locked(const struct uds *u)
{
    return u->params->running[PARAM_write_needs_key] && !u->unlocked;
}

/* A change of session locks again (ISO 14229-1 figure 7). */
int uds_10_diagnostic_session_control(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 2)
        return -UDS_NRC_LENGTH;
    uint8_t session = req[1] & (uint8_t)~UDS_SUPPRESS;

    if (session < UDS_SESSION_DEFAULT || session > UDS_SESSION_EXTENDED)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 2)
        return -UDS_NRC_LENGTH;
    if (session == UDS_SESSION_PROGRAMMING && (u->board.relays || u->board.feedback))
        return -UDS_NRC_CONDITIONS;
    uds_default_session(u);
    u->session = session;
    out[1] = session;
    put_be16(out + 2, P2_MS);
    put_be16(out + 4, P2_STAR_10MS);
    return 6;
}

/* Not for secrets: it keeps a slip of the hand from the parameters. What must be secret travels signed. */
static uint32_t next_seed(struct uds *u)
{
    uint32_t x = u->entropy ^ u->age_ms * 2654435761u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    u->entropy = x + 0x9E3779B9u;
    return x ? x : 1; /* 0 means "unlocked" */
}

static int give_seed(struct uds *u, uint8_t *out)
{
    if (u->delay_ms)
        return -UDS_NRC_DELAY;
    if (!u->unlocked && !u->seed)
        u->seed = next_seed(u);
    out[1] = SEED;
    put_be32(out + 2, u->unlocked ? 0 : u->seed);
    return 2 + SEED_BYTES;
}

static int take_key(struct uds *u, uint32_t key, uint8_t *out)
{
    uint32_t seed = u->seed;

    if (!seed)
        return -UDS_NRC_SEQUENCE;
    u->seed = 0;
    if (key != uds_key(seed)) {
        if (++u->attempts < UDS_KEY_ATTEMPTS)
            return -UDS_NRC_KEY;
        u->attempts = 0;
        u->delay_ms = UDS_KEY_DELAY_MS;
        return -UDS_NRC_ATTEMPTS;
    }
    u->attempts = 0;
    u->unlocked = true;
    out[1] = KEY;
    return 2;
}

int uds_27_security_access(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 2)
        return -UDS_NRC_LENGTH;
    uint8_t what = req[1] & (uint8_t)~UDS_SUPPRESS;

    if (what != SEED && what != KEY)
        return -UDS_NRC_SUBFUNCTION;
    if (n != (what == SEED ? 2u : 2u + SEED_BYTES))
        return -UDS_NRC_LENGTH;
    return what == SEED ? give_seed(u, out) : take_key(u, get_be32(req + 2), out);
}

/* The sample stream can be held back, nothing is lost meanwhile but what the ring cannot hold. Reception stays: the current sensor protects. */
int uds_28_communication_control(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    if (n < 2)
        return -UDS_NRC_LENGTH;
    uint8_t what = req[1] & (uint8_t)~UDS_SUPPRESS;

    if (what != ENABLE_BOTH && what != DISABLE_TX)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 3)
        return -UDS_NRC_LENGTH;
    uint8_t type = req[2] & TYPE_MASK, subnet = req[2] >> SUBNET_SHIFT;

    if ((type != TYPE_NORMAL && type != TYPE_ALL) || req[2] & 0x0C || (subnet != SUBNET_THIS && subnet != SUBNET_ALL))
        return -UDS_NRC_RANGE;
    u->silent = what == DISABLE_TX;
    out[1] = what;
    return 2;
}

int uds_3E_tester_present(struct uds *u, const uint8_t *req, size_t n, uint8_t *out)
{
    (void)u;
    if (n < 2)
        return -UDS_NRC_LENGTH;
    if ((req[1] & ~UDS_SUPPRESS) != 0)
        return -UDS_NRC_SUBFUNCTION;
    if (n != 2)
        return -UDS_NRC_LENGTH;
    out[1] = 0;
    return 2;
}
