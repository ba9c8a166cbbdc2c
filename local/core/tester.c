/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/tester.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "local/core/uds_words.h"
#include "proto/tables.h"

enum { CATALOGUE_ANSWER = 3 + 12 };

void tester_init(struct tester *t)
{
    memset(t, 0, sizeof(*t));
    uds_client_init_with(&t->uds, t->tx, sizeof(t->tx), t->rx, sizeof(t->rx));
    t->params.block = TESTER_BLOCK;
}

void tester_init_whole(struct tester *t)
{
    memset(t, 0, sizeof(*t));
    uds_client_init_whole(&t->uds, t->tx, sizeof(t->tx));
    t->params.block = TESTER_BLOCK;
}

size_t tester_take(struct tester *t, const uint8_t **request)
{
    return uds_client_take(&t->uds, request);
}

void tester_hear(struct tester *t, const uint8_t *answer, size_t n)
{
    size_t some = n < sizeof(t->rx) ? n : sizeof(t->rx);

    memcpy(t->rx, answer,
           some); /* kept, as a caller reads the answer after the next byte of the line; a longer one than any that we ask for is cut */
    uds_client_hear(&t->uds, t->rx, some);
}

static void begin(struct tester *t, enum tester_task task, enum tester_access access)
{
    t->task = task;
    t->access = access;
    t->tries = 0;
    t->end = TESTER_OK;
    t->nrc = 0;
    t->detail[0] = '\0';
    t->answer = NULL;
    t->answer_n = 0;
    t->checking = false;
    t->board_tables = 0;
    t->unlocking = access != TESTER_OPEN;
    unlock_start(&t->unlock, access == TESTER_PROGRAMMING ? UDS_SESSION_PROGRAMMING : UDS_SESSION_EXTENDED);
}

int tester_params(struct tester *t, const struct command *cmd)
{
    if (t->task != TESTER_NOTHING)
        return BMS_ERR_STATE;
    begin(t, TESTER_PARAMS, cmd->act == COMMAND_WRITE ? TESTER_MAY_KEY : TESTER_OPEN);
    t->checking = cmd->act == COMMAND_WRITE || (cmd->act == COMMAND_READ && t->checks_reads);
    command_start(&t->run, cmd, &t->params);
    return BMS_ERR_OK;
}

int tester_ask(struct tester *t, const uint8_t *request, size_t n, enum tester_access access)
{
    if (t->task != TESTER_NOTHING)
        return BMS_ERR_STATE;
    if (n == 0 || n > TESTER_ASK_MAX)
        return BMS_ERR_RANGE;
    begin(t, TESTER_ASK, access);
    memcpy(t->ask, request, n);
    t->ask_n = n;
    return BMS_ERR_OK;
}

int tester_upgrade(struct tester *t, const uint8_t *image, uint32_t size)
{
    if (t->task != TESTER_NOTHING)
        return BMS_ERR_STATE;
    if (size == 0)
        return BMS_ERR_RANGE;
    begin(t, TESTER_UPGRADE, TESTER_PROGRAMMING);
    upgrade_start(&t->upgrade, image, size);
    return BMS_ERR_OK;
}

static void add_text(char *detail, const char *text)
{
    size_t at = strlen(detail), k = strlen(text);

    if (k > TESTER_DETAIL - 1 - at)
        k = TESTER_DETAIL - 1 - at;
    memcpy(detail + at, text, k);
    detail[at + k] = '\0';
}

/* What the task was doing, for the detail. */
static const char *doing(const struct tester *t)
{
    if (t->unlocking)
        return t->unlock.phase == UNLOCK_SESSION ? "session: " : "unlock: ";
    return t->task == TESTER_UPGRADE ? upgrade_phase_words(t->upgrade.phase) : "";
}

static enum tester_state finish(struct tester *t, enum tester_end end)
{
    t->end = end;
    if (end != TESTER_OK && t->detail[0] == '\0') {
        add_text(t->detail, doing(t));
        if (t->task == TESTER_UPGRADE && !t->unlocking)
            add_text(t->detail, ": ");
        add_text(t->detail, end == TESTER_REFUSED  ? uds_nrc_words(t->nrc)
                            : end == TESTER_SILENT ? "the board does not answer"
                                                   : "the board's answer makes no sense");
    }
    t->task = TESTER_NOTHING;
    return TESTER_DONE;
}

static size_t next_request(struct tester *t, uint8_t *out)
{
    if (t->checking) {
        out[0] = UDS_READ_DATA;
        put_be16(out + 1, DID_CATALOGUE);
        return 3;
    }
    if (t->unlocking)
        return unlock_request(&t->unlock, out);
    switch (t->task) {
    case TESTER_PARAMS:
        return command_request(&t->run, out);
    case TESTER_ASK:
        memcpy(out, t->ask, t->ask_n);
        return t->ask_n;
    case TESTER_UPGRADE:
        return upgrade_request(&t->upgrade, out);
    default:
        return 0;
    }
}

static void add_hash(char *detail, uint32_t hash)
{
    static const char digits[] = "0123456789abcdef";
    char text[9] = { 0 };

    for (unsigned i = 0; i < 8; i++)
        text[i] = digits[hash >> (28 - 4 * i) & 15];
    add_text(detail, text);
}

static void name_tables(struct tester *t, uint32_t board)
{
    t->board_tables = board;
    add_text(t->detail, "the board has the tables ");
    add_hash(t->detail, board);
    add_text(t->detail, ", this program ");
    add_hash(t->detail, tables_hash());
    add_text(t->detail, t->run.cmd.act == COMMAND_READ ? ": nothing was read" : ": nothing was written");
    add_text(t->detail, "; cellwarden-ctl reads by the board's own");
}

static enum tester_state on_check(struct tester *t, enum uds_outcome outcome)
{
    t->checking = false;
    if (outcome == UDS_OK && t->uds.answer_n == CATALOGUE_ANSWER && get_be32(t->uds.answer + 3) == tables_hash())
        return TESTER_BUSY;
    if (outcome == UDS_REFUSED && t->run.cmd.act == COMMAND_READ)
        return TESTER_BUSY; /* an older board, which does not tell: reading does no harm */
    if (outcome == UDS_OK && t->uds.answer_n == CATALOGUE_ANSWER)
        name_tables(t, get_be32(t->uds.answer + 3));
    else
        add_text(t->detail, "the board does not tell which tables it has: nothing was written");
    return finish(t, TESTER_REFUSED);
}

static enum tester_state on_unlock(struct tester *t, enum uds_outcome outcome)
{
    unlock_outcome(&t->unlock, t->uds.answer, t->uds.answer_n, outcome == UDS_REFUSED ? t->uds.nrc : 0);
    if (t->unlock.phase != UNLOCK_DONE)
        return TESTER_BUSY;
    if (t->unlock.nrc != 0 && t->access != TESTER_MAY_KEY) {
        t->nrc = t->unlock.nrc;
        return finish(t, TESTER_REFUSED);
    }
    t->unlocking = false;
    return TESTER_BUSY;
}

static enum tester_state on_params(struct tester *t, enum uds_outcome outcome)
{
    static const enum tester_end ends[] = {
        [COMMAND_OK] = TESTER_OK, [COMMAND_REJECTED] = TESTER_REFUSED, [COMMAND_TIMEOUT] = TESTER_SILENT
    };

    command_outcome(&t->run, outcome, t->uds.answer, t->uds.answer_n, t->uds.nrc);
    if (t->run.phase != COMMAND_DONE)
        return TESTER_BUSY;
    t->nrc = outcome == UDS_REFUSED ? t->uds.nrc : 0;
    add_text(t->detail, t->run.detail);
    return finish(t, ends[t->run.status]);
}

static enum tester_state on_upgrade(struct tester *t)
{
    if (upgrade_answer(&t->upgrade, t->uds.answer, t->uds.answer_n) != BMS_ERR_OK)
        return finish(t, TESTER_NONSENSE);
    return t->upgrade.phase == UPGRADE_DONE ? finish(t, TESTER_OK) : TESTER_BUSY;
}

/* No answer: the same again, but for a restart, which may have been done. */
static bool may_try_again(struct tester *t)
{
    bool restart = t->task == TESTER_UPGRADE && !t->unlocking && t->upgrade.phase == UPGRADE_RESTART;

    return !restart && ++t->tries < TESTER_TRIES;
}

static enum tester_state take(struct tester *t, enum uds_outcome outcome)
{
    if (outcome == UDS_SILENT && (t->checking || t->unlocking || t->task != TESTER_PARAMS))
        return may_try_again(t) ? TESTER_BUSY : finish(t, TESTER_SILENT);
    t->tries = 0;
    if (t->checking)
        return on_check(t, outcome);
    if (t->unlocking)
        return on_unlock(t, outcome);
    if (t->task == TESTER_PARAMS)
        return on_params(t, outcome);
    if (outcome == UDS_REFUSED) {
        t->nrc = t->uds.nrc;
        return finish(t, TESTER_REFUSED);
    }
    t->answer = t->uds.answer;
    t->answer_n = t->uds.answer_n;
    return t->task == TESTER_UPGRADE ? on_upgrade(t) : finish(t, TESTER_OK);
}

bool tester_feed(struct tester *t, const struct can_frame *f, uint32_t now_ms)
{
    return uds_client_feed(&t->uds, f, now_ms);
}

enum tester_state tester_step(struct tester *t, uint32_t now_ms)
{
    uint8_t request[UDS_BLOCK_MAX];
    enum uds_outcome outcome = uds_client_step(&t->uds, now_ms);

    if (t->task == TESTER_NOTHING)
        return TESTER_IDLE;
    if (outcome == UDS_OK || outcome == UDS_REFUSED || outcome == UDS_SILENT) {
        enum tester_state state = take(t, outcome);

        if (state != TESTER_BUSY)
            return state;
    }
    if (!t->uds.busy) { /* a message that is still on its way ends within N_Bs: then the request goes out */
        size_t n = next_request(t, request);

        if (n == 0)
            return finish(t, TESTER_OK);
        uds_ask(&t->uds, request, n, now_ms);
    }
    return TESTER_BUSY;
}

int tester_output(struct tester *t, uint32_t now_ms, struct can_frame *out)
{
    return uds_client_output(&t->uds, now_ms, out);
}
