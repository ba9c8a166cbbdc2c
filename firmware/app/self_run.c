/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/self_run.h"

static void slice_of_ram(struct self_run *r)
{
    const struct self_ram *ram = r->port->ram;

    if (!ram || ram->words == 0)
        return;
    r->ram_bad = !self_ram_block(ram, r->word) || r->ram_bad;
    r->word += SELF_RAM_BLOCK;
    if (r->word >= ram->words) {
        r->word = 0;
        r->ram_passes++;
    }
}

static void slice_of_flash(struct self_run *r)
{
    const struct self_flash *flash = r->port->flash;

    if (!flash || flash->size == 0)
        return;
    int got = self_flash_slice(&r->pass, flash);

    r->flash_bad = got < 0 || r->flash_bad;
    r->flash_passes += got == 1;
}

void self_run_init(struct self_run *r, const struct self_port *port)
{
    *r = (struct self_run) { .port = port };
    if (!port)
        return;
    while (port->ram && port->ram->words > 0 && r->ram_passes == 0)
        slice_of_ram(r);
    while (port->flash && port->flash->size > 0 && r->flash_passes == 0 && !r->flash_bad)
        slice_of_flash(r);
}

void self_run_step(struct self_run *r, struct self_facts *now)
{
    *now = (struct self_facts) { .fitted = r->port != NULL };
    if (!r->port)
        return;
    slice_of_ram(r);
    slice_of_flash(r);
    r->port->facts(r->port->ctx, now);
    now->fitted = true;
    now->ram_bad = r->ram_bad;
    now->flash_bad = r->flash_bad;
}
