/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_copy.h -- everything that the database knows of a vehicle, out into a file and in again.
 *
 * Out: one snapshot, in the order of the keys. In: the whole file is read and checked first, then staged, its records are opened one by one, and all tables
 * change in one transaction or none does. What is there already stays, so a file may come in twice. Operations that wait for their result are not taken along:
 * two servers would send them.
 */
#ifndef SERVER_VEHICLE_COPY_H
#define SERVER_VEHICLE_COPY_H

#include "server/store/db.h"

#include <stdio.h>

enum { VEHICLE_TABLES = 10 };

struct vehicle_counts { /* rows of each table, in the order of vehicle_table_name() */
    uint64_t in_file[VEHICLE_TABLES], new_rows[VEHICLE_TABLES];
};

const char *vehicle_table_name(size_t table); /* 0 to VEHICLE_TABLES - 1 */

/* Returns 0, BMS_ERR_UNKNOWN (no such vehicle), BMS_ERR_IO, BMS_ERR_RANGE (not a name); a sentence in why[size]. */
int vehicle_export(struct db *db, const char *device, FILE *file, struct vehicle_counts *counts, char *why, size_t size);

/* `file` can be read twice. `work` makes day partitions, on a connection of its own. device[DEVICE_NAME_MAX + 1]: whose file it was. Returns 0,
 * BMS_ERR_UNKNOWN, BMS_ERR_SCHEMA, BMS_ERR_TRUNCATED, BMS_ERR_CORRUPT (the file) or BMS_ERR_IO; a sentence in why[size]. */
int vehicle_import(struct db *db, struct db *work, FILE *file, char *device, struct vehicle_counts *counts, char *why, size_t size);

#endif
