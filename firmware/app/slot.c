/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/slot.h"

#include <string.h>

#include "common/err.h"

enum { AT_ONCE = 64 };

static bool write(const struct slot_port *port, const struct biu_slot_order *o)
{
    uint8_t back[AT_ONCE];

    if (o->n > port->size || o->offset > port->size - o->n || port->write(port->ctx, o->offset, o->data, o->n) != BMS_ERR_OK)
        return false;
    for (size_t at = 0; at < o->n; at += AT_ONCE) {
        size_t n = o->n - at < AT_ONCE ? o->n - at : AT_ONCE;

        if (port->read(port->ctx, o->offset + (uint32_t)at, back, n) != BMS_ERR_OK || memcmp(back, o->data + at, n) != 0)
            return false;
    }
    return true;
}

enum biu_nvm slot_obey(const struct slot_port *port, const struct biu_slot_order *order)
{
    bool good;

    if (order->what == BIU_SLOT_NOTHING)
        return BIU_NVM_IDLE;
    if (!port)
        return BIU_NVM_FAILED;
    good = order->what == BIU_SLOT_ERASE ? port->erase(port->ctx) == BMS_ERR_OK : write(port, order);
    return good ? BIU_NVM_DONE : BIU_NVM_FAILED;
}
