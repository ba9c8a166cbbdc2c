/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/slot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"

enum { PAGE = 4096 };

static int read_at(void *ctx, uint32_t offset, uint8_t *buf, size_t n)
{
    const struct slot_file *slot = ctx;

    return pread(slot->fd, buf, n, (off_t)offset) == (ssize_t)n ? BMS_ERR_OK : BMS_ERR_IO;
}

static int write_at(void *ctx, uint32_t offset, const uint8_t *data, size_t n)
{
    const struct slot_file *slot = ctx;
    uint8_t was[PAGE];

    for (size_t at = 0; at < n; at += PAGE) {
        size_t some = n - at < PAGE ? n - at : PAGE;

        if (read_at(ctx, offset + (uint32_t)at, was, some) != BMS_ERR_OK)
            return BMS_ERR_IO;
        for (size_t i = 0; i < some; i++)
            if (was[i] != 0xFF)
                return BMS_ERR_IO;
    }
    return pwrite(slot->fd, data, n, (off_t)offset) == (ssize_t)n ? BMS_ERR_OK : BMS_ERR_IO;
}

static int erase(void *ctx)
{
    const struct slot_file *slot = ctx;
    uint8_t erased[PAGE];

    memset(erased, 0xFF, sizeof(erased));
    for (off_t at = 0; at < SLOT_FILE_SIZE; at += PAGE)
        if (pwrite(slot->fd, erased, sizeof(erased), at) != PAGE)
            return BMS_ERR_IO;
    return BMS_ERR_OK;
}

int slot_file_open(struct slot_file *slot, const char *path)
{
    *slot = (struct slot_file) { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) };
    slot->port = (struct slot_port) { .ctx = slot, .size = SLOT_FILE_SIZE, .erase = erase, .write = write_at, .read = read_at };
    if (slot->fd < 0)
        return BMS_ERR_IO;
    if (lseek(slot->fd, 0, SEEK_END) >= SLOT_FILE_SIZE || erase(slot) == BMS_ERR_OK)
        return BMS_ERR_OK;
    int why = errno;

    slot_file_close(slot);
    errno = why;
    return BMS_ERR_IO;
}

void slot_file_close(struct slot_file *slot)
{
    if (slot->fd >= 0)
        close(slot->fd);
    slot->fd = -1;
}
