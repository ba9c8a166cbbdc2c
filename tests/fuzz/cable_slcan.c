/* SPDX-License-Identifier: Apache-2.0 */
/* What a serial CAN adapter sends: any bytes; what is taken for a frame is one, and reads back as it was written. */
#include "local/core/slcan_host.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void judge(const struct can_frame *f)
{
    struct slcan_host h;
    struct can_frame again;
    char line[SLCAN_HOST_FRAME];
    bool back = false;

    if (f->len > 8 || f->id > (f->ext ? 0x1FFFFFFFu : 0x7FFu))
        abort();
    slcan_host_init(&h);
    size_t n = slcan_host_put(f, line);

    for (size_t i = 0; i < n; i++)
        back = slcan_host_take(&h, line[i], &again);
    if (!back || again.id != f->id || again.ext != f->ext || again.len != f->len || memcmp(again.data, f->data, f->len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slcan_host h;
    struct can_frame f;

    slcan_host_init(&h);
    for (size_t i = 0; i < n; i++)
        if (slcan_host_take(&h, (char)data[i], &f))
            judge(&f);
    return 0;
}
