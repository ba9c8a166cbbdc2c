/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/chip.h"

#include <string.h>

#include "common/bytes.h"

enum { ADDRESS_MAX = 15 };

static const double self_K = 12, bypass_K = 4; /* above the board: the chip itself, and each bypass that is on */
static const double die_tau_ms = 20000;

void chip_reset(struct chip *chip)
{
    memset(chip->reg, 0, sizeof(chip->reg));
    chip->reg[AFE_REG_NCHAN] = AFE_CELLS_MAX;
    chip->reg[AFE_REG_STATUS] = AFE_STATUS_RESET;
    chip->addressed = false;
    chip->addressing = false;
    chip->balance_left_ms = 0;
}

static void start_balancing(struct chip *chip)
{
    chip->balance_left_ms = chip->reg[AFE_REG_CBTIME] * 1000u;
}

static void write_one(struct chip *chip, uint8_t reg, uint8_t v)
{
    switch (reg) {
    case AFE_REG_CHANNELS:
    case AFE_REG_CHANNELS + 1:
    case AFE_REG_CHANNELS + 2:
    case AFE_REG_CHANNELS + 3:
    case AFE_REG_NCHAN:
    case AFE_REG_CBTIME:
        chip->reg[reg] = v;
        break;
    case AFE_REG_CBENBL:
    case AFE_REG_CBENBL + 1:
        chip->reg[reg] = v;
        start_balancing(chip);
        break;
    case AFE_REG_DEV_CTRL:
        if (v & AFE_DEV_CTRL_AUTO_ADDRESS) {
            chip->addressing = true;
            chip->addressed = false;
        }
        break;
    case AFE_REG_ADDR:
        if (chip->addressing && v <= ADDRESS_MAX) {
            chip->reg[reg] = v;
            chip->addressing = false;
            chip->addressed = true;
        }
        break;
    case AFE_REG_STATUS:
    case AFE_REG_FAULT_SUM:
    case AFE_REG_FAULT_SUM + 1:
        chip->reg[reg] &= (uint8_t)~v;
        break;
    case AFE_REG_FAULT_COM:
    case AFE_REG_FAULT_COM + 1:
        chip->reg[reg] = 0;
        break;
    default:
        break;
    }
}

void chip_write(struct chip *chip, uint8_t reg, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n && reg + i < CHIP_REGISTERS; i++)
        write_one(chip, (uint8_t)(reg + i), data[i]);
}

void chip_read(const struct chip *chip, uint8_t reg, uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        data[i] = reg + i < CHIP_REGISTERS ? chip->reg[reg + i] : 0;
}

/* What the pins show of cell k when sense wires are broken: the wire's input floats to the far end, so the cell below it seems to hold both
 * voltages and the cell above nothing. */
static double seen_mV(const struct chip *chip, unsigned k)
{
    const struct chip_sense *s = &chip->sense;
    bool below = chip->faults.open_taps >> k & 1;
    bool above = chip->faults.open_taps >> (k + 1) & 1;

    if (k >= s->cells || below)
        return 0;
    if (!above)
        return s->cell_mV[k];
    return k + 1 < s->cells ? s->cell_mV[k] + s->cell_mV[k + 1] : 0;
}

static uint16_t code_of(double mV)
{
    double code = mV * 65536 / AFE_FULL_SCALE_mV + 0.5;

    if (code < 0)
        return 0;
    return code < 65535 ? (uint16_t)code : 65535;
}

static void measure(struct chip *chip, struct noise *noise)
{
    memcpy(chip->was_mV, chip->sense.cell_mV, sizeof(chip->was_mV));
    for (unsigned k = 0; k < AFE_CELLS_MAX; k++) {
        if (chip->faults.stuck_cells >> k & 1)
            continue;
        double mV = seen_mV(chip, k);

        if (chip->noise_mV > 0 && mV > 0)
            mV += chip->noise_mV * noise_normal(noise);
        chip->code[k] = code_of(mV);
    }
}

static uint16_t die_code(const struct chip *chip)
{
    double C = chip->faults.die_C != 0 ? chip->faults.die_C : chip->die_C;

    return code_of(AFE_DIE_0_C_mV + C * 1e6 / AFE_DIE_mK_PER_V);
}

size_t chip_sample(struct chip *chip, struct noise *noise, uint8_t *data)
{
    uint32_t channels = get_be32(&chip->reg[AFE_REG_CHANNELS]);
    size_t n = 0;

    measure(chip, noise);
    for (unsigned k = AFE_CELLS_MAX; k-- > 0;) {
        if (channels >> (16 + k) & 1) {
            put_be16(data + n, chip->code[k]);
            n += 2;
        }
    }
    for (unsigned k = AFE_AUX_INPUTS; k-- > 0;) {
        if (channels >> (8 + k) & 1) {
            put_be16(data + n, chip->sense.aux_code[k]);
            n += 2;
        }
    }
    if (channels & AFE_CHANNEL_DIE) {
        put_be16(data + n, die_code(chip));
        n += 2;
    }
    return n;
}

void chip_count_bad_frame(struct chip *chip)
{
    uint16_t count = get_be16(&chip->reg[AFE_REG_FAULT_COM]);

    if (count < UINT16_MAX)
        put_be16(&chip->reg[AFE_REG_FAULT_COM], (uint16_t)(count + 1));
    chip->reg[AFE_REG_FAULT_SUM + 1] |= CHIP_FAULT_COM;
}

static unsigned count_bits(unsigned bits)
{
    unsigned n = 0;

    for (; bits; bits &= bits - 1)
        n++;
    return n;
}

void chip_step(struct chip *chip, uint32_t ms)
{
    double toward_C = chip->sense.board_C + self_K + bypass_K * count_bits(chip_bypass(chip));

    chip->die_C += (toward_C - chip->die_C) * (ms < die_tau_ms ? ms / die_tau_ms : 1);
    if (chip->balance_left_ms == 0)
        return;
    chip->balance_left_ms = chip->balance_left_ms > ms ? chip->balance_left_ms - ms : 0;
    if (chip->balance_left_ms == 0)
        put_be16(&chip->reg[AFE_REG_CBENBL], 0);
}

uint16_t chip_bypass(const struct chip *chip)
{
    return get_be16(&chip->reg[AFE_REG_CBENBL]);
}

uint8_t chip_address(const struct chip *chip)
{
    return chip->reg[AFE_REG_ADDR];
}
