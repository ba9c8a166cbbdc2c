/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware/fake_chain.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"

uint16_t fake_raw(int mV)
{
    return (uint16_t)(((uint32_t)mV * 65536u + AFE_FULL_SCALE_mV / 2) / AFE_FULL_SCALE_mV);
}

uint16_t fake_die(int32_t ddegC)
{
    return (uint16_t)((2.287 + ddegC / 1319.44) / 5.0 * 65536 + 0.5);
}

void fake_chain_reset_chip(struct fake_chain *c, int chip)
{
    c->chip[chip].address = -1;
    c->chip[chip].channels = 0;
    c->chip[chip].nchan = 0;
    c->chip[chip].cbenbl = 0;
    c->chip[chip].status = AFE_STATUS_RESET;
}

void fake_chain_init(struct fake_chain *c, int chips, int cell_mV)
{
    memset(c, 0, sizeof(*c));
    c->chips = chips;
    for (int k = 0; k < chips; k++) {
        fake_chain_reset_chip(c, k);
        for (int i = 0; i < AFE_CELLS_MAX; i++)
            c->chip[k].cell_raw[i] = fake_raw(cell_mV);
        for (int i = 0; i < AFE_AUX_INPUTS; i++)
            c->chip[k].aux_raw[i] = 0x8000;
        c->chip[k].die_raw = fake_die(400);
    }
}

static int reachable(const struct fake_chain *c)
{
    for (int k = 0; k < c->chips; k++)
        if (c->chip[k].dead)
            return k;
    return c->chips;
}

static void answer(struct fake_chain *c, const struct fake_chip *chip, const uint8_t *data, size_t n)
{
    uint8_t *p = c->out + c->out_len;

    if (chip->mute || n == 0 || c->out_len + n + 3 > sizeof(c->out))
        return;
    p[0] = (uint8_t)(n - 1);
    memcpy(p + 1, data, n);
    put_le16(p + 1 + n, (uint16_t)(crc16_ibm(0, p, 1 + n) ^ (chip->spoil_crc ? 0x0100u : 0u)));
    c->out_len += n + 3;
}

static void answer_scan(struct fake_chain *c, const struct fake_chip *chip)
{
    uint8_t data[128];
    size_t n = 0;

    for (int cell = 16; cell >= 1; cell--)
        if (chip->channels >> (15 + cell) & 1u) {
            put_be16(data + n, chip->cell_raw[cell - 1]);
            n += 2;
        }
    for (int aux = AFE_AUX_INPUTS - 1; aux >= 0; aux--)
        if (chip->channels >> (8 + aux) & 1u) {
            put_be16(data + n, chip->aux_raw[aux]);
            n += 2;
        }
    if (chip->channels & AFE_CHANNEL_DIE) {
        put_be16(data + n, chip->die_raw);
        n += 2;
    }
    answer(c, chip, data, n);
}

/* As proto/afe.h says, in bytes. */
static size_t size_of(uint8_t reg)
{
    return reg == AFE_REG_CHANNELS ? 4 : reg == AFE_REG_CBENBL ? 2 : 1;
}

static void write_chip(struct fake_chip *chip, uint8_t reg, const uint8_t *data)
{
    switch (reg) {
    case AFE_REG_CHANNELS:
        chip->channels = get_be32(data);
        break;
    case AFE_REG_NCHAN:
        chip->nchan = data[0];
        break;
    case AFE_REG_CBTIME:
        chip->cbtime = data[0];
        break;
    case AFE_REG_CBENBL:
        chip->cbenbl = get_be16(data);
        chip->cbenbl_writes++;
        break;
    case AFE_REG_STATUS:
        chip->status = (uint8_t)(chip->status & ~data[0]);
        break;
    default:
        break;
    }
}

static void broadcast(struct fake_chain *c, uint8_t reg, const uint8_t *data)
{
    if (reg == AFE_REG_DEV_CTRL && data[0] == AFE_DEV_CTRL_AUTO_ADDRESS) {
        c->addressings++;
        for (int k = 0; k < reachable(c); k++)
            c->chip[k].address = -1;
    } else if (reg == AFE_REG_ADDR) {
        for (int k = 0; k < reachable(c); k++)
            if (c->chip[k].address < 0) {
                c->chip[k].address = data[0];
                return;
            }
    }
}

static void single(struct fake_chain *c, unsigned request, const uint8_t *f)
{
    c->probes += request == AFE_SINGLE_RESPOND && f[1] == 0;
    for (int k = 0; k < reachable(c); k++) {
        struct fake_chip *chip = &c->chip[k];

        if (chip->address != f[1])
            continue;
        if (request == AFE_SINGLE)
            write_chip(chip, f[2], f + 3);
        else if (f[2] == AFE_REG_ADDR)
            answer(c, chip, (uint8_t[2]) { (uint8_t)chip->address }, f[3] + 1u);
    }
}

/* A whole frame with a right CRC. */
static void obey(struct fake_chain *c, const uint8_t *f)
{
    unsigned request = f[0] >> 4 & 7u;

    if (request == AFE_BROADCAST) {
        broadcast(c, f[1], f + 2);
    } else if (request == AFE_BROADCAST_RESPOND) {
        c->scans++;
        for (int k = reachable(c) - 1; k >= 0; k--)
            if (c->chip[k].address >= 0 && c->chip[k].address <= (f[2] & 0x0F))
                answer_scan(c, &c->chip[k]);
    } else {
        single(c, request, f);
    }
}

void fake_chain_receive(struct fake_chain *c, const uint8_t *p, size_t n)
{
    while (n) {
        unsigned request = p[0] >> 4 & 7u;
        size_t len = 1u + (request == AFE_SINGLE || request == AFE_SINGLE_RESPOND) + 1u + (p[0] & 0x0Fu) + 2u;

        if (!(p[0] & AFE_INIT_COMMAND) || len > n || crc16_ibm(0, p, len - 2) != get_le16(p + len - 2) ||
            (p[0] & 0x0Fu) != size_of(p[1 + (request <= AFE_SINGLE)])) {
            c->bad_commands++;
            return;
        }
        obey(c, p);
        p += len;
        n -= len;
    }
}
