/* SPDX-License-Identifier: Apache-2.0 */
/* Any frame on the vehicle bus: a byte of flags, one of time, then 8 of data. Nothing but a protected frame that goes on connects anything. */
#include <stdlib.h>
#include <string.h>

#include "firmware/core/biu/biu_io.h"
#include "firmware/core/store/params.h"
#include "firmware/core/talk/vehicle_bus.h"

enum { STEP = 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct vehicle_bus v;
    int32_t params[PARAMS];

    params_defaults(CHEMISTRY_NMC, params);
    params[PARAM_vcu_orders] = 1;
    vehicle_bus_init(&v);
    for (; n >= STEP; data += STEP, n -= STEP) {
        struct can_frame f = { .id = data[0] & 0x80 ? 0x301 : 0x300, .ext = data[0] & 0x40, .len = data[0] & 0x30 ? 8 : data[0] & 7 };
        uint8_t before = vehicle_bus_allows(&v, params), counter;
        uint32_t good = v.good;

        memcpy(f.data, data + 2, 8);
        if (data[0] & 8) /* the CRC right: else nothing would come behind it */
            vehicle_protect(&f, f.data[1]);
        vehicle_bus_take(&v, &f, 1, data[1]);
        uint8_t allows = vehicle_bus_allows(&v, params);

        if (v.good != good && (!vehicle_check(&f, &counter) || f.id != 0x300))
            abort();
        if ((allows & ~before) && v.good == good) /* more is allowed, though nothing good came */
            abort();
        if (allows && (vehicle_bus_is_lost(&v, params) || v.orders.hv_off))
            abort();
    }
    return 0;
}
