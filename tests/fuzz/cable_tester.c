/* SPDX-License-Identifier: Apache-2.0 */
/* What a board, or something else on the bus, says to the tester on a cable. The first byte chooses the task, then frames of up to 8 bytes: length, data;
 * a length over 8 lets that many times 100 ms pass. Whatever comes, the task ends within its own time-outs. */
#include "local/core/dtc_list.h"
#include "local/core/tester.h"
#include "local/core/uds_words.h"
#include "proto/can0.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { TASKS = 4, END_MS = 40u * 60 * 1000, STEP_MS = 100 };

static const uint8_t image[3000];

static void begin(struct tester *t, uint8_t which)
{
    static const uint8_t dtcs[] = { UDS_READ_DTC, 0x02, 0xFF };
    static struct command cmd;

    memset(&cmd, 0, sizeof(cmd));
    cmd.act = which & 0x10 ? COMMAND_READ : COMMAND_WRITE;
    cmd.store = which & 0x20;
    cmd.writes = cmd.act == COMMAND_WRITE;
    cmd.write[0] = (struct command_write) { .id = 80, .value = 60 };
    if (which % TASKS == 0)
        tester_upgrade(t, image, sizeof(image));
    else if (which % TASKS == 1)
        tester_ask(t, dtcs, sizeof(dtcs), (enum tester_access)(which >> 6));
    else
        tester_params(t, &cmd);
}

static void judge(const struct tester *t)
{
    static struct dtc_row rows[DTC_LIST_MAX];

    if (t->end == TESTER_OK && t->answer != NULL)
        dtc_list_parse(t->answer, t->answer_n, rows);
    if (t->end != TESTER_OK && t->detail[0] == '\0')
        abort(); /* a failure has words */
    if (memchr(t->detail, '\0', sizeof(t->detail)) == NULL || strlen(uds_nrc_words(t->nrc)) == 0)
        abort();
}

/* Time goes on; true when the task has ended. */
static bool pass(struct tester *t, uint32_t *now)
{
    struct can_frame f;
    enum tester_state state = tester_step(t, *now);

    while (tester_output(t, *now, &f) == 1) {
    }
    if (state == TESTER_DONE)
        judge(t);
    return state == TESTER_DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct tester t;
    uint32_t now = 1000;
    bool ended = false;

    if (n == 0)
        return 0;
    tester_init(&t);
    begin(&t, data[0]);
    pass(&t, &now);
    for (size_t at = 1; at < n && !ended;) {
        uint8_t len = data[at++];
        struct can_frame f = { .id = CAN0_ISOTP_FROM_BIU, .ext = true, .len = len };

        if (len > 8 || len > n - at) {
            now += len * STEP_MS;
        } else {
            memcpy(f.data, data + at, len);
            at += len;
            tester_feed(&t, &f, ++now);
        }
        ended = pass(&t, &now);
    }
    for (uint32_t waited = 0; !ended; waited += STEP_MS) {
        if (waited > END_MS)
            abort(); /* every task ends */
        now += STEP_MS;
        ended = pass(&t, &now);
    }
    return 0;
}
