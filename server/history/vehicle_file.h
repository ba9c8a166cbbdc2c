/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_file.h -- the container of a whole vehicle: what `cellwarden-vehicle export` writes and `import` reads. Written layout: docs/vehicle-file.md.
 *
 *   head   "CWVEH\r\n\x1A", u16 version, u8 n, device[n], u32 crc
 *   block  u8 kind, u32 length, bytes[length], u32 crc     kinds: TABLE (one byte: number of the table), DATA (rows, cut anywhere), END (u64: bytes of DATA)
 *
 * Little-endian. Each CRC-32C goes on from the one before, so the last one vouches for the whole file: a block that is changed, missing, doubled or moved is
 * noticed at that block. Pure: bytes come from and go to functions of the caller. No heap.
 */
#ifndef SERVER_VEHICLE_FILE_H
#define SERVER_VEHICLE_FILE_H

#include "proto/topics.h"

#include <stddef.h>
#include <stdint.h>

enum { VEHICLE_FILE_VERSION = 1, VEHICLE_BLOCK_MAX = 65536, VEHICLE_TABLES_MAX = 32 };

enum vehicle_block { VEHICLE_TABLE = 1, VEHICLE_DATA = 2, VEHICLE_END = 3 };

/* Write all of data[n]: 0 or BMS_ERR_IO. Read at most n bytes: how many, less than n at the end only. */
typedef int vehicle_write_fn(void *ctx, const void *data, size_t n);
typedef size_t vehicle_read_fn(void *ctx, void *out, size_t n);

struct vehicle_writer { /* allocated by the caller, fields private */
    vehicle_write_fn *write;
    void *ctx;
    uint32_t crc;
    uint64_t bytes;
};

/* Each returns 0, BMS_ERR_RANGE (name, number or length) or what `write` returned. Tables come in rising order, 1 to VEHICLE_TABLES_MAX. */
int vehicle_file_begin(struct vehicle_writer *w, vehicle_write_fn *write, void *ctx, const char *device);
int vehicle_file_table(struct vehicle_writer *w, uint8_t table);
int vehicle_file_data(struct vehicle_writer *w, const void *data, size_t n);
int vehicle_file_end(struct vehicle_writer *w);

struct vehicle_reader { /* allocated by the caller; about 64 kB */
    vehicle_read_fn *read;
    void *ctx;
    char device[DEVICE_NAME_MAX + 1]; /* read it */
    uint32_t crc;
    uint64_t bytes;
    uint8_t table; /* read it: of the block that was read last, 0 before the first */
    enum vehicle_block kind;
    size_t length;
    uint8_t block[VEHICLE_BLOCK_MAX]; /* read it: [length] after a DATA */
};

/* Read the head. Returns 0, BMS_ERR_UNKNOWN (no vehicle file), BMS_ERR_SCHEMA (a version that is not known), BMS_ERR_TRUNCATED, BMS_ERR_CORRUPT. */
int vehicle_file_open(struct vehicle_reader *r, vehicle_read_fn *read, void *ctx);

/* The next block. Returns 1 (a TABLE or DATA), 0 at the end that was meant, BMS_ERR_TRUNCATED or BMS_ERR_CORRUPT. */
int vehicle_file_next(struct vehicle_reader *r);

#endif
