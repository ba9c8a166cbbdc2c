/* SPDX-License-Identifier: Apache-2.0 */
/* bench_cells.c -- the SOC that the board gives the weakest cell of a recorded string that is discharged until that cell is at its cut-off.
 *
 * Logs: `t_s,i_A,c<k>_mV..,t<k>_C..` (sim/replay_log.h), one discharge each, from a rest to the moment at which the lowest cell is at the cut-off voltage
 * (empty_cell_mV): then its SOC is 0 by definition, and before it the charge that is still to come. Scored there and, after the first 600 s, over the whole
 * discharge. The start is that of a board which has never seen the pack.
 */
#include <getopt.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/core/estimation/soc.h"
#include "firmware/core/store/params.h"
#include "sim/replay_log.h"

enum { STEP_MS = 100, ROW_GAP_MS = 10000, LOGS_MAX = 64, PATH_BYTES = 1024, ROWS_MAX = 100000, SETTLE_S = 600 };

struct options {
    const char *data;
    double capacity_Ah, bias_A, gain_pct, offset_mV;
    int profile;
    bool json;
};

struct ended {
    double weakest_pct, mean_pct, strongest_pct, band_pct, lowest_mV;
    double rmse_pct, max_pct; /* of the weakest cell, over the discharge */
    int cells;
};

static struct replay_log log_;
static struct soc soc;
static int32_t params[PARAMS];
static struct {
    double t_s, moved_Ah, weakest_pct;
} trace[ROWS_MAX];

static void usage(FILE *out)
{
    fputs("usage: bench_cells --data DIR|FILE --profile NUMBER --capacity AH [--bias A] [--gain PCT] [--offset MV] [--json]\n"
          "The SOC of the weakest cell at the end of each discharge log module*.csv.gz of DIR; NUMBER is that of the parameter "
          "cell_profile.\n",
          out);
}

static struct soc_in input(const struct options *o, const struct replay_row *row, uint16_t *cell_mV)
{
    double temp_C = 0;
    int temps = 0;

    for (int i = 0; i < log_.cells; i++)
        cell_mV[i] = (uint16_t)lround(row->cell_mV[i] + o->offset_mV);
    for (int i = 0; i < log_.temps; i++) {
        temp_C += log_.fitted[i] ? row->temp_C[i] : 0;
        temps += log_.fitted[i];
    }
    return (struct soc_in) { .dt_ms = STEP_MS,
                             .current_mA = (int32_t)lround(1000 * (row->current_A * (1 + o->gain_pct / 100) + o->bias_A)),
                             .cell_mV = cell_mV,
                             .cells = log_.cells,
                             .complete = true,
                             .temp_ddegC = temps ? (int32_t)lround(10 * temp_C / temps) : 250,
                             .params = params };
}

/* Each row holds until the next one, but not over a gap. Returns the rows in `trace`, or -1 with a line on standard error. */
static int play(const struct options *o, const char *path)
{
    uint16_t cell_mV[PACK_CELLS_MAX];
    int rows = 0, code = replay_open(&log_, path);

    soc_init(&soc, params);
    while (code == 0 && (code = replay_next(&log_)) == 1 && rows < ROWS_MAX) {
        struct soc_in in = input(o, &log_.row, cell_mV);
        double dt_s = rows ? fmin(log_.row.t_s - trace[rows - 1].t_s, ROW_GAP_MS / 1000.0) : 1;

        for (double ms = 0; ms < 1000 * dt_s; ms += STEP_MS)
            soc_step(&soc, &in);
        trace[rows].t_s = log_.row.t_s;
        trace[rows].moved_Ah = (rows ? trace[rows - 1].moved_Ah : 0) + log_.row.current_A * dt_s / 3600;
        trace[rows++].weakest_pct = soc_cell_min_permyriad(&soc) / 100.0;
        code = 0;
    }
    if (code < 0)
        fprintf(stderr, "%s\n", log_.error);
    return code < 0 ? -1 : rows;
}

static int run(const struct options *o, const char *path, struct ended *end)
{
    int rows = play(o, path), scored = 0;

    if (rows <= 0)
        return -1;
    for (int i = 0; i < rows; i++) {
        double truth_pct = 100 * (trace[rows - 1].moved_Ah - trace[i].moved_Ah) / o->capacity_Ah, error = trace[i].weakest_pct - truth_pct;

        if (trace[i].t_s - trace[0].t_s < SETTLE_S)
            continue;
        end->rmse_pct += error * error;
        end->max_pct = fmax(end->max_pct, fabs(error));
        scored++;
    }
    end->rmse_pct = scored ? sqrt(end->rmse_pct / scored) : NAN;
    end->cells = log_.cells;
    end->weakest_pct = soc_cell_min_permyriad(&soc) / 100.0;
    end->mean_pct = soc_permyriad(&soc) / 100.0;
    end->strongest_pct = soc_cell_max_permyriad(&soc) / 100.0;
    end->band_pct = soc_band_permyriad(&soc) / 100.0;
    end->lowest_mV = 5000;
    for (int i = 0; i < log_.cells; i++)
        end->lowest_mV = fmin(end->lowest_mV, log_.row.cell_mV[i]);
    replay_close(&log_);
    return 0;
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option known[] = { { "data", 1, NULL, 'd' }, { "profile", 1, NULL, 'p' }, { "capacity", 1, NULL, 'c' },
                                           { "bias", 1, NULL, 'b' }, { "gain", 1, NULL, 'g' },    { "offset", 1, NULL, 'o' },
                                           { "json", 0, NULL, 'j' }, { "help", 0, NULL, 'h' },    { NULL, 0, NULL, 0 } };
    int c;

    while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        double value = optarg ? strtod(optarg, NULL) : 0;

        switch (c) {
        case 'd':
            o->data = optarg;
            break;
        case 'p':
            o->profile = (int)value;
            break;
        case 'c':
            o->capacity_Ah = value;
            break;
        case 'b':
            o->bias_A = value;
            break;
        case 'g':
            o->gain_pct = value;
            break;
        case 'o':
            o->offset_mV = value;
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            return -1;
        }
    }
    return o->data && o->capacity_Ah > 0 ? 0 : -1;
}

static void print(const struct options *o, const char *path, const struct ended *e, bool first)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

    if (o->json)
        printf("%s{\"file\": \"%s\", \"cells\": %d, \"weakest_pct\": %.2f, \"weakest_rmse_pct\": %.2f, \"weakest_max_pct\": %.2f, "
               "\"mean_pct\": %.2f, "
               "\"strongest_pct\": %.2f, "
               "\"band_pct\": %.2f, \"lowest_mV\": %.0f}",
               first ? "" : ", ", name, e->cells, e->weakest_pct, e->rmse_pct, e->max_pct, e->mean_pct, e->strongest_pct, e->band_pct,
               e->lowest_mV);
    else
        printf("%-44s %d cells, lowest %4.0f mV: weakest %5.2f %% (before it RMSE %.2f, at most %.2f), mean %5.2f %%, strongest %5.2f %%, "
               "band %.2f %%\n",
               name, e->cells, e->lowest_mV, e->weakest_pct, e->rmse_pct, e->max_pct, e->mean_pct, e->strongest_pct, e->band_pct);
}

int main(int argc, char **argv)
{
    struct options o = { 0 };
    char pattern[PATH_BYTES];
    glob_t found;
    double worst = 0;

    if (parse(argc, argv, &o) != 0) {
        usage(stderr);
        return 2;
    }
    params_defaults(CHEMISTRY_NMC, params);
    params[PARAM_cell_profile] = o.profile;
    params[PARAM_capacity_mAh] = (int32_t)lround(1000 * o.capacity_Ah);
    snprintf(pattern, sizeof pattern, "%s%s", o.data, strstr(o.data, ".csv") ? "" : "/module*.csv.gz");
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc > LOGS_MAX) {
        fprintf(stderr, "bench_cells: no logs: %s\n", pattern);
        return 1;
    }
    if (o.json)
        printf("{\"files\": [");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct ended e = { 0 };

        if (run(&o, found.gl_pathv[i], &e) != 0)
            return 1;
        worst = fmax(worst, fabs(e.weakest_pct));
        print(&o, found.gl_pathv[i], &e, i == 0);
    }
    printf(o.json ? "], \"weakest_worst_pct\": %.2f}\n" : "worst error of the weakest cell at the end: %.2f points\n", worst);
    globfree(&found);
    return 0;
}
