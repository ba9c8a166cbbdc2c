/* SPDX-License-Identifier: Apache-2.0 */
/* pg_functions.h -- the entry points that PostgreSQL calls by name; their SQL side is printed by gen_sql.c. */
#ifndef SERVER_PGEXT_PG_FUNCTIONS_H
#define SERVER_PGEXT_PG_FUNCTIONS_H

#include <postgres.h>

#include <fmgr.h>

extern Datum cellwarden_samples(PG_FUNCTION_ARGS);
extern Datum cellwarden_cell(PG_FUNCTION_ARGS);
extern Datum cellwarden_cell_buckets(PG_FUNCTION_ARGS);
extern Datum cellwarden_probe(PG_FUNCTION_ARGS);
extern Datum cellwarden_cells_minmax(PG_FUNCTION_ARGS);
extern Datum cellwarden_fault(PG_FUNCTION_ARGS);
extern Datum cellwarden_alarm_name(PG_FUNCTION_ARGS);

#endif
