/* SPDX-License-Identifier: Apache-2.0 */
/* uds.h -- answer the requests of proto/uds.h: sessions, trouble codes, parameters, store, resend, restart. Bytes in, bytes out; the transport
 * is elsewhere. The handlers of sessions are in uds_session.c, those of trouble codes in uds_dtc.c.
 *
 * One request at a time. While a store waits for the memory (uds_is_busy) no request may be handed in; uds_poll() gives the answer,
 * after UDS_PENDING_MS first a "response pending". A request with bit 7 of its sub-function set wants no positive answer (ISO 14229-1 8.2).
 *
 * Writes (14, 2E, 31 0201) are open to every tester unless the parameter write_needs_key is 1: then only after 27 in the extended session.
 */
#ifndef FIRMWARE_UDS_H
#define FIRMWARE_UDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/core/biu_io.h"
#include "firmware/core/dtc.h"
#include "firmware/core/params.h"
#include "firmware/core/sampler.h"
#include "firmware/core/stream.h"
#include "proto/uds.h"

enum {
    UDS_REQUEST_MAX = 1 + 2 * UDS_DIDS_MAX + 2, /* 2 more, so that one DID too many still gets its answer */
    UDS_RESPONSE_MAX = 1 + 6 * UDS_DIDS_MAX,
    UDS_PENDING_MS = 40, /* below the P2 of 50 ms */
    UDS_STORE_MS = 4000, /* below the P2* of 5,000 ms */
};

struct uds {
    struct params *params; /* borrowed, as are the others */
    const struct sampler *sampler;
    struct stream *stream;
    int32_t storing[PARAMS]; /* what is being stored */
    uint32_t stored_ms;      /* since the store was asked for */
    bool store;              /* biu_out.nvm_write is wanted */
    bool writing;            /* and its result has not come yet */
    bool busy, told_pending, quiet;
    bool restart; /* asked for; to be done when the answer is out */
    struct dtc_memory *dtc;
    uint8_t session, attempts;        /* enum uds_session; wrong keys in a row */
    bool unlocked, silent;            /* silent: the sample stream is to be held back (0x28) */
    uint32_t seed, entropy;           /* seed given and not answered yet, or 0 */
    uint32_t s3_ms, delay_ms, age_ms; /* since the last request; until a seed is given again; since the start */
};

void uds_init(struct uds *u, struct params *params, const struct sampler *sampler, struct stream *stream, struct dtc_memory *dtc);

/* Answer req[n] into out[UDS_RESPONSE_MAX]. Returns the answer's length, 0 when there is none (yet). */
size_t uds_request(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

/* The same for a request to everybody: the refusals that ISO 14229-1 table 5 keeps back stay unsaid. */
size_t uds_request_functional(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

bool uds_is_busy(const struct uds *u);

/* Let time pass and hear how a store ended. Returns the length of an answer in out[UDS_RESPONSE_MAX], or 0. */
size_t uds_poll(struct uds *u, uint32_t dt_ms, enum biu_nvm nvm, uint8_t *out);

#endif
