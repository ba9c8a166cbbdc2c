/* SPDX-License-Identifier: Apache-2.0 */
/* bench_holdup.c -- for how long the supply must be held up after it falls, so that the key data are safe (AC-7): the bytes of one save, and the time
 * that they take in an EEPROM and in three kinds of flash, from the writes that the store really makes and the data sheets' worst times. An erase is
 * never in it: the store erases ahead.
 *
 * usage: bench_holdup [--json]     one JSON object; exit 1 when a memory needs more than KEY_STORE_HOLD_UP_MS
 */
#include <stdio.h>

#include "firmware/app/key_store.h"
#include "tests/unit/firmware/fake_flash.h"

enum { SAVES = 1000, SUPPLY_JUDGED_MS = 10 /* the step in which the low supply is seen */ };

static struct fake_flash flash;

struct figures {
    unsigned programs, erases_in_save, erases;
    bool failed;
};

/* The most that any of many saves needs. */
static struct figures measure(const struct flash_geometry *g)
{
    struct key_store store;
    struct key_data k = { .boot = 1 };
    struct figures f = { 0 };

    fake_flash_init(&flash, g);
    struct nvm_layout layout = nvm_layout_of(&flash.port);

    (void)key_store_load(&store, &flash.port, &(struct key_geometry) { layout.key_offset, layout.key_unit, g->page }, &k);
    f.failed = key_store_tidy(&store) != BMS_ERR_OK;
    for (int i = 0; i < SAVES; i++) {
        unsigned programs = flash.programs, erases = flash.erases;

        f.failed = key_store_save(&store, &k) != BMS_ERR_OK || f.failed;
        f.erases_in_save += flash.erases - erases;
        if (flash.programs - programs > f.programs)
            f.programs = flash.programs - programs;
        f.failed = key_store_tidy(&store) != BMS_ERR_OK || f.failed;
    }
    f.erases = flash.erases;
    f.failed = f.failed || flash.forbidden;
    return f;
}

int main(void)
{
    unsigned pages = (KEY_STORE_SIZE + KEY_DATA_PAGE - 1) / KEY_DATA_PAGE, violations = 0;
    double worst_ms = pages * 5.0;

    printf("{\"bytes\":%d,\"budget_ms\":%d,\"memories\":[{\"name\":\"EEPROM, pages of 64 "
           "bytes\",\"writes\":%u,\"save_ms\":%.2f,\"hold_up_ms\":%.2f}",
           KEY_STORE_SIZE, KEY_STORE_HOLD_UP_MS, pages, pages * 5.0, pages * 5.0 + SUPPLY_JUDGED_MS);
    for (int i = 0; i < FLASH_GEOMETRIES; i++) {
        const struct flash_geometry *g = &flash_geometries[i];
        struct figures f = measure(g);
        double save_ms = f.programs * g->program_us / 1000;

        worst_ms = save_ms > worst_ms ? save_ms : worst_ms;
        violations += (unsigned)f.failed + (f.erases_in_save > 0);
        printf(",\n{\"name\":\"%s\",\"writes\":%u,\"save_ms\":%.2f,\"hold_up_ms\":%.2f,\"erases_in_a_save\":%u,\"erase_ms\":%.0f,\"saves_"
               "for_each_erase\":%.1f}",
               g->name, f.programs, save_ms, save_ms + SUPPLY_JUDGED_MS, f.erases_in_save, g->erase_ms,
               f.erases ? (double)SAVES / f.erases : SAVES);
    }
    worst_ms += SUPPLY_JUDGED_MS;
    violations += worst_ms > KEY_STORE_HOLD_UP_MS;
    printf("],\n\"worst_ms\":%.2f,\"margin_ms\":%.2f,\"violations\":%u}\n", worst_ms, KEY_STORE_HOLD_UP_MS - worst_ms, violations);
    return violations ? 1 : 0;
}
