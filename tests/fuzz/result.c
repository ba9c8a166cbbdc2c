/* SPDX-License-Identifier: Apache-2.0 */
/* What devices say beside records: the first byte chooses State or Result. */
#include "proto/telemetry.pb-c.h"
#include "server/downlink/op_command.h"
#include "server/store/state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void judge(const uint8_t *data, size_t n)
{
    static struct op op;
    Cw__Result *m = cw__result__unpack(NULL, n, data);

    if (!m)
        return;
    memset(&op, 0, sizeof op);
    op.kind = (enum op_kind)(n % 4);
    op.readback[0] = (struct op_readback) { .id = 80, .has_wanted = true, .wanted = 77 };
    op.readback_count = 1;
    op_judge(&op, m, 1);
    if ((op.state != OP_DONE && op.state != OP_FAILED) || op.readback_count > OP_VALUES_MAX)
        abort();
    cw__result__free_unpacked(m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fleet_link link;
    int64_t at_ms = 0;

    if (n == 0)
        return 0;
    if (data[0] & 1)
        judge(data + 1, n - 1);
    else
        (void)state_parse("demo.a", data + 1, n - 1, &link, &at_ms);
    return 0;
}
