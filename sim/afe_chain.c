/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afe_chain.h"

#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "sim/probe.h"

enum { ROOM_C = 25, DATA_MAX = 6, CRC_BYTES = 2, READ_MAX = 128, ADDRESS_MASK = 0x0F };

struct command {
    uint8_t request; /* enum afe_request */
    uint8_t device;  /* with the single-device requests */
    uint8_t reg;
    const uint8_t *data;
    size_t size;
};

void afe_chain_init(struct afe_chain *chain, int chips, const uint8_t *cells, uint64_t seed)
{
    memset(chain, 0, sizeof(*chain));
    chain->chips = chips;
    chain->broken_link = AFE_LINK_WHOLE;
    chain->noise.state = seed;
    for (int i = 0; i < chips; i++) {
        struct chip *chip = &chain->chip[i];

        chip->sense.cells = cells[i];
        chip->sense.board_C = chip->die_C = ROOM_C;
        for (int k = 0; k < AFE_AUX_INPUTS; k++)
            chip->sense.aux_code[k] = PROBE_OPEN;
        chip_reset(chip);
    }
}

static int reachable(const struct afe_chain *chain)
{
    return chain->broken_link < chain->chips ? chain->broken_link : chain->chips;
}

static void answer(struct afe_chain *chain, struct chip *chip, const uint8_t *data, size_t n)
{
    size_t total = 1 + n + CRC_BYTES;

    if (n == 0 || chain->out_len + total > sizeof(chain->out)) {
        chain->overruns += n != 0;
        return;
    }
    uint8_t *p = chain->out + chain->out_len;

    p[0] = (uint8_t)(n - 1);
    memcpy(p + 1, data, n);
    put_le16(p + 1 + n, crc16_ibm(0, p, 1 + n));
    if (chip->faults.bad_crc || noise_u64(&chain->noise) % 1000 < chain->bad_crc_permille) {
        p[1] ^= 0x01;
        chip->faults.bad_crc = false;
    }
    chain->out_len += total;
}

static void report(struct afe_chain *chain, struct chip *chip)
{
    uint8_t data[2 * (AFE_CELLS_MAX + AFE_AUX_INPUTS)];
    size_t n = chip_sample(chip, &chain->noise, data);

    answer(chain, chip, data, n);
}

static void respond(struct afe_chain *chain, struct chip *chip, const struct command *c)
{
    uint8_t data[READ_MAX];
    size_t n = (c->data[0] & 0x7Fu) + 1u;

    if (c->reg == AFE_REG_CMD) {
        if (c->data[0] & AFE_CMD_SAMPLE_REPORT)
            report(chain, chip);
        return;
    }
    chip_read(chip, c->reg, data, n);
    answer(chain, chip, data, n);
}

static struct chip *chip_at(struct afe_chain *chain, unsigned address)
{
    for (int i = 0; i < reachable(chain); i++) {
        struct chip *chip = &chain->chip[i];

        if (chip->addressed && chip_address(chip) == address)
            return chip;
    }
    return NULL;
}

/* The highest address first; a scan names the highest that shall answer. */
static void respond_all(struct afe_chain *chain, const struct command *c)
{
    unsigned highest = c->reg == AFE_REG_CMD ? c->data[0] & ADDRESS_MASK : ADDRESS_MASK;

    for (unsigned address = highest + 1; address-- > 0;) {
        struct chip *chip = chip_at(chain, address);

        if (chip)
            respond(chain, chip, c);
    }
}

/* The first chip that waits for an address takes it and does not pass it on. */
static void hand_out_address(struct afe_chain *chain, const struct command *c)
{
    for (int i = 0; i < reachable(chain); i++) {
        struct chip *chip = &chain->chip[i];

        if (chip->addressing) {
            chip_write(chip, AFE_REG_ADDR, c->data, 1);
            return;
        }
    }
}

/* A chip without an address hears only what gives it one. */
static void write_all(struct afe_chain *chain, const struct command *c)
{
    if (c->reg == AFE_REG_ADDR) {
        hand_out_address(chain, c);
        return;
    }
    for (int i = 0; i < reachable(chain); i++) {
        struct chip *chip = &chain->chip[i];

        if (chip->addressed || c->reg == AFE_REG_DEV_CTRL)
            chip_write(chip, c->reg, c->data, c->size);
    }
}

static void run(struct afe_chain *chain, const struct command *c)
{
    struct chip *chip = c->request <= AFE_SINGLE ? chip_at(chain, c->device) : NULL;

    switch (c->request) {
    case AFE_SINGLE_RESPOND:
        if (chip)
            respond(chain, chip, c);
        break;
    case AFE_SINGLE:
        if (chip && c->reg != AFE_REG_ADDR)
            chip_write(chip, c->reg, c->data, c->size);
        break;
    case AFE_BROADCAST_RESPOND:
        respond_all(chain, c);
        break;
    default:
        write_all(chain, c);
        break;
    }
}

/* Bytes of the frame that begins with this byte, or 0 when none can. */
static size_t frame_length(uint8_t init)
{
    unsigned request = init >> 4 & 7u;
    unsigned size = init & 0x0Fu;
    bool single = request <= AFE_SINGLE;

    if (!(init & AFE_INIT_COMMAND) || size < 1 || size > DATA_MAX || (!single && request < AFE_BROADCAST_RESPOND))
        return 0;
    return 1u + single + 1u + size + CRC_BYTES;
}

static void whole_frame(struct afe_chain *chain, size_t n)
{
    const uint8_t *p = chain->in;
    bool single = (p[0] >> 4 & 7u) <= AFE_SINGLE;
    struct command c = {
        .request = p[0] >> 4 & 7u, .device = single ? p[1] : 0, .reg = p[1 + single], .data = p + 2 + single, .size = p[0] & 0x0Fu
    };

    if (crc16_ibm(0, p, n) == 0) {
        run(chain, &c);
        return;
    }
    for (int i = 0; i < reachable(chain); i++)
        chip_count_bad_frame(&chain->chip[i]);
}

void afe_chain_write(struct afe_chain *chain, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        chain->in[chain->in_len++] = data[i];
        size_t want = frame_length(chain->in[0]);

        if (want == 0) {
            chain->skipped++;
            chain->in_len = 0;
        } else if (chain->in_len == want) {
            whole_frame(chain, want);
            chain->in_len = 0;
        }
    }
}

size_t afe_chain_read(struct afe_chain *chain, uint8_t *buf, size_t size)
{
    size_t n = chain->out_len < size ? chain->out_len : size;

    memcpy(buf, chain->out, n);
    memmove(chain->out, chain->out + n, chain->out_len - n);
    chain->out_len -= n;
    return n;
}

bool afe_chain_fault(const struct afe_chain *chain)
{
    if (chain->broken_link < chain->chips)
        return true;
    for (int i = 0; i < chain->chips; i++) {
        const struct chip *chip = &chain->chip[i];

        if (!chip->addressed || chip->reg[AFE_REG_FAULT_SUM] || chip->reg[AFE_REG_FAULT_SUM + 1])
            return true;
    }
    return false;
}

void afe_chain_step(struct afe_chain *chain, uint32_t ms)
{
    chain->in_len = 0; /* a silence ends a frame that was cut short */
    for (int i = 0; i < chain->chips; i++)
        chip_step(&chain->chip[i], ms);
}

void afe_chain_bypass(const struct afe_chain *chain, uint16_t bits[PACK_CELLS_MAX / 16])
{
    unsigned cell = 0;

    memset(bits, 0, sizeof(bits[0]) * (PACK_CELLS_MAX / 16));
    for (int i = 0; i < chain->chips; i++) {
        uint16_t on = chip_bypass(&chain->chip[i]);

        for (unsigned k = 0; k < chain->chip[i].sense.cells; k++, cell++) {
            if (on >> k & 1)
                bits[cell / 16] |= (uint16_t)(1u << cell % 16);
        }
    }
}
