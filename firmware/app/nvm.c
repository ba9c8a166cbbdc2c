/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/app/nvm.h"

#include <stddef.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "common/err.h"
#include "firmware/app/nvm_place.h"
#include "firmware/core/store/params.h"

enum { HEAD_SIZE = 4 + 4 + 4 + 2, PAIR_SIZE = 2 + 4, CRC_SIZE = 4, PAIRS_MAX = (NVM_SLOT_SIZE - HEAD_SIZE - CRC_SIZE) / PAIR_SIZE };
#define MAGIC 0x314E5743u /* "CWN1" */

_Static_assert((int)PARAMS <= (int)PAIRS_MAX, "every parameter fits into a slot");

static size_t up_to(size_t n, size_t unit)
{
    return unit ? (n + unit - 1) / unit * unit : n;
}

struct nvm_layout nvm_layout_of(const struct nvm_port *port)
{
    size_t slot = up_to(NVM_SLOT_SIZE, port->erase_size), unit = port->erase_size ? port->erase_size : NVM_KEY_STRIDE;

    size_t code = up_to(NVM_CODE_STRIDE, port->erase_size), code_offset = NVM_SLOTS * slot + 2 * unit;

    return (struct nvm_layout) { .slot = slot,
                                 .key_offset = NVM_SLOTS * slot,
                                 .key_unit = unit,
                                 .code_offset = code_offset,
                                 .code_unit = code,
                                 .size = code_offset + 2 * code };
}

struct slot {
    int status; /* 0, or why it does not count, as nvm_load() */
    uint32_t sequence, boot;
    unsigned pairs;
    uint8_t bytes[NVM_SLOT_SIZE];
};

static int check(struct slot *s)
{
    struct reader r = reader_of(s->bytes, sizeof(s->bytes));

    if (nvm_is_blank(s->bytes, sizeof(s->bytes)))
        return BMS_ERR_UNKNOWN;
    if (read_le32(&r) != MAGIC)
        return BMS_ERR_CORRUPT;
    s->sequence = read_le32(&r);
    s->boot = read_le32(&r);
    s->pairs = read_le16(&r);
    if (s->pairs > PAIRS_MAX)
        return BMS_ERR_CORRUPT;
    size_t n = HEAD_SIZE + s->pairs * PAIR_SIZE;

    return crc32c(0, s->bytes, n) == get_le32(s->bytes + n) ? BMS_ERR_OK : BMS_ERR_CORRUPT;
}

static void read_slot(const struct nvm_port *port, unsigned which, struct slot *s)
{
    int err = port->read(port->ctx, which * nvm_layout_of(port).slot, s->bytes, sizeof(s->bytes));

    s->status = err ? BMS_ERR_IO : check(s);
}

/* What the slot does not have, or has out of its row, becomes the default of the chemistry that it names. */
static void unpack(const struct slot *s, struct nvm_image *image)
{
    bool known[PARAMS] = { false };
    int32_t value[PARAMS] = { 0 };
    uint16_t replaced = 0;

    for (unsigned i = 0; i < s->pairs; i++) {
        const uint8_t *pair = s->bytes + HEAD_SIZE + (size_t)i * PAIR_SIZE;
        int param = param_by_id(get_le16(pair));

        if (param < 0)
            continue;
        value[param] = (int32_t)get_le32(pair + 2);
        known[param] = params_check((enum param)param, value[param]) == BMS_ERR_OK;
    }
    enum chemistry chemistry = known[PARAM_chemistry] ? (enum chemistry)value[PARAM_chemistry] : CHEMISTRY_NMC;

    params_defaults(chemistry, image->params);
    for (int i = 0; i < PARAMS; i++) {
        if (known[i])
            image->params[i] = value[i];
        else
            replaced++;
    }
    image->replaced = replaced;
}

int nvm_load(struct nvm *nvm, const struct nvm_port *port, struct nvm_image *image)
{
    struct slot slot; /* one at a time: stacks are small */
    int status = BMS_ERR_UNKNOWN;
    bool found = false;

    *nvm = (struct nvm) { .port = port };
    image->replaced = 0;
    for (unsigned i = 0; i < NVM_SLOTS; i++) {
        read_slot(port, i, &slot);
        if (slot.status != BMS_ERR_OK)
            status = nvm_worse(status, slot.status);
        if (slot.status != BMS_ERR_OK || (found && (int32_t)(slot.sequence - nvm->sequence) <= 0)) /* sequences may wrap */
            continue;
        found = true;
        nvm->sequence = slot.sequence;
        nvm->boot = slot.boot;
        nvm->next_slot = 1 - i;
        unpack(&slot, image);
    }
    return found ? BMS_ERR_OK : status;
}

static int erase_slot(const struct nvm_port *port, size_t at)
{
    size_t slot = nvm_layout_of(port).slot;

    for (size_t done = 0; port->erase_size && done < slot; done += port->erase_size)
        if (port->erase(port->ctx, at + done) != BMS_ERR_OK)
            return BMS_ERR_IO;
    return BMS_ERR_OK;
}

int nvm_store(struct nvm *nvm, const int32_t *params)
{
    const struct nvm_port *port = nvm->port;
    uint8_t bytes[HEAD_SIZE + PARAMS * PAIR_SIZE + CRC_SIZE + NVM_PROGRAM_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    write_le32(&w, MAGIC);
    write_le32(&w, nvm->sequence + 1);
    write_le32(&w, nvm->boot);
    write_le16(&w, PARAMS);
    for (int i = 0; i < PARAMS; i++) {
        write_le16(&w, param_rows[i].id);
        write_le32(&w, (uint32_t)params[i]);
    }
    write_le32(&w, crc32c(0, bytes, writer_used(&w)));
    size_t at = nvm->next_slot * nvm_layout_of(port).slot, n = writer_used(&w);

    memset(bytes + n, 0xFF, sizeof(bytes) - n);
    if (erase_slot(port, at) != BMS_ERR_OK || port->write(port->ctx, at, bytes, up_to(n, port->program_size)) != BMS_ERR_OK)
        return BMS_ERR_IO; /* the slot is spoiled, and is the one to be written again */
    nvm->sequence++;
    nvm->next_slot = 1 - nvm->next_slot;
    return BMS_ERR_OK;
}
