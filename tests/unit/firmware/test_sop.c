/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "firmware/core/estimation/cell_power.h"
#include "firmware/core/estimation/sop.h"
#include "proto/validity.h"
#include "tests/unit/firmware/flat_cell.h"
#include "tests/unit/suite.h"

static struct flat_cell c;
static struct cell_model model;
static struct cell_power_in in;

static void start(void)
{
    flat_cell_make(&c, 1.0f, 0.0f); /* 2 Ah, 3.2 to 4.2 V */
    cell_model_init(&model, &c.profile);
    in = (struct cell_power_in) { .model = &model,
                                  .temp_degC = 20.0f,
                                  .soc = 0.5f,
                                  .scale = 1.0f,
                                  .capacity_Ah = 2.0f,
                                  .seconds = 10.0f,
                                  .limit_V = 3.2f,
                                  .most_A = 100.0f };
}

static void test_the_voltage_ends_at_the_limit(void)
{
    for (int k = 0; k < 2 * 3 * 9; k++) {
        start();
        in.charge = k & 1;
        in.limit_V = in.charge ? 4.2f : 3.2f;
        in.seconds = sop_seconds[k / 2 % 3];
        in.soc = 0.1f + 0.1f * (float)(k / 6);
        float amount_A = cell_power_A(&in);

        CU_ASSERT(amount_A > 0 && amount_A < in.most_A);
        CU_ASSERT(cell_power_room_V(&in, amount_A) >= 0);
        CU_ASSERT(cell_power_room_V(&in, amount_A * 1.001f + 0.002f) < 0);
    }
}

static void test_longer_older_colder_and_emptier_is_less(void)
{
    start();
    float was_A = cell_power_A(&in);

    in.seconds = 30;
    CU_ASSERT(cell_power_A(&in) < was_A);
    start();
    in.scale = 1.2f;
    CU_ASSERT(cell_power_A(&in) < was_A);
    start();
    in.temp_degC = -20;
    CU_ASSERT(cell_power_A(&in) < was_A);
    start();
    in.soc = 0.4f;
    CU_ASSERT(cell_power_A(&in) < was_A);
    start();
    in.error_V = 0.02f; /* the voltage is lower than the model has it */
    CU_ASSERT(cell_power_A(&in) < was_A);
    start();
    model.u_V[1] = 0.05f; /* still polarised */
    CU_ASSERT(cell_power_A(&in) < was_A);
}

static void test_no_more_charge_than_there_is(void)
{
    start();
    in.limit_V = 0.0f;
    in.soc = 0.01f;
    in.seconds = 30;
    CU_ASSERT_DOUBLE_EQUAL(cell_power_A(&in), 0.01 * 2 * 3600 / 30, 0.01);
    in.soc = 0.0f;
    CU_ASSERT_DOUBLE_EQUAL(cell_power_A(&in), 0, 0.001);
    in.charge = true;
    in.limit_V = 9.0f;
    in.soc = 0.99f;
    CU_ASSERT_DOUBLE_EQUAL(cell_power_A(&in), 0.01 * 2 * 3600 / 30, 0.01);
    in.soc = 0.5f;
    CU_ASSERT_DOUBLE_EQUAL(cell_power_A(&in), in.most_A, 0.001);
    in.limit_V = 3.5f; /* it is above that already */
    CU_ASSERT_DOUBLE_EQUAL(cell_power_A(&in), 0, 0.05);
}

/* Polarisation lowers the voltage at first, then the cell is warm enough to raise it: the lowest is in between. */
static void test_the_worst_may_be_in_the_middle(void)
{
    start();
    c.profile.heat_J_per_K = 12.0f;
    in.temp_degC = -20.0f;
    in.seconds = 30.0f;
    float whole_A = cell_power_A(&in);

    CU_ASSERT(cell_power_room_V(&in, whole_A) >= 0);
    in.seconds = 7.5f; /* a part of that time is no harder than all of it */
    CU_ASSERT(cell_power_room_V(&in, whole_A) >= -0.005f);
    in.seconds = 30.0f;
    c.profile.heat_J_per_K = 0.0f;
    CU_ASSERT(cell_power_A(&in) < 0.97f * whole_A); /* the warming counts */
    c.profile.heat_J_per_K = 12.0f;
    in.seconds = 1.0f; /* but not in the first second */
    float first_A = cell_power_A(&in);

    c.profile.heat_J_per_K = 0.0f;
    CU_ASSERT_DOUBLE_EQUAL(cell_power_A(&in), first_A, 0.002 * first_A);
}

static void test_a_pack_by_its_weakest_cell(void)
{
    static struct soc soc;
    static struct sop sop;
    static int32_t params[PARAMS];
    uint16_t cell_mV[3] = { 3680, 3680, 3680 };

    for (int i = 0; i < PARAMS; i++)
        params[i] = param_rows[i].dflt[CHEMISTRY_NMC];
    soc_init(&soc, params);
    sop_init(&sop);
    sop_all(&sop, &soc, params);
    CU_ASSERT_EQUAL(scalar_validity(sop.discharge_mA[SOP_10_S]), VALIDITY_NEVER);
    CU_ASSERT_EQUAL(scalar_validity(sop.charge_mA[SOP_30_S]), VALIDITY_NEVER);
    struct soc_in look = { .dt_ms = 100, .cell_mV = cell_mV, .cells = 3, .complete = true, .temp_ddegC = -100, .params = params };

    for (int k = 0; k < 100; k++)
        soc_step(&soc, &look);
    for (int k = 0; k < 7; k++)
        sop_step(&sop, &soc, &look);
    int32_t was_mA = sop.discharge_mA[SOP_10_S];

    CU_ASSERT(was_mA > 0 && was_mA < params[PARAM_discharge_max_dA] * 100);
    CU_ASSERT(sop.discharge_mA[SOP_2_S] > was_mA && sop.discharge_mA[SOP_30_S] < was_mA);
    sop.ohms.told = 1.0f; /* one cell is known to be weak, and it alone */
    sop.ohms.mean.told = -soc.mean.x[EST_SCALE];
    sop_all(&sop, &soc, params);
    was_mA = sop.discharge_mA[SOP_10_S];
    sop.ohms.cell[1].told = -0.2f;
    sop_all(&sop, &soc, params);
    CU_ASSERT(sop.discharge_mA[SOP_10_S] < was_mA * 9 / 10);
    soc.cell[0].soc = -0.4f; /* and then another one is nearly empty */
    sop_all(&sop, &soc, params);
    was_mA = sop.discharge_mA[SOP_10_S];
    sop.ohms.cell[1].told = 0.0f;
    sop_all(&sop, &soc, params);
    CU_ASSERT_EQUAL(sop.discharge_mA[SOP_10_S], was_mA);
    sop.ohms.cell[1].told = -0.2f; /* the voltage of one is at its limit first, but another one has no more charge */
    soc.cell[0].soc = 0.001f - soc.mean.x[EST_SOC];
    sop_all(&sop, &soc, params);
    CU_ASSERT(sop.discharge_mA[SOP_30_S] <= 60000 / 1000 * 3600 / 30);
}

/* An SOC that says full before the voltage does: nothing more for regeneration, but the charger goes on until the voltage is there. */
static void test_an_soc_near_full_does_not_starve_a_charge(void)
{
    static struct soc soc;
    static struct sop sop;
    static int32_t params[PARAMS];
    uint16_t cell_mV[3] = { 3680, 3680, 3680 };

    for (int i = 0; i < PARAMS; i++)
        params[i] = param_rows[i].dflt[CHEMISTRY_NMC];
    soc_init(&soc, params);
    sop_init(&sop);
    sop_all(&sop, &soc, params);
    CU_ASSERT_EQUAL(scalar_validity(sop.charger_mA), VALIDITY_NEVER);
    for (int k = 0; k < 100; k++)
        soc_step(&soc,
                 &(struct soc_in) { .dt_ms = 100, .cell_mV = cell_mV, .cells = 3, .complete = true, .temp_ddegC = 250, .params = params });
    sop_all(&sop, &soc, params);
    CU_ASSERT_EQUAL(sop.charger_mA, sop.charge_mA[SOP_10_S]); /* far from full they are the same */
    soc.mean.x[EST_SOC] = 1.0f;
    soc.mean.x[EST_ERROR] = 0.2f; /* the voltage is not there yet */
    sop_all(&sop, &soc, params);
    CU_ASSERT_EQUAL(sop.charge_mA[SOP_10_S], 0);
    CU_ASSERT(sop.charger_mA > params[PARAM_charge_max_dA] * 10);
    soc.mean.x[EST_ERROR] = -0.2f; /* the voltage is beyond its limit */
    sop_all(&sop, &soc, params);
    CU_ASSERT_EQUAL(sop.charger_mA, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the voltage ends at its limit, and a little more current would pass it [ES-3]", test_the_voltage_ends_at_the_limit },
        { "longer, older, colder, emptier is less [ES-3]", test_longer_older_colder_and_emptier_is_less },
        { "no more than there is, and no more than is allowed [ES-3]", test_no_more_charge_than_there_is },
        { "the lowest voltage may be on the way, and the first second warms nothing [ES-3]", test_the_worst_may_be_in_the_middle },
        { "a pack gives what its weakest cell can; nothing is known before the SOC is [ES-3]", test_a_pack_by_its_weakest_cell },
        { "an SOC near full does not starve a charge [ES-3] [AC-3]", test_an_soc_near_full_does_not_starve_a_charge },
        CU_TEST_INFO_NULL,
    };

    return suite_run("sop", tests);
}
