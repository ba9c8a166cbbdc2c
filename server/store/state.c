/* SPDX-License-Identifier: Apache-2.0 */
/* state.c -- protobuf in, struct fleet_link out. */
#include "server/store/state.h"

#include "common/err.h"
#include "proto/telemetry.pb-c.h"

#include <stdio.h>
#include <string.h>

static void take_modules(const Cw__State *m, struct fleet_link *out)
{
    const size_t max = sizeof out->modules / sizeof out->modules[0];

    for (size_t i = 0; i < m->n_modules && i < max; i++) {
        const Cw__Module *from = m->modules[i];
        struct fleet_module *to = &out->modules[out->module_count++];

        snprintf(to->name, sizeof to->name, "%s", from->name);
        to->cells = (uint8_t)(from->cells <= PACK_CELLS_MAX ? from->cells : 0);
        to->temps = (uint8_t)(from->temps <= PACK_TEMPS_MAX ? from->temps : 0);
    }
}

static int take(const char *device, const Cw__State *m, struct fleet_link *out)
{
    if (m->schema != 1)
        return BMS_ERR_SCHEMA;
    if (strcmp(m->device, device) != 0)
        return BMS_ERR_RANGE;
    out->known = true;
    out->online = m->online;
    snprintf(out->version, sizeof out->version, "%s", m->version);
    snprintf(out->chemistry, sizeof out->chemistry, "%s", m->chemistry);
    out->epoch = m->epoch;
    out->boot = m->boot;
    out->journal_records = m->journal_records;
    out->journal_dropped = m->journal_dropped;
    out->board_dropped = m->board_dropped;
    out->frames_rejected = m->frames_rejected;
    out->records_corrupt = m->records_corrupt;
    take_modules(m, out);
    return 0;
}

int state_parse(const char *device, const uint8_t *bytes, size_t size, struct fleet_link *out, int64_t *at_ms)
{
    Cw__State *m = cw__state__unpack(NULL, size, bytes);

    memset(out, 0, sizeof *out);
    if (!m)
        return BMS_ERR_CORRUPT;
    int err = take(device, m, out);

    *at_ms = (int64_t)m->utc_ms;
    cw__state__free_unpacked(m, NULL);
    return err;
}
