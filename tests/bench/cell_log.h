/* SPDX-License-Identifier: Apache-2.0 */
/* cell_log.h -- a recorded log of one cell in memory: CSV, plain or gzip, columns found by name. May allocate.
 *
 * Columns: t_s, i_A (discharge positive), v_V; temp_C if there is one; and for the reference ah_Ah (SOC = 1 + ah / capacity),
 * soc_ref (0 to 1), or chg_Ah and dis_Ah with a Coulombic efficiency (A123). An empty field is NaN.
 */
#ifndef TESTS_BENCH_CELL_LOG_H
#define TESTS_BENCH_CELL_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_column { LOG_T, LOG_I, LOG_V, LOG_TEMP, LOG_AH, LOG_SOC, LOG_CHG, LOG_DIS, LOG_COLUMNS };

struct cell_log {
    size_t rows;
    double *value[LOG_COLUMNS]; /* [rows] each, NULL when the file has no such column */
    double *soc;                /* [rows], the reference, NULL until cell_log_refer() */
};

/* Returns 0 and owns memory, or -1 with a line on standard error. */
int cell_log_read(struct cell_log *log, const char *path);
void cell_log_free(struct cell_log *log);

/* The reference SOC. `capacity_Ah` for ah_Ah and chg/dis; `efficiency` for chg/dis alone. -1 when no column gives one. */
int cell_log_refer(struct cell_log *log, double capacity_Ah, double efficiency);

/* Capacity and efficiency of a Plett test in three parts: `path` ends in _s1.csv[.gz], its _s2 and _s3 lie beside it. False: they do not. */
bool cell_log_plett(const char *path, double *capacity_Ah, double *efficiency);

#endif
