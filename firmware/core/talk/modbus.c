/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/talk/modbus.h"

#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/talk/modbus_registers.h"

enum { REFUSED = 0x80, STORE = 1 };
enum { STORE_NONE, STORE_WORKS, STORE_DONE, STORE_FAILED };

const struct modbus_row *modbus_row_at(const struct modbus_row *rows, uint16_t count, uint16_t address)
{
    for (uint16_t i = 0; i < count; i++)
        if (address >= rows[i].address && address - rows[i].address < rows[i].count)
            return &rows[i];
    return NULL;
}

/* --- holding registers --- */

static bool fits_16(const struct param_row *row)
{
    return row->min >= 0 ? row->max <= 0xFFFF : row->min >= INT16_MIN && row->max <= INT16_MAX;
}

/* The parameter whose 32 bits hold this register of the area, or a negative number. */
static int param_of_pair(uint16_t address, uint16_t area)
{
    return address < area || address >= area + 2 * MODBUS_PARAM_IDS ? -1 : param_by_id((uint16_t)((address - area) / 2));
}

static int param_of_16(uint16_t address)
{
    int param = address < MODBUS_PARAM_16 || address >= MODBUS_PARAM_16 + MODBUS_PARAM_IDS
                    ? -1
                    : param_by_id((uint16_t)(address - MODBUS_PARAM_16));

    return param >= 0 && fits_16(&param_rows[param]) ? param : -1;
}

static uint16_t half(int32_t v, uint16_t address)
{
    return (uint16_t)(address % 2 == 0 ? (uint32_t)v >> 16 : (uint32_t)v);
}

static uint16_t result_of_store(const struct uds *u)
{
    if (u->params->held)
        return STORE_WORKS;
    return u->last_store == BIU_NVM_DONE ? STORE_DONE : u->last_store == BIU_NVM_FAILED ? STORE_FAILED : STORE_NONE;
}

static int read_holding(const struct uds *u, uint16_t address, uint16_t *value)
{
    const struct modbus_row *row = modbus_row_at(modbus_holdings, modbus_holding_count, address);
    int param;

    if (row) {
        bool soc = row->what == MODBUS_SOC_SET && u->soc;

        *value = soc ? (uint16_t)soc_calibrated(u->soc) : row->what == MODBUS_RESULT ? result_of_store(u) : 0;
        return 0;
    }
    if ((param = param_of_16(address)) >= 0)
        *value = (uint16_t)u->params->running[param];
    else if ((param = param_of_pair(address, MODBUS_PARAM_RUNNING)) >= 0)
        *value = half(u->params->running[param], address);
    else if ((param = param_of_pair(address, MODBUS_PARAM_STORED)) >= 0)
        *value = half(u->params->stored[param], address);
    else
        return -MODBUS_ILLEGAL_ADDRESS;
    return 0;
}

/* --- writing --- */

static int write_command(struct uds *u, uint16_t value)
{
    if (value != STORE)
        return -MODBUS_ILLEGAL_VALUE;
    return uds_store(u) ? -MODBUS_FAILURE : 0;
}

/* The running value that `left` registers at `address` set, and how many of them they are; or a negative exception code. */
static int find_write(uint16_t address, const uint8_t *data, unsigned left, enum param *param, int32_t *value)
{
    int found = param_of_16(address), registers = 1;

    if (found >= 0) {
        *value = param_rows[found].min < 0 ? (int16_t)get_be16(data) : get_be16(data);
    } else {
        found = param_of_pair(address, MODBUS_PARAM_RUNNING);
        registers = 2;
        if (found < 0 || address % 2 != 0 || left < 2) /* half a value cannot be written */
            return -MODBUS_ILLEGAL_ADDRESS;
        *value = (int32_t)get_be32(data);
    }
    *param = (enum param)found;
    return params_check(*param, *value) == BMS_ERR_OK ? registers : -MODBUS_ILLEGAL_VALUE;
}

static int write_params(struct uds *u, uint16_t address, const uint8_t *data, unsigned count, bool really)
{
    for (unsigned i = 0; i < count;) {
        enum param param;
        int32_t value;
        int n = find_write((uint16_t)(address + i), data + 2 * i, count - i, &param, &value);

        if (n < 0)
            return n;
        if (really)
            (void)params_set(u->params, param, value);
        i += (unsigned)n;
    }
    return 0;
}

static int write_registers(struct uds *u, uint16_t address, const uint8_t *data, unsigned count)
{
    const struct modbus_row *row = modbus_row_at(modbus_holdings, modbus_holding_count, address);

    if (u->params->running[PARAM_write_needs_key])
        return -MODBUS_ILLEGAL_FUNCTION;
    if (row && (count != 1 || row->what == MODBUS_RESULT))
        return -MODBUS_ILLEGAL_ADDRESS;
    if (row && row->what == MODBUS_SOC_SET)
        return u->soc && soc_set(u->soc, get_be16(data)) == BMS_ERR_OK ? 0 : -MODBUS_ILLEGAL_VALUE;
    if (u->params->held) /* no value changes while all are being stored */
        return -MODBUS_BUSY;
    if (row)
        return write_command(u, get_be16(data));
    int no = write_params(u, address, data, count, false);

    return no ? no : write_params(u, address, data, count, true);
}

/* --- functions --- */

static int read_registers(const struct uds *u, modbus_reader *read, const uint8_t *pdu, size_t n, uint8_t *out)
{
    unsigned address, count;

    if (n != 5)
        return -MODBUS_ILLEGAL_VALUE;
    address = get_be16(pdu + 1);
    count = get_be16(pdu + 3);
    if (count == 0 || count > MODBUS_READ_MAX)
        return -MODBUS_ILLEGAL_VALUE;
    if (address + count > 0x10000)
        return -MODBUS_ILLEGAL_ADDRESS;
    for (unsigned i = 0; i < count; i++) {
        uint16_t value;
        int no = read(u, (uint16_t)(address + i), &value);

        if (no)
            return no;
        put_be16(out + 2 + 2 * i, value);
    }
    out[1] = (uint8_t)(2 * count);
    return (int)(2 + 2 * count);
}

static int write_one(struct uds *u, const uint8_t *pdu, size_t n, uint8_t *out)
{
    int no = n == 5 ? write_registers(u, get_be16(pdu + 1), pdu + 3, 1) : -MODBUS_ILLEGAL_VALUE;

    memcpy(out, pdu, n < 5 ? n : 5);
    return no ? no : 5;
}

static int write_many(struct uds *u, const uint8_t *pdu, size_t n, uint8_t *out)
{
    unsigned count = n > 6 ? get_be16(pdu + 3) : 0;

    if (count == 0 || count > MODBUS_WRITE_MAX || pdu[5] != 2 * count || n != 6 + 2 * count)
        return -MODBUS_ILLEGAL_VALUE;
    if (get_be16(pdu + 1) + count > 0x10000)
        return -MODBUS_ILLEGAL_ADDRESS;
    int no = write_registers(u, get_be16(pdu + 1), pdu + 6, count);

    memcpy(out, pdu, 5);
    return no ? no : 5;
}

/* Read device identification (43/14): basic and regular objects, as a stream or one by one. */
static int identify(const uint8_t *pdu, size_t n, uint8_t *out)
{
    enum { BASIC = 1, REGULAR = 2, EXTENDED = 3, ONE = 4, CONFORMITY = 0x82, HEAD = 7 };
    static const struct {
        uint8_t id;
        const char *text;
    } objects[] = { { 0, "Cellwarden" }, { 1, "BIU" }, { 2, CW_VERSION }, { 4, "battery integrated-management unit" } };
    size_t at = HEAD;
    bool found = false;

    if (n != 4 || pdu[1] != MODBUS_MEI_DEVICE)
        return n < 2 || pdu[1] == MODBUS_MEI_DEVICE ? -MODBUS_ILLEGAL_VALUE : -MODBUS_ILLEGAL_FUNCTION;
    if (pdu[2] < BASIC || pdu[2] > ONE)
        return -MODBUS_ILLEGAL_VALUE;
    out[6] = 0;
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        bool known = pdu[3] <= 2 || pdu[3] == 4; /* a stream that begins with another object begins with the first */
        bool wanted =
            pdu[2] == ONE ? objects[i].id == pdu[3] : (!known || objects[i].id >= pdu[3]) && (pdu[2] != BASIC || objects[i].id <= 2);
        size_t len = strlen(objects[i].text);

        if (!wanted)
            continue;
        found = true;
        out[6]++;
        out[at] = objects[i].id;
        out[at + 1] = (uint8_t)len;
        memcpy(out + at + 2, objects[i].text, len);
        at += 2 + len;
    }
    memcpy(out + 1, (const uint8_t[]) { MODBUS_MEI_DEVICE, pdu[2], CONFORMITY, 0, 0 }, 5);
    return found ? (int)at : -MODBUS_ILLEGAL_ADDRESS;
}

size_t modbus_answer(struct uds *u, const uint8_t *pdu, size_t n, uint8_t *out)
{
    int len;

    switch (pdu[0]) {
    case MODBUS_READ_HOLDING:
        len = read_registers(u, read_holding, pdu, n, out);
        break;
    case MODBUS_READ_INPUT:
        len = read_registers(u, modbus_read_input, pdu, n, out);
        break;
    case MODBUS_WRITE_ONE:
        len = write_one(u, pdu, n, out);
        break;
    case MODBUS_WRITE_MANY:
        len = write_many(u, pdu, n, out);
        break;
    case MODBUS_ENCAPSULATED:
        len = identify(pdu, n, out);
        break;
    default:
        len = -MODBUS_ILLEGAL_FUNCTION;
        break;
    }
    out[0] = pdu[0];
    if (len >= 0)
        return (size_t)len;
    out[0] |= REFUSED;
    out[1] = (uint8_t)-len;
    return 2;
}
