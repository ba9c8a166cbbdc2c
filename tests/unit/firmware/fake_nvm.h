/* SPDX-License-Identifier: Apache-2.0 */
/* fake_nvm.h -- memory whose power can be cut after any byte of any write. */
#ifndef TESTS_FAKE_NVM_H
#define TESTS_FAKE_NVM_H

#include <stdbool.h>
#include <string.h>

#include "common/err.h"
#include "firmware/app/nvm.h"

struct fake_nvm {
    uint8_t bytes[NVM_SIZE];
    long bytes_left; /* that can still be written before the power goes; -1 = no end */
    unsigned writes; /* calls so far */
    bool broken;     /* every access fails */
    struct nvm_port port;
};

static inline int fake_nvm_read(void *ctx, size_t offset, uint8_t *buf, size_t n)
{
    struct fake_nvm *f = ctx;

    if (f->broken || offset + n > NVM_SIZE)
        return BMS_ERR_IO;
    memcpy(buf, f->bytes + offset, n);
    return BMS_ERR_OK;
}

static inline int fake_nvm_write(void *ctx, size_t offset, const uint8_t *data, size_t n)
{
    struct fake_nvm *f = ctx;

    f->writes++;
    if (f->broken || offset + n > NVM_SIZE)
        return BMS_ERR_IO;
    for (size_t i = 0; i < n; i++) {
        if (f->bytes_left == 0)
            return BMS_ERR_IO;
        if (f->bytes_left > 0)
            f->bytes_left--;
        f->bytes[offset + i] = data[i];
    }
    return BMS_ERR_OK;
}

static inline void fake_nvm_init(struct fake_nvm *f)
{
    memset(f->bytes, 0xFF, sizeof(f->bytes));
    f->bytes_left = -1;
    f->broken = false;
    f->port = (struct nvm_port) { .ctx = f, .size = NVM_SIZE, .read = fake_nvm_read, .write = fake_nvm_write };
}

#endif
