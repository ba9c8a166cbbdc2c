/* SPDX-License-Identifier: Apache-2.0 */
/* Any request of a tester: the first byte says how many bytes the next request has, and so on. Parameters stay inside their rows. */
#include <stdlib.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/talk/uds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sample ring[4];
    int32_t values[PARAMS];
    struct params params;
    struct sampler sampler;
    struct stream stream;
    struct uds u;
    struct dtc_memory dtc;
    uint8_t out[UDS_RESPONSE_MAX];
    struct reader in = reader_of(data, n);

    params_defaults(CHEMISTRY_NMC, values);
    params_init(&params, values);
    sampler_init(&sampler, ring, 4);
    stream_init(&stream);
    dtc_init(&dtc);
    uds_init(&u, &params, &sampler, &stream, &dtc);
    u.program.slot_size = 4096;
    while (reader_left(&in)) {
        size_t size = read_u8(&in);

        if (size > reader_left(&in))
            size = reader_left(&in);
        if (size && !uds_is_busy(&u) && uds_request(&u, read_bytes(&in, size), size, out) > sizeof(out))
            abort();
        if (uds_poll(&u, 10, size % 3 ? BIU_NVM_DONE : BIU_NVM_IDLE, out) > sizeof(out))
            abort();
        uds_slot_result(&u, u.order.what == BIU_SLOT_NOTHING || size % 5 == 0 ? BIU_NVM_IDLE : size % 7 ? BIU_NVM_DONE : BIU_NVM_FAILED);
        u.order.what = BIU_SLOT_NOTHING;
        sampler_add(&sampler);
    }
    for (int i = 0; i < PARAMS; i++)
        if (params_check((enum param)i, params.running[i]) != BMS_ERR_OK || params_check((enum param)i, params.stored[i]) != BMS_ERR_OK)
            abort();
    return 0;
}
