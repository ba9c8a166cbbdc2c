/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/tables.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "proto/can0.h"
#include "proto/sample.h"
#include "proto/uds.h"
#include "tests/unit/suite.h"

static void test_parameter_ids_are_unique_and_fit_their_did(void)
{
    for (int i = 0; i < PARAMS; i++) {
        CU_ASSERT(param_rows[i].id > 0 && param_rows[i].id < DID_PARAM_STORED - DID_PARAM_RUNNING);
        CU_ASSERT_EQUAL(param_by_id(param_rows[i].id), i);
    }
    CU_ASSERT_EQUAL(param_by_id(0), BMS_ERR_UNKNOWN);
    CU_ASSERT_EQUAL(param_by_id(9999), BMS_ERR_UNKNOWN);
}

static void test_every_default_lies_in_its_range(void)
{
    for (int i = 0; i < PARAMS; i++)
        for (int c = 0; c < CHEMISTRIES; c++)
            CU_ASSERT(param_rows[i].dflt[c] >= param_rows[i].min && param_rows[i].dflt[c] <= param_rows[i].max);
}

static void test_every_profile_clears_inside_its_limit(void)
{
    for (int a = 0; a < ALARMS; a++) {
        const struct alarm_row *r = &alarm_rows[a];

        for (int c = 0; c < CHEMISTRIES; c++) {
            int32_t limit = param_rows[r->limit].dflt[c], clear = param_rows[r->clear].dflt[c];

            CU_ASSERT(r->compare == ALARM_ABOVE ? clear < limit : clear > limit);
        }
    }
}

/* Warn before open: cell_over_voltage_warning below cell_over_voltage, and so on for every pair by name. */
static void test_every_profile_warns_before_it_opens(void)
{
    int pairs = 0;

    for (int w = 0; w < ALARMS; w++) {
        const char *suffix = strstr(alarm_rows[w].name, "_warning");

        for (int m = 0; suffix && m < ALARMS; m++) {
            size_t n = (size_t)(suffix - alarm_rows[w].name);

            if (strlen(alarm_rows[m].name) != n || strncmp(alarm_rows[m].name, alarm_rows[w].name, n) != 0)
                continue;
            pairs++;
            for (int c = 0; c < CHEMISTRIES; c++) {
                int32_t warn = param_rows[alarm_rows[w].limit].dflt[c], open = param_rows[alarm_rows[m].limit].dflt[c];

                CU_ASSERT(alarm_rows[w].compare == ALARM_ABOVE ? warn < open : warn > open);
            }
        }
    }
    CU_ASSERT_EQUAL(pairs, 12);
}

static int alarm_by_name(const char *stem, size_t n, const char *rest)
{
    for (int a = 0; a < ALARMS; a++)
        if (strncmp(alarm_rows[a].name, stem, n) == 0 && strcmp(alarm_rows[a].name + n, rest) == 0)
            return a;
    return -1;
}

/* Warn, then less power, then open: cell_over_voltage_derate lies between its warning and its alarm, in every chemistry. */
static void test_every_profile_asks_for_less_power_between(void)
{
    int tiers = 0;

    for (int d = 0; d < ALARMS; d++) {
        const char *suffix = strstr(alarm_rows[d].name, "_derate");

        if (!suffix)
            continue;
        size_t n = (size_t)(suffix - alarm_rows[d].name);
        int warn = alarm_by_name(alarm_rows[d].name, n, "_warning"), open = alarm_by_name(alarm_rows[d].name, n, "");

        CU_ASSERT_EQUAL(alarm_rows[d].least, ALARM_REACT_DERATE);
        CU_ASSERT_FATAL(warn >= 0 && open >= 0);
        for (int c = 0; c < CHEMISTRIES; c++) {
            int32_t low = param_rows[alarm_rows[warn].limit].dflt[c], mid = param_rows[alarm_rows[d].limit].dflt[c];
            int32_t high = param_rows[alarm_rows[open].limit].dflt[c];

            CU_ASSERT(low < high ? low < mid && mid < high : high < mid && mid < low);
        }
        tiers++;
    }
    CU_ASSERT_EQUAL(tiers, 4);
}

/* Charging stops before discharging does, heat before cold; a peak lies beyond what may last; the contactors open for major alarms alone. */
static void test_every_profile_is_of_one_piece(void)
{
    for (int c = 0; c < CHEMISTRIES; c++) {
#define LIMIT(name) param_rows[PARAM_##name##_limit].dflt[c]
        CU_ASSERT(LIMIT(charge_over_temperature) < LIMIT(over_temperature));
        CU_ASSERT(LIMIT(charge_under_temperature) > LIMIT(under_temperature));
        CU_ASSERT(LIMIT(charge_under_temperature) < LIMIT(charge_over_temperature));
        CU_ASSERT(LIMIT(discharge_over_current_peak) > LIMIT(discharge_over_current));
        CU_ASSERT(LIMIT(charge_over_current_peak) < LIMIT(charge_over_current));
        CU_ASSERT(LIMIT(cell_under_voltage) < LIMIT(cell_over_voltage));
        CU_ASSERT(LIMIT(pack_under_voltage) >= LIMIT(cell_under_voltage) && LIMIT(pack_over_voltage) <= LIMIT(cell_over_voltage));
        CU_ASSERT(LIMIT(supply_low_warning) < LIMIT(supply_high_warning));
#undef LIMIT
    }
    for (int a = 0; a < ALARMS; a++)
        for (int c = 0; c < CHEMISTRIES; c++)
            CU_ASSERT(param_rows[alarm_rows[a].reaction].dflt[c] < ALARM_REACT_END || alarm_rows[a].level == ALARM_MAJOR);
}

static void test_alarm_ids_and_dtcs_are_unique(void)
{
    for (int a = 0; a < ALARMS; a++) {
        CU_ASSERT(alarm_rows[a].id >= 1 && alarm_rows[a].id <= 63);
        CU_ASSERT_EQUAL(alarm_by_id(alarm_rows[a].id), a);
        for (int b = a + 1; b < ALARMS; b++)
            CU_ASSERT_NOT_EQUAL(alarm_rows[a].dtc, alarm_rows[b].dtc);
    }
    CU_ASSERT_EQUAL(alarm_by_id(0), BMS_ERR_UNKNOWN);
}

static void test_the_hash_names_one_set_of_values(void)
{
    int32_t v[PARAMS];

    for (int i = 0; i < PARAMS; i++)
        v[i] = param_rows[i].dflt[CHEMISTRY_NMC];
    uint32_t h = param_hash(v);

    for (int i = 0; i < PARAMS; i++) {
        v[i]++;
        CU_ASSERT_NOT_EQUAL(param_hash(v), h);
        v[i]--;
    }
    CU_ASSERT_EQUAL(param_hash(v), h);
}

static void test_texts_need_no_escape_in_json_and_markdown(void)
{
    for (int i = 0; i < PARAMS; i++) {
        CU_ASSERT_PTR_NULL(strpbrk(param_rows[i].text, "\"\\|\n"));
        CU_ASSERT_PTR_NULL(strpbrk(param_rows[i].why, "\"\\|\n"));
    }
    for (int s = 0; s < CAN0_SIGNALS; s++)
        CU_ASSERT_PTR_NULL(strpbrk(can0_signals[s].comment, "\"\\|\n"));
    for (int a = 0; a < ALARMS; a++)
        CU_ASSERT_PTR_NULL(strpbrk(alarm_rows[a].text, "\"\\|\n"));
}

static void test_words(void)
{
    CU_ASSERT_STRING_EQUAL(chemistry_word(CHEMISTRY_SCAP), "scap");
    CU_ASSERT_PTR_NULL(chemistry_word(4));
    CU_ASSERT_PTR_NULL(chemistry_word(-1));
    CU_ASSERT_STRING_EQUAL(validity_word(VALIDITY_OPEN), "open");
    CU_ASSERT_STRING_EQUAL(validity_word((enum validity)7), "unknown");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "parameter ids are unique and fit their DID", test_parameter_ids_are_unique_and_fit_their_did },
        { "every default lies in its range [PK-4]", test_every_default_lies_in_its_range },
        { "every profile clears inside its limit [AC-6]", test_every_profile_clears_inside_its_limit },
        { "every profile warns before it opens [AC-6]", test_every_profile_warns_before_it_opens },
        { "every profile asks for less power between warning and opening [AC-6]", test_every_profile_asks_for_less_power_between },
        { "every profile is of one piece [AC-6] [PK-4]", test_every_profile_is_of_one_piece },
        { "alarm ids and DTCs are unique", test_alarm_ids_and_dtcs_are_unique },
        { "the hash names one set of values [UC-5]", test_the_hash_names_one_set_of_values },
        { "texts need no escape in JSON and Markdown", test_texts_need_no_escape_in_json_and_markdown },
        { "words", test_words },
        CU_TEST_INFO_NULL,
    };
    return suite_run("tables", tests);
}
