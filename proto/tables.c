/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/tables.h"

#include <stddef.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "proto/sample.h"

const struct param_row param_rows[PARAMS] = {
#define PARAM(id_, name_, group_, unit_, min_, max_, nmc, lfp, nimh, scap, restart_, text_, why_)                                          \
    [PARAM_##name_] = { .id = (id_),                                                                                                       \
                        .name = #name_,                                                                                                    \
                        .group = (group_),                                                                                                 \
                        .unit = (unit_),                                                                                                   \
                        .text = (text_),                                                                                                   \
                        .why = (why_),                                                                                                     \
                        .min = (min_),                                                                                                     \
                        .max = (max_),                                                                                                     \
                        .dflt = { (nmc), (lfp), (nimh), (scap) },                                                                          \
                        .restart = (restart_) },
#include "proto/params.def"
};

const struct alarm_row alarm_rows[ALARMS] = {
#define ALARM(id_, name_, quantity_, compare_, level_, unit_, reaction_, latch_, dtc_, text_)                                              \
    [ALARM_##name_] = { .id = (id_),                                                                                                       \
                        .name = #name_,                                                                                                    \
                        .unit = (unit_),                                                                                                   \
                        .text = (text_),                                                                                                   \
                        .quantity = ALARM_Q_##quantity_,                                                                                   \
                        .compare = ALARM_##compare_,                                                                                       \
                        .level = ALARM_##level_,                                                                                           \
                        .least = ALARM_REACT_##reaction_,                                                                                  \
                        .latch = (latch_),                                                                                                 \
                        .dtc = (dtc_),                                                                                                     \
                        .limit = PARAM_##name_##_limit,                                                                                    \
                        .clear = PARAM_##name_##_clear,                                                                                    \
                        .set_ms = PARAM_##name_##_set_ms,                                                                                  \
                        .clear_ms = PARAM_##name_##_clear_ms,                                                                              \
                        .reaction = PARAM_##name_##_reaction },
#include "proto/alarms.def"
};

int param_by_id(uint16_t id)
{
    for (int i = 0; i < PARAMS; i++)
        if (param_rows[i].id == id)
            return i;
    return BMS_ERR_UNKNOWN;
}

int alarm_by_id(uint8_t id)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarm_rows[i].id == id)
            return i;
    return BMS_ERR_UNKNOWN;
}

uint32_t param_hash(const int32_t *values)
{
    uint32_t crc = 0;

    for (int i = 0; i < PARAMS; i++) {
        uint8_t pair[6];

        put_le16(pair, param_rows[i].id);
        put_le32(pair + 2, (uint32_t)values[i]);
        crc = crc32c(crc, pair, sizeof(pair));
    }
    return crc;
}

const char *chemistry_word(int32_t chemistry)
{
    static const char *const words[CHEMISTRIES] = { "nmc", "lfp", "nimh", "scap" };

    return chemistry >= 0 && chemistry < CHEMISTRIES ? words[chemistry] : NULL;
}
