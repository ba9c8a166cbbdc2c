/* SPDX-License-Identifier: Apache-2.0 */
/* tester.h -- the upper computer as UDS tester of the board: one task at a time, request by request, and every task ends.
 *
 *   tester_params()   read all, write, store, restart (dtu/core/command.h): proved by reading back
 *   tester_ask()      one request, its answer
 *   tester_upgrade()  a program into the second slot (upgrade.h)
 *        |
 *   [10, 27 01, 27 02] ──> requests of the task ──> tester_step() says TESTER_DONE once; the fields marked "read it" hold the end
 *
 * Before parameters are written the board is asked for the hash of its tables (DID_CATALOGUE): with other tables than ours an identifier may mean
 * something else, so nothing is written, and both hashes are named.
 *
 * Pure: frames in, frames out, time is data. Time-outs, "response pending" and answers that come late are uds_client.h's. A request without an
 * answer is sent TESTER_TRIES times, but a restart only once. A write unlocks first where the board lets it; that it does not is no
 * failure as long as the write succeeds (write_needs_key is 0). What needs the key by the book (TESTER_KEY, TESTER_PROGRAMMING) ends there.
 *
 * The buffers are about 7 kB. Beside a DTU on the same bus the two take turns by luck: an answer to the other's request is dropped (uds_client.h)
 * and a lost request is repeated.
 */
#ifndef LOCAL_CORE_TESTER_H
#define LOCAL_CORE_TESTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/command.h"
#include "dtu/core/uds_client.h"
#include "local/core/unlock.h"
#include "local/core/upgrade.h"

enum {
    TESTER_TRIES = 3,
    TESTER_ASK_MAX = 1 + 2 * UDS_DIDS_MAX,
    TESTER_RX = 2048,
    TESTER_DETAIL = 160,
    TESTER_BLOCK = UDS_DIDS_MAX /* of one request: each waits for steps of the board */
};

enum tester_task { TESTER_NOTHING, TESTER_PARAMS, TESTER_ASK, TESTER_UPGRADE };
enum tester_access { TESTER_OPEN, TESTER_MAY_KEY, TESTER_KEY, TESTER_PROGRAMMING };
enum tester_state { TESTER_IDLE, TESTER_BUSY, TESTER_DONE };
enum tester_end { TESTER_OK, TESTER_REFUSED, TESTER_SILENT, TESTER_NONSENSE };

struct tester { /* allocated by the caller, fields private but for those marked */
    struct uds_client uds;
    uint8_t tx[UDS_BLOCK_MAX], rx[TESTER_RX];
    enum tester_task task; /* read it */
    enum tester_access access;
    bool checks_reads;        /* set it after tester_init(): parameters are read, too, only with our tables; else the caller has looked */
    bool checking, unlocking; /* before the task itself */
    uint32_t board_tables;    /* read it: hash of the board's tables when these were the reason to refuse, else 0 */
    struct unlock unlock;
    struct command_run run;     /* read it: the end of tester_params() */
    struct board_params params; /* read it, when complete */
    uint8_t ask[TESTER_ASK_MAX];
    size_t ask_n;
    struct upgrade upgrade; /* read it: phase, sent, size */
    unsigned tries;
    enum tester_end end;        /* read it after TESTER_DONE */
    uint8_t nrc;                /* read it after TESTER_REFUSED */
    char detail[TESTER_DETAIL]; /* read it: why not, in words; "" = done */
    const uint8_t *answer;      /* read it after tester_ask(): until the next task begins */
    size_t answer_n;
};

void tester_init(struct tester *t);

/* The same over a line of whole messages (RS485): tester_take() and tester_hear() in the place of tester_output() and tester_feed(). */
void tester_init_whole(struct tester *t);
size_t tester_take(struct tester *t, const uint8_t **request);
void tester_hear(struct tester *t, const uint8_t *answer, size_t n); /* answer[n] must stay until tester_step() */

/* Begin a task. 0, BMS_ERR_STATE while another is under way, BMS_ERR_RANGE for n over TESTER_ASK_MAX or an empty image. */
int tester_params(struct tester *t, const struct command *cmd);
int tester_ask(struct tester *t, const uint8_t *request, size_t n, enum tester_access access);
int tester_upgrade(struct tester *t, const uint8_t *image, uint32_t size); /* image: borrowed until it is done */

/* A frame from the bus; true when it was for the tester. */
bool tester_feed(struct tester *t, const struct can_frame *f, uint32_t now_ms);

/* After the frames and at least every 10 ms. */
enum tester_state tester_step(struct tester *t, uint32_t now_ms);

/* 1 with a frame for the bus, 0 when there is none now. Call until 0. */
int tester_output(struct tester *t, uint32_t now_ms, struct can_frame *out);

#endif
