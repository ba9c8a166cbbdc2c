/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/api_render.h"
#include "tests/unit/suite.h"

#include <jansson.h>
#include <string.h>

static struct fleet_vehicle vehicle;

static void fill(void)
{
    memset(&vehicle, 0, sizeof vehicle);
    strcpy(vehicle.device, "demo.bus-048");
    vehicle.has_sample = true;
    vehicle.link.known = vehicle.link.online = true;
    vehicle.link.epoch = 0xFEDCBA9876543210u;
    strcpy(vehicle.link.version, "<b>\"1\"</b>\xFF");
    vehicle.link.module_count = 2;
    vehicle.link.modules[0] = (struct fleet_module) { "BIU", 100, 40 };
    vehicle.link.modules[1] = (struct fleet_module) { "BMU 1", 60, 24 };
    vehicle.sample.cells = PACK_CELLS_MAX;
    vehicle.sample.temps = PACK_TEMPS_MAX;
    vehicle.sample.boot = 7;
    vehicle.sample.no = 4000000000u;
    vehicle.sample.utc_ms = 1800000000000u;
    for (int i = 0; i < PACK_CELLS_MAX; i++)
        vehicle.sample.cell_mV[i] = 3300;
    vehicle.sample.cell_mV[46] = cell_invalid(VALIDITY_OPEN);
    vehicle.sample.temp_ddegC[63] = temp_invalid(VALIDITY_NOT_FITTED);
    vehicle.sample.balancing[9] = 0x8000;
    vehicle.sample.scalar[SAMPLE_insulation_kohm] = scalar_invalid(VALIDITY_NEVER);
    vehicle.sample.scalar[SAMPLE_param_running_hash] = (int32_t)0x80000003u; /* as a number it would look like a validity code */
}

/* The vehicle as the browser reads it; the caller releases it. */
static json_t *rendered(void)
{
    struct render_extra extra = { 1800000000500, NULL };
    struct jsonw j;

    jsonw_init(&j, 1u << 20);
    render_vehicle(&j, &vehicle, &extra);
    json_t *root = j.failed ? NULL : json_loadb(j.buf, j.len, JSON_REJECT_DUPLICATES, NULL);

    jsonw_deinit(&j);
    return root;
}

static json_t *at(json_t *root, const char *outer, const char *inner)
{
    return json_object_get(json_object_get(root, outer), inner);
}

static void test_what_is_not_valid_is_null_with_its_reason(void)
{
    fill();
    json_t *root = rendered();

    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    json_t *cells = at(root, "frame", "cell_mV");

    CU_ASSERT_EQUAL(json_array_size(cells), PACK_CELLS_MAX);
    CU_ASSERT_TRUE(json_is_null(json_array_get(cells, 46)));
    CU_ASSERT_EQUAL(json_integer_value(json_array_get(cells, 45)), 3300);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(at(root, "frame", "cell_quality"), "47")), "open");
    CU_ASSERT_EQUAL(json_object_size(at(root, "frame", "cell_quality")), 1);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(at(root, "frame", "temp_quality"), "64")), "not_fitted");
    CU_ASSERT_TRUE(json_is_null(json_object_get(at(root, "frame", "scalars"), "insulation_kohm")));
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(at(root, "frame", "quality"), "insulation_kohm")), "never");
    json_decref(root);
}

static void test_hash_of_the_parameters_is_shown_as_it_is(void)
{
    fill();
    json_t *root = rendered();

    CU_ASSERT_EQUAL(json_integer_value(json_object_get(at(root, "frame", "scalars"), "param_running_hash")), 0x80000003ll);
    CU_ASSERT_PTR_NULL(json_object_get(at(root, "frame", "quality"), "param_running_hash"));
    json_decref(root);
}

static void test_layout_counts_on_from_module_to_module(void)
{
    fill();
    json_t *root = rendered();
    json_t *second = json_array_get(json_object_get(root, "layout"), 1);

    CU_ASSERT_EQUAL(json_integer_value(json_object_get(second, "first_cell")), 101);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(second, "first_temp")), 41);
    CU_ASSERT_EQUAL(json_integer_value(json_array_get(at(root, "frame", "balancing"), 0)), 160);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "epoch")), "fedcba9876543210");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "version")), "<b>\"1\"</b>\xEF\xBF\xBD");
    json_decref(root);
}

static void test_vehicle_without_a_sample_has_null_for_everything_measured(void)
{
    static const char *const names[] = { "soc_permyriad", "pack_voltage_mV", "pack_current_mA", "cell_max_mV", "cell_min_mV",
                                         "spread_mV",     "temp_max_ddegC",  "measured_at",     "received_at", "reason" };

    memset(&vehicle, 0, sizeof vehicle);
    strcpy(vehicle.device, "demo.new");
    json_t *root = rendered();

    CU_ASSERT_TRUE(json_is_null(json_object_get(root, "frame")));
    CU_ASSERT_TRUE(json_is_null(json_object_get(root, "boot")));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CU_ASSERT_TRUE(json_is_null(at(root, "row", names[i])));
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "row", "state")), "offline");
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "row", "name")), "new");
    json_decref(root);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "what is not valid is null with its reason [UC-2]", test_what_is_not_valid_is_null_with_its_reason },
        { "the hash of the parameters is shown as it is", test_hash_of_the_parameters_is_shown_as_it_is },
        { "the layout counts on from module to module", test_layout_counts_on_from_module_to_module },
        { "a vehicle without a sample has null for everything measured", test_vehicle_without_a_sample_has_null_for_everything_measured },
        CU_TEST_INFO_NULL,
    };
    return suite_run("api_render", tests);
}
