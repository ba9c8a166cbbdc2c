/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes from a host: answers stay short, frames stay frames, and what came in as a frame goes out as one. */
#include <stdlib.h>

#include "sim/slcan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slcan s;

    slcan_init(&s);
    for (size_t i = 0; i < size; i++) {
        struct slcan_result r;
        char line[SLCAN_FRAME_MAX];

        slcan_take(&s, (char)data[i], &r);
        if (r.answer_len > SLCAN_ANSWER_MAX || s.len > SLCAN_LINE_MAX)
            abort();
        if (!r.has_frame)
            continue;
        if (!s.open || r.frame.len > 8 || r.frame.id > (r.frame.ext ? 0x1FFFFFFFu : 0x7FFu))
            abort();
        if (slcan_give(&s, &r.frame, (uint32_t)i, line) == 0)
            abort();
    }
    return 0;
}
