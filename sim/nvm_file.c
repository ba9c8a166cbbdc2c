/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/nvm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "firmware/app/nvm.h"

static int read_at(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    const struct nvm_file *nvm = ctx;

    while (n > 0) {
        ssize_t got = pread(nvm->fd, buf, n, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return BMS_ERR_IO;
        buf += got;
        offset += (size_t)got;
        n -= (size_t)got;
    }
    return BMS_ERR_OK;
}

static int write_at(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    const struct nvm_file *nvm = ctx;

    while (n > 0) {
        ssize_t done = pwrite(nvm->fd, data, n, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return BMS_ERR_IO;
        data += done;
        offset += (size_t)done;
        n -= (size_t)done;
    }
    return fdatasync(nvm->fd) == 0 ? BMS_ERR_OK : BMS_ERR_IO;
}

/* A new board: memory that was never written. */
static int fill_erased(struct nvm_file *nvm, off_t from)
{
    uint8_t erased[256];
    int err = BMS_ERR_OK;

    memset(erased, 0xFF, sizeof(erased));
    for (size_t at = (size_t)from; at < NVM_SIZE && !err; at += sizeof(erased)) { /* few, and only once */
        size_t left = NVM_SIZE - at;

        err = write_at(nvm, at, erased, left < sizeof(erased) ? left : sizeof(erased));
    }
    return err;
}

int nvm_file_open(struct nvm_file *nvm, const char *path)
{
    struct stat st;

    *nvm = (struct nvm_file) { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) };
    nvm->port = (struct nvm_port) { .ctx = nvm, .size = NVM_SIZE, .read = read_at, .write = write_at };
    if (nvm->fd < 0)
        return BMS_ERR_IO;
    if (fstat(nvm->fd, &st) == 0 && (st.st_size >= NVM_SIZE || fill_erased(nvm, st.st_size) == BMS_ERR_OK))
        return BMS_ERR_OK;
    int why = errno;

    nvm_file_close(nvm);
    errno = why;
    return BMS_ERR_IO;
}

void nvm_file_close(struct nvm_file *nvm)
{
    if (nvm->fd >= 0)
        close(nvm->fd);
    nvm->fd = -1;
}
