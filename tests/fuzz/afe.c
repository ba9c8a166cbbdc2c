/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes from the AFE chain: into the driver in steps of any size, as they come, and again with right checksums, so that the fuzzer gets
 * behind the CRC. Whatever comes, no buffer is overrun and no more is sent than a step may send. */
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc.h"
#include "firmware/core/biu/biu_io.h"
#include "firmware/core/measure/afe.h"
#include "firmware/core/measure/measure.h"
#include "firmware/core/store/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct bench {
    struct topology topology;
    struct afe afe;
    struct measure measure;
    int32_t params[PARAMS];
};

static void start(struct bench *b, uint8_t cells)
{
    params_defaults(CHEMISTRY_NMC, b->params);
    topology_plan(PACK_CELLS_MIN + cells % (PACK_CELLS_MAX - PACK_CELLS_MIN + 1), b->params);
    topology_read(b->params, &b->topology);
    afe_init(&b->afe, &b->topology);
    measure_init(&b->measure, &b->topology);
}

static void step(struct bench *b, const uint8_t *data, size_t n)
{
    uint8_t tx[BIU_AFE_TX_MAX];
    struct writer w = writer_of(tx, sizeof(tx));

    afe_step(&b->afe, &(struct afe_in) { .dt_ms = 10, .scan_ms = 20, .rx = reader_of(data, n), .fault = n % 7 == 0 }, &w);
    measure_step(&b->measure, &b->afe, b->params);
    if (w.bad || b->measure.cell.valid > b->topology.cells)
        abort();
}

/* Frames whose checksum is put right: length byte, data from the input, CRC. */
static void sealed(struct bench *b, struct reader in)
{
    uint8_t rx[16 * AFE_RESPONSE_MAX];

    while (reader_left(&in) && !in.bad) {
        struct writer w = writer_of(rx, sizeof(rx));
        unsigned frames = read_u8(&in) % 16;

        for (unsigned i = 0; i < frames && reader_left(&in); i++) {
            size_t at = writer_used(&w), size = (read_u8(&in) & 0x7Fu) + 1u;
            const uint8_t *body;

            if (size > reader_left(&in))
                size = reader_left(&in) ? reader_left(&in) : 1;
            body = read_bytes(&in, size);
            if (!body)
                break;
            write_u8(&w, (uint8_t)(size - 1));
            write_bytes(&w, body, size);
            write_le16(&w, crc16_ibm(0, rx + at, 1 + size));
        }
        step(b, rx, writer_used(&w));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bench b;
    struct reader in = reader_of(data, n);
    uint8_t cells = read_u8(&in);

    start(&b, cells);
    sealed(&b, in);
    start(&b, cells);
    while (reader_left(&in)) {
        size_t size = (size_t)read_u8(&in) * 4;

        if (size > reader_left(&in))
            size = reader_left(&in);
        step(&b, size ? read_bytes(&in, size) : data, size);
    }
    return 0;
}
