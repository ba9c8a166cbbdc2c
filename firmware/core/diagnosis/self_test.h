/* SPDX-License-Identifier: Apache-2.0 */
/* self_test.h -- the tests of memory behind the self-check (ME-13): patterns in RAM, CRC of the program in flash. Both in slices, so that a step of
 * 10 ms can hold one, and both through access functions, so that a test can give them memory that is broken.
 */
#ifndef FIRMWARE_SELF_TEST_H
#define FIRMWARE_SELF_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SELF_RAM_BLOCK = 16, SELF_FLASH_SLICE = 256 }; /* words; bytes */

struct
    self_ram { /* words 0 to words - 1; nobody else may use a block while it is tested, so the board masks interrupts in enter and leave */
    void *ctx;
    size_t words;
    uint32_t (*read)(void *ctx, size_t word);
    void (*write)(void *ctx, size_t word, uint32_t value);
    void (*enter)(void *ctx);
    void (*leave)(void *ctx);
};

/* Test the block of up to SELF_RAM_BLOCK words that begins at `word`: every bit to 0 and to 1, against its neighbours and its address. What was
 * there is there afterwards. True when it keeps everything. */
bool self_ram_block(const struct self_ram *ram, size_t word);

struct self_flash { /* the program as it lies in flash */
    void *ctx;
    size_t size;
    uint32_t crc;                                                  /* CRC-32C of all of it, from the image */
    int (*read)(void *ctx, size_t offset, uint8_t *buf, size_t n); /* 0 or BMS_ERR_IO */
};

struct self_flash_pass {
    size_t offset;
    uint32_t crc;
};

/* One slice. Returns 0 inside a pass, 1 at the end of one whose CRC is right, or BMS_ERR_CORRUPT, or BMS_ERR_IO; then the next pass begins. */
int self_flash_slice(struct self_flash_pass *p, const struct self_flash *flash);

#endif
