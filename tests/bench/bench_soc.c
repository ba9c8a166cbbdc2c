/* SPDX-License-Identifier: Apache-2.0 */
/* bench_soc.c -- how well the board's SOC filter follows recorded cells, beside counting alone. See docs/estimation.md.
 *
 * Runs the filter of firmware/core/estimation over each log with sensor errors added and a wrong start, and scores it against the
 * log's own reference after the first 600 s and over all. Counting starts exact and has the same sensor errors.
 */
#include <dirent.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/core/estimation/soc_filter.h"
#include "tests/bench/cell_log.h"

enum { FILES_MAX = 256, PATH_BYTES = 1024 };
#define MOVES_SHARE 15.0 /* a drive begins where the current exceeds this share of the capacity per hour */
#define SETTLE_s    600.0
#define START_SIGMA 0.2f /* also when the start is exact: the filter is not told */

struct errors {
    double start_pct, bias_mA, gain_pct, offset_mV;
};

struct options {
    const struct est_profile *profile;
    struct errors errors;
    double capacity_Ah; /* 0: the profile's, or the log's own */
    double from_soc;    /* start in the middle, where the reference first falls below; above 1: at the start */
    const char *data;
    FILE *trace;
    bool json;
};

struct score { /* sums, for one file or many */
    double square, square_all, counting;
    double max, max_all, counting_max;
    double inside, band;
    double max_ends, max_middle; /* ES-1: at or below 20 % and from 80 % on; between */
    size_t n, n_all;
};

struct result {
    const char *path;
    double temp_degC;     /* measured where the current begins */
    int group;            /* the nearest temperature of the profile */
    double first_below_s; /* when the error was below 3 points for the first time; -1: never */
    double settled_s;     /* since when it stayed there */
    double final_bias_mA;
    struct score score;
};

static const struct est_profile *const profiles[] = { &est_profile_panasonic_nca, &est_profile_lg_nmc, &est_profile_a123_lfp,
                                                      &est_profile_lfp_flatzone };

static const struct est_profile *profile_named(const char *name)
{
    for (size_t k = 0; k < sizeof profiles / sizeof *profiles; k++)
        if (strcmp(profiles[k]->name, name) == 0)
            return profiles[k];
    return NULL;
}

static void add_score(struct score *to, const struct score *s)
{
    to->square += s->square;
    to->square_all += s->square_all;
    to->counting += s->counting;
    to->inside += s->inside;
    to->band += s->band;
    to->max = fmax(to->max, s->max);
    to->max_all = fmax(to->max_all, s->max_all);
    to->max_ends = fmax(to->max_ends, s->max_ends);
    to->max_middle = fmax(to->max_middle, s->max_middle);
    to->counting_max = fmax(to->counting_max, s->counting_max);
    to->n += s->n;
    to->n_all += s->n_all;
}

static void judge(struct score *s, double soc, double error, double counting_error, double bound, bool settled)
{
    s->square_all += error * error;
    s->max_all = fmax(s->max_all, fabs(error));
    s->n_all++;
    if (!settled)
        return;
    s->square += error * error;
    s->max = fmax(s->max, fabs(error));
    if (soc <= 0.2 || soc >= 0.8)
        s->max_ends = fmax(s->max_ends, fabs(error));
    else
        s->max_middle = fmax(s->max_middle, fabs(error));
    s->counting += counting_error * counting_error;
    s->counting_max = fmax(s->counting_max, fabs(counting_error));
    s->inside += fabs(error) <= bound;
    s->band += bound;
    s->n++;
}

static double wrong_start(double soc, double pct)
{
    double start = soc + pct / 100;

    return start > 1 || start < 0 ? soc - pct / 100 : start;
}

/* A log without a temperature column says it in its name: dyn_N25_s1 is -25 degC. Without any: 25. */
static double named_temperature(const char *path)
{
    const char *base = strrchr(path, '/');
    const char *at = strstr(base != NULL ? base : path, "_N");

    if (at != NULL && at[2] >= '0' && at[2] <= '9')
        return -atof(at + 2);
    at = strstr(base != NULL ? base : path, "_P");
    if (at != NULL && at[2] >= '0' && at[2] <= '9')
        return atof(at + 2);
    at = strstr(base != NULL ? base : path, "_10_degree");
    return at != NULL ? 10 : 25;
}

static double temperature_at(const struct cell_log *log, size_t i, const char *path)
{
    return log->value[LOG_TEMP] != NULL ? log->value[LOG_TEMP][i] : named_temperature(path);
}

static int nearest_group(const struct est_profile *p, double temp_degC)
{
    int best = 0;

    for (int k = 1; k < p->temps; k++)
        if (fabs((double)p->temp_degC[k] - temp_degC) < fabs((double)p->temp_degC[best] - temp_degC))
            best = k;
    return (int)lround((double)p->temp_degC[best]);
}

static void run(const struct options *o, const struct cell_log *log, double capacity_Ah, struct result *r)
{
    const struct errors *e = &o->errors;
    struct soc_filter f;
    size_t first = 0;
    double last_bad_s = 0;

    while (first + 1 < log->rows && !(log->soc[first] <= o->from_soc))
        first++;
    double count = log->soc[first];
    double begin_s = log->value[LOG_T][first];

    soc_filter_init(&f, o->profile, (float)wrong_start(count, e->start_pct), START_SIGMA,
                    (float)(capacity_Ah / (double)o->profile->capacity_Ah));
    for (size_t i = first; i < log->rows; i++) {
        double t = log->value[LOG_T][i];
        double dt = i > first ? fmax(t - log->value[LOG_T][i - 1], 0) : 0; /* a clock that goes back: no time */
        double current_A = log->value[LOG_I][i] * (1 + e->gain_pct / 100) + e->bias_mA / 1000;
        struct soc_filter_in in = { .dt_s = (float)dt,
                                    .current_A = (float)current_A,
                                    .voltage_V = (float)(log->value[LOG_V][i] + e->offset_mV / 1000),
                                    .temp_degC = (float)temperature_at(log, i, r->path) };

        soc_filter_step(&f, &in);
        if (isfinite(current_A))
            count -= current_A * dt / 3600 / capacity_Ah;
        if (!isfinite(log->soc[i]))
            continue;
        double error = (double)soc_filter_soc(&f) - log->soc[i];

        judge(&r->score, log->soc[i], error, count - log->soc[i], (double)soc_filter_bound(&f), t - begin_s >= SETTLE_s);
        if (fabs(error) >= 0.03)
            last_bad_s = t - begin_s;
        else if (r->first_below_s < 0)
            r->first_below_s = t - begin_s;
        if (o->trace != NULL)
            fprintf(o->trace, "%s,%.1f,%.5f,%.5f,%.5f,%.5f\n", r->path, t, log->soc[i], (double)soc_filter_soc(&f),
                    (double)soc_filter_bound(&f), count);
    }
    r->settled_s = last_bad_s;
    r->final_bias_mA = (double)f.x[EST_BIAS] * 1000;
}

static int run_file(const struct options *o, const char *path, struct result *r)
{
    struct cell_log log;
    double capacity_Ah = (double)o->profile->capacity_Ah, efficiency = 0.99, own;
    size_t at = 0;

    *r = (struct result) { .path = path, .first_below_s = -1 };
    if (cell_log_plett(path, &own, &efficiency))
        capacity_Ah = own;
    if (o->capacity_Ah > 0)
        capacity_Ah = o->capacity_Ah;
    if (cell_log_read(&log, path) != 0)
        return -1;
    if (cell_log_refer(&log, capacity_Ah, efficiency) != 0) {
        fprintf(stderr, "%s: no reference (ah_Ah, soc_ref, or chg_Ah and dis_Ah)\n", path);
        cell_log_free(&log);
        return -1;
    }
    while (at + 1 < log.rows && !(fabs(log.value[LOG_I][at]) > (double)o->profile->capacity_Ah / MOVES_SHARE))
        at++;
    r->temp_degC = temperature_at(&log, at, path);
    if (!isfinite(r->temp_degC)) /* a column without a value there */
        r->temp_degC = named_temperature(path);
    r->group = nearest_group(o->profile, r->temp_degC);
    run(o, &log, capacity_Ah, r);
    cell_log_free(&log);
    return 0;
}

static double pct_rms(double square, size_t n)
{
    return n > 0 ? 100 * sqrt(square / (double)n) : 0;
}

static void print_score(const struct score *s)
{
    printf("\"rmse_pct\":%.3f,\"max_pct\":%.3f,\"counting_rmse_pct\":%.3f,\"counting_max_pct\":%.3f,\"rmse_all_pct\":%.3f,"
           "\"max_all_pct\":%.3f,\"inside_95_pct\":%.2f,\"mean_band_pct\":%.3f,\"max_ends_pct\":%.3f,\"max_middle_pct\":%.3f",
           pct_rms(s->square, s->n), 100 * s->max, pct_rms(s->counting, s->n), 100 * s->counting_max, pct_rms(s->square_all, s->n_all),
           100 * s->max_all, s->n > 0 ? 100 * s->inside / (double)s->n : 0, s->n > 0 ? 100 * s->band / (double)s->n : 0, 100 * s->max_ends,
           100 * s->max_middle);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* How many logs have 93 to 99 % of their samples inside the 95 % band, and how many have less. */
static void print_inside(const struct result *r, int n)
{
    int good = 0, low = 0;

    for (int k = 0; k < n; k++) {
        double inside_pct = r[k].score.n > 0 ? 100 * r[k].score.inside / (double)r[k].score.n : 100;

        good += inside_pct >= 93 && inside_pct <= 99;
        low += inside_pct < 93;
    }
    printf(",\"files_inside_93_to_99\":%d,\"files_inside_below_93\":%d", good, low);
}

static void print_json(const struct options *o, const struct result *r, int n)
{
    struct score all = { 0 };
    bool comma = false;

    printf("{\"profile\":\"%s\",\"files\":[", o->profile->name);
    for (int k = 0; k < n; k++) {
        printf("%s\n{\"file\":\"%s\",\"temperature\":%d,\"temp_C\":%.1f,", k > 0 ? "," : "", base_name(r[k].path), r[k].group,
               r[k].temp_degC);
        print_score(&r[k].score);
        printf(",\"first_below_3_pct_s\":%.0f,\"stays_below_3_pct_s\":%.0f,\"bias_mA\":%.1f,\"samples\":%zu}", r[k].first_below_s,
               r[k].settled_s, r[k].final_bias_mA, r[k].score.n_all);
        add_score(&all, &r[k].score);
    }
    printf("],\n\"temperatures\":{");
    for (int t = 0; t < o->profile->temps; t++) {
        int group = (int)lround((double)o->profile->temp_degC[t]);
        struct score sum = { 0 };
        int files = 0;

        for (int k = 0; k < n; k++)
            if (r[k].group == group) {
                add_score(&sum, &r[k].score);
                files++;
            }
        if (files == 0)
            continue;
        printf("%s\n\"%d\":{", comma ? "," : "", group);
        print_score(&sum);
        printf(",\"files\":%d}", files);
        comma = true;
    }
    printf("},\n\"overall\":{");
    print_score(&all);
    print_inside(r, n);
    printf(",\"files\":%d}}\n", n);
}

static void print_table(const struct result *r, int n)
{
    printf("%-46s %5s %7s %7s %9s %9s\n", "file", "degC", "rmse %", "max %", "counting", "in bound");
    for (int k = 0; k < n; k++) {
        const struct score *s = &r[k].score;

        printf("%-46s %5d %7.2f %7.2f %9.2f %9.1f\n", base_name(r[k].path), r[k].group, pct_rms(s->square, s->n), 100 * s->max,
               pct_rms(s->counting, s->n), s->n > 0 ? 100 * s->inside / (double)s->n : 0);
    }
}

static bool is_drive(const char *name)
{
    size_t n = strlen(name);
    bool csv = (n > 4 && strcmp(name + n - 4, ".csv") == 0) || (n > 7 && strcmp(name + n - 7, ".csv.gz") == 0);
    bool later_part = strstr(name, "_s2.csv") != NULL || strstr(name, "_s3.csv") != NULL; /* thinned, begin in the middle */

    return csv && !later_part && (strncmp(name, "drive_", 6) == 0 || strncmp(name, "dyn_", 4) == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every drive_* and dyn_* of the folder; their names are owned by the caller. Count, or -1. */
static int list_folder(const char *folder, char *paths[FILES_MAX])
{
    DIR *d = opendir(folder);
    int n = 0;

    if (d == NULL)
        return -1;
    for (struct dirent *entry = readdir(d); entry != NULL && n < FILES_MAX; entry = readdir(d)) {
        if (!is_drive(entry->d_name))
            continue;
        paths[n] = malloc(PATH_BYTES);
        if (paths[n] != NULL && snprintf(paths[n], PATH_BYTES, "%s/%s", folder, entry->d_name) < PATH_BYTES)
            n++;
    }
    closedir(d);
    qsort(paths, (size_t)n, sizeof *paths, by_name);
    return n;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: bench_soc [--data DIR|FILE] [FILE...] --profile NAME [--start-error PCT] [--bias mA] [--gain PCT]\n"
                "                 [--offset mV] [--capacity Ah] [--start-soc PCT] [--trace FILE] [--json]\n"
                "profiles:");
    for (size_t k = 0; k < sizeof profiles / sizeof *profiles; k++)
        fprintf(to, " %s", profiles[k]->name);
    fprintf(to, "\n");
    return code;
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        { "data", required_argument, NULL, 'd' },
        { "profile", required_argument, NULL, 'p' },
        { "start-error", required_argument, NULL, 's' },
        { "bias", required_argument, NULL, 'b' },
        { "gain", required_argument, NULL, 'g' },
        { "offset", required_argument, NULL, 'o' },
        { "capacity", required_argument, NULL, 'c' },
        { "start-soc", required_argument, NULL, 'f' },
        { "from", required_argument, NULL, 'f' }, /* its first name */
        { "trace", required_argument, NULL, 't' },
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    double *const numbers[] = { &o->errors.start_pct, &o->errors.bias_mA, &o->errors.gain_pct,
                                &o->errors.offset_mV, &o->capacity_Ah,    &o->from_soc };
    static const char keys[] = "sbgocf";

    for (int c = getopt_long(argc, argv, "", known, NULL); c != -1; c = getopt_long(argc, argv, "", known, NULL)) {
        const char *key = strchr(keys, c);
        char *end = NULL;

        if (key != NULL && c != 0) {
            *numbers[key - keys] = strtod(optarg, &end) / (c == 'f' ? 100 : 1);
            if (end == optarg || *end != '\0' || !isfinite(*numbers[key - keys])) {
                fprintf(stderr, "'%s' is not a number\n", optarg);
                return -1;
            }
        } else if (c == 'd') {
            o->data = optarg;
        } else if (c == 'p' && (o->profile = profile_named(optarg)) == NULL) {
            fprintf(stderr, "there is no profile '%s'\n", optarg);
            return -1;
        } else if (c == 't' && (o->trace = fopen(optarg, "w")) == NULL) {
            fprintf(stderr, "%s: cannot be written\n", optarg);
            return -1;
        } else if (c == 'j') {
            o->json = true;
        } else if (c == '?') {
            return -1;
        }
    }
    return o->profile != NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
    static char *paths[FILES_MAX];
    static struct result results[FILES_MAX];
    struct options o = { .from_soc = 2 };
    int n = 0, listed = 0, done = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (parse(&o, argc, argv) != 0)
        return usage(stderr, 2);
    if (o.data != NULL) {
        listed = list_folder(o.data, paths);
        n = listed > 0 ? listed : 0;
        if (listed < 0) /* a file, or nothing: reading it will tell */
            paths[n++] = (char *)o.data;
    }
    for (int k = optind; k < argc && n < FILES_MAX; k++)
        paths[n++] = argv[k];
    if (n == 0) {
        fprintf(stderr, "no drive_* or dyn_* log to run\n");
        return 1;
    }
    if (o.trace != NULL)
        fprintf(o.trace, "file,t_s,soc_ref,soc,bound,counting\n");
    for (int k = 0; k < n; k++)
        done += run_file(&o, paths[k], &results[done]) == 0;
    if (o.json)
        print_json(&o, results, done);
    else
        print_table(results, done);
    if (o.trace != NULL)
        fclose(o.trace);
    for (int k = 0; k < listed; k++)
        free(paths[k]);
    return done == n ? 0 : 1;
}
