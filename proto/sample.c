/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/sample.h"

#include <string.h>

const char *validity_word(enum validity v)
{
    switch (v) {
#define X(name, code, word)                                                                                                                \
    case VALIDITY_##name:                                                                                                                  \
        return word;
        VALIDITY_TABLE(X)
#undef X
    }
    return "unknown";
}

static bool same_alarms(const struct sample *a, const struct sample *b)
{
    for (unsigned i = 0; i < a->alarms; i++)
        if (sample_alarm_pack(&a->alarm[i]) != sample_alarm_pack(&b->alarm[i]))
            return false;
    return true;
}

bool sample_is_equal(const struct sample *a, const struct sample *b)
{
    return a->utc_ms == b->utc_ms && a->boot == b->boot && a->no == b->no && a->cells == b->cells && a->temps == b->temps &&
           a->alarms == b->alarms && memcmp(a->scalar, b->scalar, sizeof(a->scalar)) == 0 &&
           memcmp(a->cell_mV, b->cell_mV, a->cells * sizeof(a->cell_mV[0])) == 0 &&
           memcmp(a->temp_ddegC, b->temp_ddegC, a->temps * sizeof(a->temp_ddegC[0])) == 0 &&
           memcmp(a->balancing, b->balancing, (a->cells + 15u) / 16u * sizeof(a->balancing[0])) == 0 && same_alarms(a, b);
}
