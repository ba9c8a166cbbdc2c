/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/port/posix/flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/err.h"

enum { CHUNK = 1024 };

/* Stored by write and not through the mapping, so that a full disk is an error and not a signal. */
static int store(const struct flash_file *f, uint64_t at, const uint8_t *data, size_t n)
{
    while (n > 0) {
        ssize_t done = pwrite(f->fd, data, n, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return BMS_ERR_IO;
        data += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return BMS_ERR_OK;
}

static uint64_t count_at(const struct flash_file *f, uint32_t sector)
{
    const struct flash_geometry *g = &f->port.geometry;

    return (uint64_t)g->sector_size * g->sector_count + 4u * (uint64_t)sector;
}

static bool is_inside(const struct flash_file *f, uint32_t address, uint32_t n)
{
    const struct flash_geometry *g = &f->port.geometry;

    return (uint64_t)address + n <= (uint64_t)g->sector_size * g->sector_count;
}

/* A hole stays a hole: only what is not blank is written. */
static int erase(void *ctx, uint32_t sector)
{
    static const uint8_t blank[CHUNK];
    struct flash_file *f = ctx;
    uint32_t size = f->port.geometry.sector_size;
    uint64_t base = (uint64_t)sector * size;
    uint8_t count[4];
    int err = sector < f->port.geometry.sector_count ? BMS_ERR_OK : BMS_ERR_RANGE;

    for (uint32_t i = 0; !err && i < size; i += CHUNK) {
        uint32_t n = size - i < CHUNK ? size - i : CHUNK;

        if (memcmp(f->map + base + i, blank, n) != 0)
            err = store(f, base + i, blank, n);
    }
    if (err)
        return err;
    put_le32(count, flash_file_erased(f, sector) + 1);
    return store(f, count_at(f, sector), count, sizeof(count));
}

static bool may_program(const uint8_t *map, const uint8_t *data, uint32_t unit)
{
    bool erased = true, zeros = true;

    for (uint32_t i = 0; i < unit; i++) {
        erased = erased && map[i] == 0;
        zeros = zeros && data[i] == 0;
    }
    return erased || zeros;
}

static int program(void *ctx, uint32_t address, const uint8_t *data, uint32_t n)
{
    struct flash_file *f = ctx;
    uint32_t unit = f->port.geometry.write_size;

    if (!is_inside(f, address, n) || address % unit != 0 || n % unit != 0)
        return BMS_ERR_RANGE;
    for (uint32_t i = 0; i < n; i += unit)
        if (!may_program(f->map + address + i, data + i, unit))
            return BMS_ERR_STATE;
    for (uint32_t done = 0; done < n;) {
        uint8_t inverted[CHUNK];
        uint32_t k = n - done < CHUNK ? n - done : CHUNK;

        for (uint32_t i = 0; i < k; i++)
            inverted[i] = (uint8_t)~data[done + i];
        int err = store(f, address + done, inverted, k);

        if (err)
            return err;
        done += k;
    }
    return BMS_ERR_OK;
}

static int read_bytes_of(void *ctx, uint32_t address, uint8_t *out, uint32_t n)
{
    const struct flash_file *f = ctx;

    if (!is_inside(f, address, n))
        return BMS_ERR_RANGE;
    for (uint32_t i = 0; i < n; i++)
        out[i] = (uint8_t)~f->map[address + i];
    return BMS_ERR_OK;
}

static int sync_file(void *ctx)
{
    const struct flash_file *f = ctx;

    return fdatasync(f->fd) == 0 ? BMS_ERR_OK : BMS_ERR_IO;
}

static int lock(int fd)
{
    struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(fd, F_SETLK, &all) == 0)
        return BMS_ERR_OK;
    return errno == EACCES || errno == EAGAIN ? BMS_ERR_STATE : BMS_ERR_IO;
}

/* Takes the size of the file, or gives it one. */
static int settle_size(struct flash_file *f, bool *fresh)
{
    struct flash_geometry *g = &f->port.geometry;
    uint64_t per_sector = (uint64_t)g->sector_size + 4;
    struct stat st;

    if (fstat(f->fd, &st) != 0)
        return BMS_ERR_IO;
    *fresh = st.st_size == 0;
    if (!*fresh) {
        uint64_t size = (uint64_t)st.st_size;

        if (size % per_sector != 0 || size / per_sector * g->sector_size > UINT32_MAX)
            return BMS_ERR_RANGE;
        g->sector_count = (uint32_t)(size / per_sector);
    }
    f->size = per_sector * g->sector_count;
    return *fresh && ftruncate(f->fd, (off_t)f->size) != 0 ? BMS_ERR_IO : BMS_ERR_OK;
}

int flash_file_open(struct flash_file *f, const char *path, const struct flash_geometry *geometry, bool *fresh)
{
    *f = (struct flash_file) { .port = { f, *geometry, erase, program, read_bytes_of, sync_file }, .fd = -1 };
    if (geometry->write_size == 0 || geometry->sector_size % geometry->write_size != 0 || geometry->sector_count == 0 ||
        geometry->sector_size > UINT32_MAX / geometry->sector_count)
        return BMS_ERR_RANGE;
    f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->fd < 0)
        return BMS_ERR_IO;
    int err = lock(f->fd);

    if (!err)
        err = settle_size(f, fresh);
    if (!err) {
        void *map = mmap(NULL, f->size, PROT_READ, MAP_SHARED, f->fd, 0);

        err = map == MAP_FAILED ? BMS_ERR_IO : BMS_ERR_OK;
        f->map = err ? NULL : map;
    }
    if (err)
        flash_file_close(f);
    return err;
}

uint32_t flash_file_erased(const struct flash_file *f, uint32_t sector)
{
    return get_le32(f->map + count_at(f, sector));
}

void flash_file_close(struct flash_file *f)
{
    int why = errno;

    if (f->map) {
        fdatasync(f->fd);
        munmap((void *)(uintptr_t)f->map, f->size);
    }
    if (f->fd >= 0)
        close(f->fd);
    f->map = NULL;
    f->fd = -1;
    errno = why;
}
