/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the block of a recorded BIU, and what can be read of them given to a BIU: refused, or played to its end. */
#include <stdlib.h>

#include "common/err.h"
#include "firmware/core/biu/biu_log.h"

enum { RING = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct biu_log_reader log;
    static struct biu biu;
    static struct biu_out out;
    static struct sample ring[RING];
    struct reader r = reader_of(data, size);
    bool running = false;
    int record;

    biu_log_reader_init(&log);
    while ((record = biu_log_next(&log, &r)) > 0) {
        if (record == BIU_LOG_START) {
            struct biu_config cfg = log.config;

            cfg.ring = ring;
            cfg.ring_size = RING;
            (void)biu_init(&biu, &cfg, log.now_ms);
            running = true;
        }
        if (log.in.can_rx_count > BIU_LOG_FRAMES_MAX || log.in.afe_rx_len > BIU_LOG_BYTES_MAX)
            abort();
        if (running && record == BIU_LOG_WAKE)
            biu_wake(&biu, log.now_ms);
        if (running && record == BIU_LOG_STEP)
            biu_step(&biu, &log.in, &out);
    }
    if (record != BIU_LOG_NONE && record != BMS_ERR_CORRUPT && record != BMS_ERR_SCHEMA)
        abort();
    return 0;
}
