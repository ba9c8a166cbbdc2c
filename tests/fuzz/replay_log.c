/* SPDX-License-Identifier: Apache-2.0 */
/* Any file as a log, plain or compressed: it is accepted whole or refused with a reason, and what is accepted reads the same again. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/err.h"
#include "sim/replay_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct replay_log log;
    char path[64];
    int fd = memfd_create("log", 0);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (replay_open(&log, path) == BMS_ERR_OK) {
        uint32_t rows = 0;

        while (replay_next(&log) == 1)
            rows++;
        if (rows != log.rows || rows == 0 || log.cells < PACK_CELLS_MIN || log.cells > PACK_CELLS_MAX)
            abort();
        for (int i = 0; i < log.cells; i++) {
            if (!(log.row.cell_mV[i] >= 0 && log.row.cell_mV[i] <= 5000))
                abort();
        }
        replay_close(&log);
    } else if (!log.error[0] || log.file) {
        abort();
    }
    close(fd);
    return 0;
}
