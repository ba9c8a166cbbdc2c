/* SPDX-License-Identifier: Apache-2.0 */
/* modbus_input.c -- the input registers of proto/modbus.def: what each shows of a sample. */
#include "firmware/core/talk/modbus_registers.h"
#include "proto/catalogue.h"

enum { REGISTERS_PER_ALARM = 4 };

static uint16_t unsigned_of(int64_t v)
{
    return v < 0 ? 0 : v > 0xFFFF - VALIDITY_CODES ? 0xFFFF - VALIDITY_CODES : (uint16_t)v;
}

static uint16_t signed_of(int64_t v)
{
    int64_t least = INT16_MIN + VALIDITY_CODES;

    return (uint16_t)(v < least ? least : v > INT16_MAX ? INT16_MAX : v);
}

static uint16_t register_of_scalar(int32_t v, const struct modbus_row *row)
{
    enum validity why = scalar_validity(v);

    if (row->kind == MODBUS_KIND_H || row->kind == MODBUS_KIND_L)
        return (uint16_t)(row->kind == MODBUS_KIND_H ? (uint32_t)v >> 16 : (uint32_t)v);
    if (why != VALIDITY_OK)
        return row->kind == MODBUS_KIND_S ? (uint16_t)temp_invalid(why) : cell_invalid(why);
    return row->kind == MODBUS_KIND_S ? signed_of(v / row->divide) : unsigned_of(v / row->divide);
}

/* Number, from 1, of the highest or lowest valid cell; 0 = none. */
static uint16_t extreme_cell(const struct sample *s, bool highest)
{
    uint16_t found = 0;

    for (uint16_t i = 0; i < s->cells; i++)
        if (cell_validity(s->cell_mV[i]) == VALIDITY_OK &&
            (!found || (highest ? s->cell_mV[i] > s->cell_mV[found - 1] : s->cell_mV[i] < s->cell_mV[found - 1])))
            found = (uint16_t)(i + 1);
    return found;
}

static uint16_t extreme_temp(const struct sample *s, bool highest)
{
    uint16_t found = 0;

    for (uint16_t i = 0; i < s->temps; i++)
        if (temp_validity(s->temp_ddegC[i]) == VALIDITY_OK &&
            (!found || (highest ? s->temp_ddegC[i] > s->temp_ddegC[found - 1] : s->temp_ddegC[i] < s->temp_ddegC[found - 1])))
            found = (uint16_t)(i + 1);
    return found;
}

static uint16_t cell_register(const struct sample *s, uint16_t number)
{
    return number == 0 || number > s->cells ? cell_invalid(VALIDITY_NOT_FITTED) : s->cell_mV[number - 1];
}

static uint16_t temp_register(const struct sample *s, uint16_t number)
{
    return (uint16_t)(number == 0 || number > s->temps ? temp_invalid(VALIDITY_NOT_FITTED) : s->temp_ddegC[number - 1]);
}

static uint16_t alarm_register(const struct sample *s, uint16_t element)
{
    unsigned i = element / REGISTERS_PER_ALARM;
    const struct sample_alarm *a = &s->alarm[i];

    if (i >= s->alarms)
        return 0;
    const uint16_t field[REGISTERS_PER_ALARM] = { a->alarm, a->level, a->number, (uint16_t)a->value };

    return field[element % REGISTERS_PER_ALARM];
}

static uint16_t made_register(const struct sample *s, enum modbus_what what, uint16_t element)
{
    switch (what) {
    case MODBUS_CELLS:
        return s->cells;
    case MODBUS_PROBES:
        return s->temps;
    case MODBUS_ALARMS:
        return s->alarms;
    case MODBUS_CELL_MAX:
        return cell_register(s, extreme_cell(s, true));
    case MODBUS_CELL_MAX_NO:
        return extreme_cell(s, true);
    case MODBUS_CELL_MIN:
        return cell_register(s, extreme_cell(s, false));
    case MODBUS_CELL_MIN_NO:
        return extreme_cell(s, false);
    case MODBUS_TEMP_MAX:
        return temp_register(s, extreme_temp(s, true));
    case MODBUS_TEMP_MAX_NO:
        return extreme_temp(s, true);
    case MODBUS_TEMP_MIN:
        return temp_register(s, extreme_temp(s, false));
    case MODBUS_TEMP_MIN_NO:
        return extreme_temp(s, false);
    case MODBUS_SAMPLE_NO_H:
        return (uint16_t)(s->no >> 16);
    case MODBUS_SAMPLE_NO_L:
        return (uint16_t)s->no;
    case MODBUS_CATALOGUE_H:
        return (uint16_t)(board_catalogue.hash >> 16);
    case MODBUS_CATALOGUE_L:
        return (uint16_t)board_catalogue.hash;
    case MODBUS_ALARM:
        return alarm_register(s, element);
    case MODBUS_CELL:
        return cell_register(s, (uint16_t)(element + 1));
    case MODBUS_TEMP:
        return temp_register(s, (uint16_t)(element + 1));
    default:
        return 0;
    }
}

/* Before the first sample every value is "never". */
int modbus_read_input(const struct uds *u, uint16_t address, uint16_t *value)
{
    static const struct sample none;
    const struct sample *s = sampler_get(u->sampler, u->sampler->last_no);
    const struct modbus_row *row = modbus_row_at(modbus_inputs, modbus_input_count, address);

    if (!row)
        return -MODBUS_ILLEGAL_ADDRESS;
    if (row->scalar)
        *value = register_of_scalar(s ? s->scalar[row->what] : scalar_invalid(VALIDITY_NEVER), row);
    else
        *value = made_register(s ? s : &none, (enum modbus_what)row->what, (uint16_t)(address - row->address));
    return 0;
}
