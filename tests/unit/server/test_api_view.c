/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/api_view.h"

#include "proto/tables.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct fleet_vehicle vehicle;
static struct view view;

static void healthy(void)
{
    memset(&vehicle, 0, sizeof vehicle);
    strcpy(vehicle.device, "demo.bus-048");
    vehicle.has_sample = true;
    vehicle.link.known = vehicle.link.online = true;
    vehicle.received_at_ms = 1000000;
    vehicle.sample.cells = 4;
    vehicle.sample.temps = 2;
    vehicle.sample.scalar[SAMPLE_mode] = PACK_MODE_DRIVING;
    for (int i = 0; i < 4; i++)
        vehicle.sample.cell_mV[i] = (uint16_t)(3300 + i);
    vehicle.sample.temp_ddegC[0] = -10;
    vehicle.sample.temp_ddegC[1] = 15;
}

static void add_alarm(uint8_t id, uint8_t level, int64_t since)
{
    vehicle.alarms[vehicle.alarm_count++] =
        (struct fleet_alarm) { .alarm = { .alarm = id, .level = level, .number = 47, .value = 4215 }, .since_ms = since };
}

static void test_extremes_leave_out_what_is_not_valid(void)
{
    healthy();
    vehicle.sample.cell_mV[0] = cell_invalid(VALIDITY_OPEN);
    vehicle.sample.temp_ddegC[1] = temp_invalid(VALIDITY_STALE);
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT(view.has_cells && view.cell_min_mV == 3301 && view.cell_max_mV == 3303 && view.cell_mean_mV == 3302);
    CU_ASSERT(view.has_temps && view.temp_min_ddegC == -10 && view.temp_max_ddegC == -10);
    for (int i = 0; i < 4; i++)
        vehicle.sample.cell_mV[i] = cell_invalid(VALIDITY_NEVER);
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_FALSE(view.has_cells);
}

static void test_state_is_the_worst_alarm_and_offline_wins(void)
{
    healthy();
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_EQUAL(view.state, VIEW_OK);
    add_alarm(1, ALARM_WARNING, 10);
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_EQUAL(view.state, VIEW_WARNING);
    add_alarm(2, ALARM_MAJOR, 30);
    add_alarm(4, ALARM_MAJOR, 20);
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_EQUAL(view.state, VIEW_ALARM);
    CU_ASSERT_EQUAL(view.worst->alarm.alarm, 4); /* of equals the one that stands longest */
    vehicle.link.online = false;
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_EQUAL(view.state, VIEW_OFFLINE);
    CU_ASSERT_PTR_NOT_NULL(view.worst);
}

static void test_unknown_link_is_judged_by_the_newest_sample(void)
{
    healthy();
    vehicle.link.known = false;
    view_of(&vehicle, NULL, 1000000 + VIEW_SILENT_MS - 1, &view);
    CU_ASSERT_TRUE(view.online);
    view_of(&vehicle, NULL, 1000000 + VIEW_SILENT_MS, &view);
    CU_ASSERT_FALSE(view.online);
    vehicle.has_sample = false;
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_FALSE(view.online);
}

static void test_mode_and_period_are_what_the_board_says(void)
{
    struct view_running running = { .sample_period_ms = 5000 };

    healthy();
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT(view.period_ms == VIEW_PERIOD_MS && strcmp(view.mode, "driving") == 0);
    view_of(&vehicle, &running, 1000000, &view);
    CU_ASSERT_EQUAL(view.period_ms, 5000);
    vehicle.sample.scalar[SAMPLE_mode] = PACK_MODE_PARKED;
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_STRING_EQUAL(view.mode, "parked");
    vehicle.sample.scalar[SAMPLE_mode] = scalar_invalid(VALIDITY_NEVER);
    view_of(&vehicle, NULL, 1000000, &view);
    CU_ASSERT_STRING_EQUAL(view.mode, "unknown");
}

static void test_alarm_names_the_cell_the_value_and_the_limit(void)
{
    static const struct {
        struct sample_alarm alarm;
        int32_t limit; /* 0 = not known */
        const char *text;
    } rows[] = {
        { { 2, ALARM_MAJOR, 47, 4215 }, 4200, "Cell 47 over-voltage: 4215 mV (limit 4200 mV)" },
        { { 2, ALARM_MAJOR, 47, 4215 }, 0, "Cell 47 over-voltage: 4215 mV" },
        { { 2, ALARM_MAJOR, SAMPLE_ALARM_SIMULATED, 0 }, 4200, "Cell over-voltage: simulated by a tester" },
        { { 6, ALARM_MAJOR, 3, 612 },
          600,
          "Probe 3 over-temperature: 61.2 \xC2\xB0"
          "C (limit 60.0 \xC2\xB0"
          "C)" },
        { { 8, ALARM_MAJOR, 3, -5 },
          0,
          "Probe 3 under-temperature: -0.5 \xC2\xB0"
          "C" },
        { { 10, ALARM_MAJOR, 2, 300 }, 200, "AFE chip 2 silent: 300 ms (limit 200 ms)" },
        { { 11, ALARM_MAJOR, 0, 300 }, 0, "Current sensor silent: 300 ms" },
        { { 12, ALARM_MAJOR, 5, VALIDITY_OPEN }, 1, "Cell 5 reading not valid: sensor open" },
        { { 250, ALARM_MAJOR, 5, 7 }, 0, "Alarm 250, number 5: 7" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[ALARM_TEXT_SIZE];
        struct view_running limits = { .limit_known = { false } };
        int row = alarm_by_id(rows[i].alarm.alarm);

        if (row >= 0 && rows[i].limit != 0) {
            limits.limit_known[row] = true;
            limits.limit[row] = rows[i].limit;
        }
        view_alarm_text(&rows[i].alarm, &limits, text, sizeof text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
    }
}

static void test_every_alarm_of_the_table_has_words(void)
{
    for (int i = 0; i < ALARMS; i++) {
        char text[ALARM_TEXT_SIZE], short_text[8];
        struct sample_alarm alarm = { alarm_rows[i].id, ALARM_MAJOR, 65535, -32768 };

        view_alarm_text(&alarm, NULL, text, sizeof text);
        CU_ASSERT(strlen(text) > 10 && text[0] >= 'A' && text[0] <= 'Z');
        view_alarm_text(&alarm, NULL, short_text, sizeof short_text);
        CU_ASSERT_EQUAL(strlen(short_text), sizeof short_text - 1);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "extremes leave out what is not valid", test_extremes_leave_out_what_is_not_valid },
        { "the state is the worst alarm and offline wins [FL-5]", test_state_is_the_worst_alarm_and_offline_wins },
        { "an unknown link is judged by the newest sample", test_unknown_link_is_judged_by_the_newest_sample },
        { "mode and period are what the board says", test_mode_and_period_are_what_the_board_says },
        { "an alarm names the cell, the value and the limit [AC-6]", test_alarm_names_the_cell_the_value_and_the_limit },
        { "every alarm of the table has words", test_every_alarm_of_the_table_has_words },
        CU_TEST_INFO_NULL,
    };
    return suite_run("api_view", tests);
}
