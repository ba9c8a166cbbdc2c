/* SPDX-License-Identifier: Apache-2.0 */
/* truth_file.h -- a truth file (sim/truth.h) in memory, found by (boot, no). */
#ifndef TOOLS_TRUTH_FILE_H
#define TOOLS_TRUTH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct truth_entry {
    uint32_t boot, no;
    uint16_t cells, temps;
    uint32_t seen;              /* how often the database had it; for the caller */
    const uint8_t *world_mV;    /* u16[cells], little-endian */
    const uint8_t *measured_mV; /* u16[cells] */
    const uint8_t *temps_ddegC; /* i16[temps] */
};

struct truth_file {
    uint8_t *bytes; /* owned */
    size_t size;
    struct truth_entry *entries; /* owned, sorted by boot and no */
    size_t count;
    size_t repeated; /* entries with a (boot, no) that was there before: left out */
};

/* Returns 0, BMS_ERR_IO, BMS_ERR_CORRUPT (magic, sizes beyond the largest pack) or BMS_ERR_NOSPACE. A torn last entry is left out. */
int truth_load(struct truth_file *t, const char *path);
int truth_parse(struct truth_file *t); /* from bytes and size; for tests and fuzzing */
void truth_free(struct truth_file *t);

/* NULL when the file has no such sample. */
struct truth_entry *truth_find(const struct truth_file *t, uint32_t boot, uint32_t no);

#endif
