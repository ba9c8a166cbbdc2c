/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/cell_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LINE_MAX_BYTES = 1024, FIELDS_MAX = 32, ROWS_MAX = 4000000 };

static const char *const names[LOG_COLUMNS] = { "t_s", "i_A", "v_V", "temp_C", "ah_Ah", "soc_ref", "chg_Ah", "dis_Ah" };

struct reader {
    gzFile file;
    int place[LOG_COLUMNS]; /* field of each column, -1: not there */
    size_t room;
};

static int split(char *line, char *fields[FIELDS_MAX])
{
    int n = 0;

    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at != NULL && n < FIELDS_MAX; n++) {
        fields[n] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
    }
    return n;
}

static int read_header(struct reader *r, const char *path)
{
    char line[LINE_MAX_BYTES];
    char *fields[FIELDS_MAX];
    int n = gzgets(r->file, line, sizeof line) != NULL ? split(line, fields) : 0;

    for (int c = 0; c < LOG_COLUMNS; c++) {
        r->place[c] = -1;
        for (int k = 0; k < n; k++)
            if (strcmp(fields[k], names[c]) == 0)
                r->place[c] = k;
    }
    if (r->place[LOG_T] >= 0 && r->place[LOG_I] >= 0 && r->place[LOG_V] >= 0)
        return 0;
    fprintf(stderr, "%s: no columns t_s, i_A, v_V\n", path);
    return -1;
}

static int grow(struct cell_log *log, struct reader *r)
{
    r->room = r->room == 0 ? 4096 : r->room * 2;
    for (int c = 0; c < LOG_COLUMNS; c++) {
        if (r->place[c] < 0)
            continue;
        double *more = realloc(log->value[c], r->room * sizeof *more);

        if (more == NULL || r->room > ROWS_MAX)
            return -1;
        log->value[c] = more;
    }
    return 0;
}

static double number(const char *text)
{
    char *end;
    double v = strtod(text, &end);

    return end == text ? NAN : v;
}

static int read_rows(struct cell_log *log, struct reader *r)
{
    char line[LINE_MAX_BYTES];
    char *fields[FIELDS_MAX];

    while (gzgets(r->file, line, sizeof line) != NULL) {
        int n = split(line, fields);

        if (log->rows == r->room && grow(log, r) != 0)
            return -1;
        for (int c = 0; c < LOG_COLUMNS; c++)
            if (r->place[c] >= 0)
                log->value[c][log->rows] = r->place[c] < n ? number(fields[r->place[c]]) : NAN;
        log->rows += isfinite(log->value[LOG_T][log->rows]) ? 1 : 0; /* a row without a time is no row */
    }
    return 0;
}

int cell_log_read(struct cell_log *log, const char *path)
{
    struct reader r = { .file = gzopen(path, "rb") };
    int code;

    memset(log, 0, sizeof *log);
    if (r.file == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        return -1;
    }
    code = read_header(&r, path);
    if (code == 0)
        code = read_rows(log, &r);
    gzclose(r.file);
    if (code == 0 && log->rows == 0) {
        fprintf(stderr, "%s: holds no rows\n", path);
        code = -1;
    }
    if (code != 0)
        cell_log_free(log);
    return code;
}

void cell_log_free(struct cell_log *log)
{
    for (int c = 0; c < LOG_COLUMNS; c++)
        free(log->value[c]);
    free(log->soc);
    memset(log, 0, sizeof *log);
}

int cell_log_refer(struct cell_log *log, double capacity_Ah, double efficiency)
{
    const double *ah = log->value[LOG_AH], *soc = log->value[LOG_SOC], *chg = log->value[LOG_CHG], *dis = log->value[LOG_DIS];

    if (soc == NULL && ah == NULL && (chg == NULL || dis == NULL))
        return -1;
    log->soc = malloc(log->rows * sizeof *log->soc);
    if (log->soc == NULL)
        return -1;
    for (size_t i = 0; i < log->rows; i++) {
        if (soc != NULL)
            log->soc[i] = soc[i];
        else if (ah != NULL)
            log->soc[i] = 1 + ah[i] / capacity_Ah;
        else
            log->soc[i] = 1 - (dis[i] - efficiency * chg[i]) / capacity_Ah;
    }
    return 0;
}

bool cell_log_plett(const char *path, double *capacity_Ah, double *efficiency)
{
    char part[LINE_MAX_BYTES];
    double chg[3], dis[3];
    const char *mark = strstr(path, "_s1.csv");
    size_t length = strlen(path);

    if (mark == NULL || length >= sizeof part)
        return false;
    for (int k = 0; k < 3; k++) {
        struct cell_log log;

        memcpy(part, path, length + 1);
        part[mark - path + 2] = (char)('1' + k);
        gzFile there = gzopen(part, "rb"); /* absent is no error here */

        if (there == NULL)
            return false;
        gzclose(there);
        if (cell_log_read(&log, part) != 0)
            return false;
        bool counted = log.value[LOG_CHG] != NULL && log.value[LOG_DIS] != NULL;

        chg[k] = counted ? log.value[LOG_CHG][log.rows - 1] : 0;
        dis[k] = counted ? log.value[LOG_DIS][log.rows - 1] : 0;
        cell_log_free(&log);
        if (!counted)
            return false;
    }
    *efficiency = (dis[0] + dis[1] + dis[2]) / (chg[0] + chg[1] + chg[2]);
    *capacity_Ah = dis[0] + dis[1] - *efficiency * (chg[0] + chg[1]);
    return *capacity_Ah > 0;
}
