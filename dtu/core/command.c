/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/command.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"

enum { PARAM_ID_MAX = 0xFFF, START_ROUTINE = 0x01, HARD_RESET = 0x01 };

/* Append text, cut to the room there is. */
static void add_text(char *detail, const char *text)
{
    size_t n = strlen(detail), k = strlen(text);

    if (k > COMMAND_DETAIL - 1 - n)
        k = COMMAND_DETAIL - 1 - n;
    memcpy(detail + n, text, k);
    detail[n + k] = '\0';
}

static void add_number(char *detail, uint32_t v)
{
    char digits[11] = { 0 };
    size_t at = sizeof(digits) - 1;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    add_text(detail, digits + at);
}

static void add_nrc(char *detail, uint8_t nrc)
{
    static const char hex[] = "0123456789ABCDEF";
    const char text[] = { ' ', 'N', 'R', 'C', ' ', '0', 'x', hex[nrc >> 4], hex[nrc & 15], '\0' };

    add_text(detail, text);
}

static void go(struct command_run *r, enum command_phase phase)
{
    r->phase = phase;
    r->tries = 0;
    if (phase == COMMAND_READING)
        board_params_begin(r->params);
}

static void go_behind_writes(struct command_run *r)
{
    go(r, r->cmd.store && r->status == COMMAND_OK ? COMMAND_STORING : COMMAND_READING);
}

/* An identifier that no DID can carry is refused here, as the board would. */
static void skip_impossible(struct command_run *r)
{
    for (; r->at < r->cmd.writes && r->cmd.write[r->at].id > PARAM_ID_MAX; r->at++) {
        r->cmd.write[r->at].nrc = UDS_NRC_RANGE;
        r->status = COMMAND_REJECTED;
    }
    if (r->at == r->cmd.writes)
        go_behind_writes(r);
}

void command_start(struct command_run *r, const struct command *cmd, struct board_params *params)
{
    *r = (struct command_run) { .cmd = *cmd, .params = params };
    go(r, cmd->act == COMMAND_RESTART ? COMMAND_RESTARTING : cmd->act == COMMAND_WRITE ? COMMAND_WRITING : COMMAND_READING);
    if (r->phase == COMMAND_WRITING)
        skip_impossible(r);
}

size_t command_request(struct command_run *r, uint8_t *out)
{
    switch (r->phase) {
    case COMMAND_WRITING:
        out[0] = UDS_WRITE_DATA;
        put_be16(out + 1, (uint16_t)(DID_PARAM_RUNNING + r->cmd.write[r->at].id));
        put_be32(out + 3, (uint32_t)r->cmd.write[r->at].value);
        return 7;
    case COMMAND_STORING:
        out[0] = UDS_ROUTINE;
        out[1] = START_ROUTINE;
        put_be16(out + 2, UDS_ROUTINE_STORE);
        return 4;
    case COMMAND_READING:
        return board_params_request(r->params, out);
    case COMMAND_RESTARTING:
        out[0] = UDS_ECU_RESET;
        out[1] = HARD_RESET;
        return 2;
    default:
        return 0;
    }
}

static void refused(struct command_run *r, uint8_t nrc)
{
    r->status = COMMAND_REJECTED;
    if (r->phase == COMMAND_WRITING) {
        r->cmd.write[r->at].nrc = nrc;
        if (r->detail[0] == '\0') { /* the first one is named, all are in the values */
            add_text(r->detail, "parameter ");
            add_number(r->detail, r->cmd.write[r->at].id);
            add_nrc(r->detail, nrc);
        }
        return;
    }
    add_text(r->detail, r->phase == COMMAND_STORING ? "store" : r->phase == COMMAND_READING ? "read" : "restart");
    add_nrc(r->detail, nrc);
}

static void silent(struct command_run *r)
{
    static const char *const doing[] = {
        [COMMAND_WRITING] = "write", [COMMAND_STORING] = "store", [COMMAND_READING] = "read", [COMMAND_RESTARTING] = "restart"
    };

    if (++r->tries < COMMAND_TRIES && r->phase != COMMAND_RESTARTING)
        return; /* the same again */
    r->status = COMMAND_TIMEOUT;
    r->detail[0] = '\0';
    add_text(r->detail, "the board does not answer: ");
    add_text(r->detail, doing[r->phase]);
    go(r, COMMAND_DONE);
}

static void read_on(struct command_run *r, const uint8_t *answer, size_t n)
{
    if (board_params_answer(r->params, answer, n) != BMS_ERR_OK) {
        silent(r);
        return;
    }
    r->tries = 0;
    if (board_params_is_done(r->params)) {
        r->has_values = true;
        go(r, COMMAND_DONE);
    }
}

void command_outcome(struct command_run *r, enum uds_outcome outcome, const uint8_t *answer, size_t n, uint8_t nrc)
{
    if (outcome == UDS_SILENT) {
        silent(r);
        return;
    }
    if (outcome == UDS_REFUSED)
        refused(r, nrc);
    switch (r->phase) {
    case COMMAND_WRITING:
        r->at++;
        r->tries = 0;
        skip_impossible(r);
        break;
    case COMMAND_STORING:
        go(r, COMMAND_READING);
        break;
    case COMMAND_READING:
        if (outcome == UDS_REFUSED)
            go(r, COMMAND_DONE);
        else
            read_on(r, answer, n);
        break;
    default:
        go(r, COMMAND_DONE);
        break;
    }
}
