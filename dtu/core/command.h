/* SPDX-License-Identifier: Apache-2.0 */
/* command.h -- carries one command out on the board, request by request, and proves it by reading back.
 *
 *   write 1 .. n ──> store (if asked) ──> read all, both copies ──> done        restart ──> done
 *
 * A value that the board refuses does not stop the others, but nothing is stored then. A request without an answer is repeated twice (not the
 * restart); then the command ends with STATUS_TIMEOUT and no values.
 */
#ifndef DTU_CORE_COMMAND_H
#define DTU_CORE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/board_params.h"
#include "dtu/core/uds_client.h"

enum { COMMAND_WRITES_MAX = 128, COMMAND_DETAIL = 96, COMMAND_TRIES = 3 };

enum command_act { COMMAND_READ, COMMAND_WRITE, COMMAND_RESTART };

struct command_write {
    uint32_t id;
    int32_t value;
    uint8_t nrc; /* filled: why the board did not take it, 0 = taken or not tried */
};

struct command {
    uint64_t id; /* 0: the DTU's own reading */
    uint64_t expires_utc_ms;
    enum command_act act;
    bool store;
    size_t writes;
    struct command_write write[COMMAND_WRITES_MAX];
};

enum command_phase { COMMAND_IDLE, COMMAND_WRITING, COMMAND_STORING, COMMAND_READING, COMMAND_RESTARTING, COMMAND_DONE };
enum command_status { COMMAND_OK, COMMAND_REJECTED, COMMAND_TIMEOUT };

struct command_run {
    struct command cmd;
    struct board_params *params; /* borrowed; read anew by each READ and WRITE */
    enum command_phase phase;
    enum command_status status;
    size_t at;       /* write that is out */
    unsigned tries;  /* of the request that is out */
    bool has_values; /* the reading was complete */
    char detail[COMMAND_DETAIL];
};

/* Begin; the command is copied. */
void command_start(struct command_run *r, const struct command *cmd, struct board_params *params);

/* The next request into out[UDS_REQUEST_MAX]: its length, 0 when nothing is to be asked. */
size_t command_request(struct command_run *r, uint8_t *out);

/* What came of it. answer[n] with UDS_OK, nrc with UDS_REFUSED. */
void command_outcome(struct command_run *r, enum uds_outcome outcome, const uint8_t *answer, size_t n, uint8_t nrc);

#endif
