/* SPDX-License-Identifier: Apache-2.0 */
/* uds.h -- answer the requests of proto/uds.h. Bytes in, bytes out; the transports are elsewhere. The handlers of sessions are in uds_session.c,
 * those of trouble codes in uds_dtc.c, of routines in uds_routine.c, of programming and upload in uds_transfer.c.
 *
 * One request at a time. While it waits for a memory (uds_is_busy) no request may be handed in; uds_poll() gives the answer, after
 * UDS_PENDING_MS first a "response pending". A request with bit 7 of its sub-function set wants no positive answer (ISO 14229-1 8.2).
 *
 * Writes (14, 2E, 31 0201) are open to every tester unless the parameter write_needs_key is 1: then only after 27 in another session than the
 * default one. Programming and simulated failures always need the key.
 */
#ifndef FIRMWARE_UDS_H
#define FIRMWARE_UDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/core/actuators/contactor.h"
#include "firmware/core/biu/biu_io.h"
#include "firmware/core/diagnosis/dtc.h"
#include "firmware/core/estimation/soc.h"
#include "firmware/core/protection/alarm.h"
#include "firmware/core/store/key_data.h"
#include "firmware/core/store/params.h"
#include "firmware/core/talk/program.h"
#include "firmware/core/talk/sampler.h"
#include "firmware/core/talk/stream.h"
#include "proto/uds.h"

enum {
    UDS_REQUEST_MAX = UDS_BLOCK_MAX,
    UDS_READ_MAX = 1 + 6 * UDS_DIDS_MAX, /* an answer of 22 */
    UDS_RESPONSE_MAX = 1700,             /* 19 04 FF: a code's snapshot and the ten seconds before it */
    UDS_PENDING_MS = 40,                 /* below the P2 of 50 ms */
    UDS_PENDING_AGAIN_MS = 4000,         /* below the P2* of 5,000 ms */
    UDS_STORE_MS = 4000,
    UDS_SLOT_MS = 60000, /* an erase may take so long */
};

_Static_assert((int)UDS_REQUEST_MAX >= 1 + 2 * UDS_DIDS_MAX + 2, "one DID too many still gets its answer");

enum uds_wait { UDS_WAIT_NOTHING, UDS_WAIT_NVM, UDS_WAIT_SLOT };
enum uds_transfer { UDS_TRANSFER_NONE, UDS_TRANSFER_DOWNLOAD, UDS_TRANSFER_UPLOAD };

struct uds_board {            /* what the board is doing now, for the conditions of services; set before each request */
    uint8_t relays, feedback; /* BIU_RELAY_* commanded, read back */
    bool asked;               /* KeyOn or charger wants them closed */
    bool major;               /* an alarm of that level */
    int32_t failed;           /* self-check: one bit for each failed unit; a sample scalar, as all below */
    int32_t current_mA;
    int32_t pack_mV, link_mV;
};

struct uds {
    struct params *params; /* borrowed, as are the others */
    const struct sampler *sampler;
    struct stream *stream;
    struct dtc_memory *dtc;
    struct soc *soc; /* these are set by the owner after uds_init(); NULL = what needs them is refused */
    struct contactor *contactor;
    struct alarms *alarms;
    const struct relay_wear *wear; /* [KEY_RELAYS] of RL1 to RL8; NULL: not told */
    struct uds_board board;

    uint8_t wait;              /* enum uds_wait: what the answer waits for */
    uint8_t reply[8], reply_n; /* the answer then */
    uint32_t wait_ms, told_ms; /* since the request; since the last "response pending" */
    bool told_pending, quiet;
    bool store;              /* biu_out.nvm_write is wanted: the running copy, held until its result comes */
    enum biu_nvm last_store; /* how the last one ended */
    bool restart;            /* asked for; to be done when the answer is out */

    uint8_t session, attempts;        /* enum uds_session; wrong keys in a row */
    bool unlocked, silent;            /* silent: the sample stream is to be held back (0x28) */
    uint32_t seed, entropy;           /* seed given and not answered yet, or 0 */
    uint32_t s3_ms, delay_ms, age_ms; /* since the last request; until a seed is given again; since the start */

    struct program program;
    struct biu_slot_order order;                 /* biu_out.slot */
    enum biu_nvm slot_result;                    /* not told to the tester yet */
    bool slot_works;                             /* an order was given and its result has not come yet */
    uint8_t transfer, block;                     /* enum uds_transfer; counter of the last block */
    bool blocks;                                 /* there was one in this transfer */
    uint32_t upload_at, upload_end, upload_last; /* bytes of the catalogue: next, end, where the last block began */
};

void uds_init(struct uds *u, struct params *params, const struct sampler *sampler, struct stream *stream, struct dtc_memory *dtc);

/* Answer req[n] into out[UDS_RESPONSE_MAX]. Returns the answer's length, 0 when there is none (yet). */
size_t uds_request(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

/* The same for a request to everybody: the refusals that ISO 14229-1 table 5 keeps back stay unsaid. */
size_t uds_request_functional(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

bool uds_is_busy(const struct uds *u);

/* Store the running copy: 0, or a negative NRC: a store is at work, or the pack that it describes cannot be. */
int uds_store(struct uds *u);

/* How the order in u->order ended; before uds_poll(). BIU_NVM_IDLE says nothing. */
void uds_slot_result(struct uds *u, enum biu_nvm result);

/* The contactors must not close: a program is being loaded. */
bool uds_holds_contactors(const struct uds *u);

/* Let time pass and hear how a store ended. Returns the length of an answer in out[UDS_RESPONSE_MAX], or 0. */
size_t uds_poll(struct uds *u, uint32_t dt_ms, enum biu_nvm nvm, uint8_t *out);

#endif
