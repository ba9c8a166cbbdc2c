/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/charge/gbt_say.h"

#include <string.h>

#include "common/bytes.h"
#include "proto/validity.h"

enum {
    CONSTANT_VOLTAGE = 1,
    CONSTANT_CURRENT = 2,
    PERMILLE_PER_PERCENT = 10,
    LEFT_MAX_MIN = 600,
    PROTOCOL_VERSION = 1,
    CHARGES_MAX = 0xFFFFFF
};
enum { CELL_STEP_mV = 10, CELL_MASK = 0x0FFF, DDEGC_PER_DEGC = 10, TEMP_OFFSET_degC = 50 };

static void put(struct gbt_message *m, enum gbt_field field, int32_t value)
{
    gbt_put(field, m->data, m->n, value);
}

static void write_brm(const struct gbt_pack_facts *p, struct gbt_message *m)
{
    m->n = p->software ? GBT_BRM_LONG : GBT_BRM_LEN;
    put(m, GBT_BRM_version_minor, PROTOCOL_VERSION);
    put(m, GBT_BRM_version_major, PROTOCOL_VERSION);
    put(m, GBT_BRM_type, p->type);
    put(m, GBT_BRM_capacity_mAh, p->capacity_mAh);
    put(m, GBT_BRM_rated_mV, p->rated_mV);
    gbt_put_text(GBT_BRM_maker, m->data, m->n, p->maker);
    put(m, GBT_BRM_pack_no, (int32_t)p->pack_no);
    put(m, GBT_BRM_year, p->made_year);
    put(m, GBT_BRM_month, p->made_month);
    put(m, GBT_BRM_day, p->made_day);
    put(m, GBT_BRM_charges, p->charges > CHARGES_MAX ? CHARGES_MAX : (int32_t)p->charges);
    put(m, GBT_BRM_owned, 1);
    gbt_put_text(GBT_BRM_vin, m->data, m->n, p->vin);
    if (p->software)
        gbt_put_text(GBT_BRM_software, m->data, m->n, p->software);
}

static void write_bcp(const struct gbt_pack_facts *p, const struct gbt_in *in, struct gbt_message *m)
{
    put(m, GBT_BCP_cell_max_mV, p->cell_max_mV);
    put(m, GBT_BCP_max_mA, p->max_mA);
    put(m, GBT_BCP_energy_Wh, p->energy_Wh);
    put(m, GBT_BCP_max_mV, p->max_mV);
    put(m, GBT_BCP_max_degC, p->max_degC);
    put(m, GBT_BCP_soc_permille, in->soc_permille);
    put(m, GBT_BCP_pack_mV, in->pack_mV);
}

static void write_bcl(const struct gbt_in *in, struct gbt_message *m)
{
    put(m, GBT_BCL_demand_mV, in->demand_mV);
    put(m, GBT_BCL_demand_mA, in->pause ? 0 : in->demand_mA);
    put(m, GBT_BCL_mode, in->constant_voltage ? CONSTANT_VOLTAGE : CONSTANT_CURRENT);
}

static void write_bcs(const struct gbt_in *in, struct gbt_message *m)
{
    put(m, GBT_BCS_pack_mV, in->pack_mV);
    put(m, GBT_BCS_pack_mA, in->pack_mA);
    put(m, GBT_BCS_cell_max_mV, in->cell_max_mV);
    put(m, GBT_BCS_cell_max_group, 0);
    put(m, GBT_BCS_soc_percent, in->soc_permille / PERMILLE_PER_PERCENT);
    put(m, GBT_BCS_left_min, in->left_min > LEFT_MAX_MIN ? LEFT_MAX_MIN : in->left_min);
}

static void write_bsm(const struct gbt_in *in, struct gbt_message *m)
{
    put(m, GBT_BSM_cell_max_no, in->cell_max_no);
    put(m, GBT_BSM_temp_max_degC, in->temp_max_degC);
    put(m, GBT_BSM_temp_max_no, in->temp_max_no);
    put(m, GBT_BSM_temp_min_degC, in->temp_min_degC);
    put(m, GBT_BSM_temp_min_no, in->temp_min_no);
    m->data[5] = 0; /* all normal: what is not ends the charge by BST */
    put(m, GBT_BSM_insulation_state, 0);
    put(m, GBT_BSM_connector_state, 0);
    put(m, GBT_BSM_permitted, !in->pause);
}

static void write_bsd(const struct gbt_in *in, struct gbt_message *m)
{
    put(m, GBT_BSD_soc_percent, in->soc_permille / PERMILLE_PER_PERCENT);
    put(m, GBT_BSD_cell_min_mV, in->cell_min_mV);
    put(m, GBT_BSD_cell_max_mV, in->cell_max_mV);
    put(m, GBT_BSD_temp_min_degC, in->temp_min_degC);
    put(m, GBT_BSD_temp_max_degC, in->temp_max_degC);
}

/* 12 bits of 0.01 V and 4 of the group, each cell; a cell without a value is 0xFFFF. */
static void write_bmv(const struct gbt_in *in, struct gbt_message *m)
{
    m->n = (size_t)in->cells * 2;
    for (unsigned i = 0; i < in->cells; i++)
        put_le16(m->data + 2 * (size_t)i,
                 cell_validity(in->cell_mV[i]) == VALIDITY_OK ? (uint16_t)(in->cell_mV[i] / CELL_STEP_mV & CELL_MASK) : UINT16_MAX);
}

/* One byte of degC + 50, each probe; 0xFF without a value. */
static void write_bmt(const struct gbt_in *in, struct gbt_message *m)
{
    m->n = in->probes;
    for (unsigned i = 0; i < in->probes; i++)
        if (temp_validity(in->temp_ddegC[i]) == VALIDITY_OK)
            m->data[i] = (uint8_t)(in->temp_ddegC[i] / DDEGC_PER_DEGC + TEMP_OFFSET_degC);
}

void gbt_say(const struct gbt_bms *b, const struct gbt_in *in, enum gbt_msg msg, struct gbt_message *m)
{
    memset(m->data, 0xFF, sizeof(m->data));
    m->n = gbt_msgs[msg].longest <= sizeof(m->data) ? gbt_msgs[msg].longest : 0;
    switch (msg) {
    case GBT_BHM:
        put(m, GBT_BHM_max_mV, b->facts->max_mV);
        break;
    case GBT_BRM:
        write_brm(b->facts, m);
        break;
    case GBT_BCP:
        write_bcp(b->facts, in, m);
        break;
    case GBT_BRO:
        put(m, GBT_BRO_ready, b->is_ready ? GBT_YES : GBT_NO);
        break;
    case GBT_BCL:
        write_bcl(in, m);
        break;
    case GBT_BCS:
        write_bcs(in, m);
        break;
    case GBT_BSM:
        write_bsm(in, m);
        break;
    case GBT_BMV:
        write_bmv(in, m);
        break;
    case GBT_BMT:
        write_bmt(in, m);
        break;
    case GBT_BSP: /* reserved in the standard: all bits 1 */
        break;
    case GBT_BST:
        put(m, GBT_BST_reasons, (int32_t)b->reasons);
        break;
    case GBT_BSD:
        write_bsd(in, m);
        break;
    default:
        put(m, GBT_BEM_errors, (int32_t)b->bem);
        break;
    }
}
