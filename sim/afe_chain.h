/* SPDX-License-Identifier: Apache-2.0 */
/* afe_chain.h -- the daisy chain of simulated AFE chips: command bytes in, answer bytes out, and a fault line (proto/afe.h).
 *
 * Bytes that make no frame are skipped one by one until one does. Chips behind a broken link neither hear nor answer.
 */
#ifndef SIM_AFE_CHAIN_H
#define SIM_AFE_CHAIN_H

#include "sim/chip.h"

enum { AFE_CHAIN_OUT_MAX = 4096, AFE_LINK_WHOLE = AFE_DEVICES_MAX };

struct afe_chain {
    struct chip chip[AFE_DEVICES_MAX]; /* from the BIU on */
    int chips;
    int broken_link;           /* injected: link k lies before chip k; AFE_LINK_WHOLE = none */
    unsigned bad_crc_permille; /* injected: share of answers with a wrong CRC */
    struct noise noise;
    uint8_t in[AFE_COMMAND_MAX];
    size_t in_len;
    uint8_t out[AFE_CHAIN_OUT_MAX];
    size_t out_len;
    uint32_t skipped, overruns; /* bytes outside frames; answers that nobody fetched */
};

/* Power-on of `chips` chips with cells[i] cells each. */
void afe_chain_init(struct afe_chain *chain, int chips, const uint8_t *cells, uint64_t seed);

/* n bytes from the BIU; the answers can be read at once. */
void afe_chain_write(struct afe_chain *chain, const uint8_t *data, size_t n);

/* Up to size bytes of the answers, in order; returns how many. */
size_t afe_chain_read(struct afe_chain *chain, uint8_t *buf, size_t size);

/* The fault line: a chip with a fault, a chip without an address, or a broken link. */
bool afe_chain_fault(const struct afe_chain *chain);

void afe_chain_step(struct afe_chain *chain, uint32_t ms);

/* Bypasses of the whole pack: bit i of element k = cell 16 k + i + 1, counted through partly filled chips. */
void afe_chain_bypass(const struct afe_chain *chain, uint16_t bits[PACK_CELLS_MAX / 16]);

#endif
