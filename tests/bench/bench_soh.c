/* SPDX-License-Identifier: Apache-2.0 */
/* bench_soh.c -- how well the board's capacity estimate follows recorded ageing, with errors of the current sensor added.
 *
 * The sets hold whole discharges (NASA: full to 2.7 V; Panasonic: 1C, full to empty) and whole charges (LFP 100 Ah: empty to 3.65 V). Each is one window
 * for the total least squares of firmware/core/estimation/soh.h, with the anchors a board has: full and empty, 1 % and 2 % of SOC sure, and
 * its own count of the charge. The truth is the tester's count of every cycle, not that of the window's own samples. What this does not show: windows
 * between two rests, which these sets do not have (tests/unit/firmware/test_soc.c has them, on the model).
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "firmware/core/estimation/soh.h"

enum { LINE_BYTES = 1024, FIELDS = 16, CYCLES = 2000, PATH_BYTES = 1024 };
#define FULL_SIGMA  0.01f
#define EMPTY_SIGMA 0.02f
#define GAIN_SIGMA  0.007f

struct options {
    double gain_pct, bias_C; /* bias: share of the capacity an hour */
    const char *data;
    bool json;
};

struct table { /* one CSV, read row by row */
    gzFile file;
    int fields;
    char line[LINE_BYTES], head[LINE_BYTES];
    char *name[FIELDS], *value[FIELDS];
};

struct score {
    int windows, inside;
    double square, max, first, last, last_truth;
};

static int split(char *line, char **out)
{
    int n = 0;

    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at != NULL && n < FIELDS; n++) {
        out[n] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
    }
    return n;
}

static bool open_table(struct table *t, const char *folder, const char *name)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s.csv.gz", folder, name);
    t->file = gzopen(path, "rb");
    if (t->file == NULL)
        return false;
    t->fields = gzgets(t->file, t->head, sizeof t->head) != NULL ? split(t->head, t->name) : 0;
    return true;
}

static bool next_row(struct table *t)
{
    return gzgets(t->file, t->line, sizeof t->line) != NULL && split(t->line, t->value) == t->fields;
}

static const char *text(const struct table *t, const char *name)
{
    for (int k = 0; k < t->fields; k++)
        if (strcmp(t->name[k], name) == 0)
            return t->value[k];
    return "";
}

static double number(const struct table *t, const char *name)
{
    const char *s = text(t, name);

    return *s != '\0' ? strtod(s, NULL) : NAN;
}

/* One window: what the board has counted, in capacities of the new cell, against the truth of this cycle. */
static void take(const struct options *o, struct soh *s, struct score *x, double share, double hours, double aged, double truth)
{
    double counted = share * (1 + o->gain_pct / 100) + o->bias_C * hours;
    struct soh_window w = { .soc = 1.0f,
                            .sigma = sqrtf(FULL_SIGMA * FULL_SIGMA + EMPTY_SIGMA * EMPTY_SIGMA),
                            .share = (float)counted,
                            .count_sigma = GAIN_SIGMA,
                            .aged = (float)aged };

    if (!soh_take(s, &w))
        return;
    double error = (double)soh_value(s) - truth;

    if (x->windows == 0)
        x->first = (double)soh_value(s);
    x->windows++;
    x->inside += fabs(error) <= (double)soh_bound(s);
    x->square += error * error;
    x->max = fmax(x->max, fabs(error));
    x->last = (double)soh_value(s);
    x->last_truth = truth;
}

struct run { /* the samples of one cycle */
    double cycle, ah, t, i, begin_s;
    bool ended;
};

/* Count one more sample; the cycle ends where the voltage passes `end_V`. */
static void count(struct run *r, const struct table *t, double end_V, bool charge)
{
    double now = number(t, "t_s"), amps = fabs(number(t, "i_A")), volts = number(t, "v_V");

    if (isfinite(r->t) && isfinite(amps) && !r->ended)
        r->ah += 0.5 * (amps + r->i) * (now - r->t) / 3600;
    r->ended = r->ended || (charge ? volts >= end_V : volts <= end_V && amps > 0.1);
    r->t = now;
    r->i = isfinite(amps) ? amps : 0;
}

/* truth[cycle], NAN where there is none; new_Ah: what 1 means. */
static bool ageing(const struct options *o, const char *name, double end_V, bool charge, const double *truth, double new_Ah,
                   struct score *x)
{
    struct table t;
    struct soh s;
    struct run r = { .cycle = -1 };
    double before = 0;

    *x = (struct score) { 0 };
    if (!open_table(&t, o->data, name))
        return false;
    soh_init(&s, 1.0f, 0.05f);
    for (bool more = true; more;) {
        more = next_row(&t);
        double cycle = more ? number(&t, "cycle") : -2;

        if (fabs(cycle - r.cycle) > 0.5) {
            int c = (int)r.cycle;

            if (c >= 0 && c < CYCLES && isfinite(truth[c])) {
                take(o, &s, x, r.ah / new_Ah, (r.t - r.begin_s) / 3600, 2 * (r.cycle - before), truth[c]);
                before = r.cycle;
            }
            r = (struct run) { .cycle = cycle, .t = NAN, .begin_s = more ? number(&t, "t_s") : 0 };
        }
        if (more)
            count(&r, &t, end_V, charge);
    }
    gzclose(t.file);
    return x->windows > 0;
}

static void no_truth(double *truth)
{
    for (int c = 0; c < CYCLES; c++)
        truth[c] = NAN;
}

/* Capacity to 2.7 V of every cycle, against that of the first. */
static double nasa_truth(const struct options *o, const char *cell, double *truth)
{
    struct table t;
    double first = NAN;

    no_truth(truth);
    if (!open_table(&t, o->data, "capacity_per_cycle"))
        return NAN;
    while (next_row(&t)) {
        int c = (int)number(&t, "cycle");

        if (strcmp(text(&t, "cell"), cell) != 0 || c < 0 || c >= CYCLES)
            continue;
        if (!isfinite(first))
            first = number(&t, "q_to_2p7V_Ah");
        truth[c] = number(&t, "q_to_2p7V_Ah") / first;
    }
    gzclose(t.file);
    return first;
}

static double lfp_truth(const struct options *o, const char *cell, double *truth)
{
    struct table t;
    double first = NAN;
    char name[64];

    no_truth(truth);
    snprintf(name, sizeof name, "%s_soh", cell);
    if (!open_table(&t, o->data, name))
        return NAN;
    while (next_row(&t)) {
        int c = (int)number(&t, "cycle");

        first = number(&t, "initial_capacity_Ah");
        if (c >= 0 && c < CYCLES)
            truth[c] = number(&t, "soh");
    }
    gzclose(t.file);
    return first;
}

/* Discharged Ah by the tester's counter, and by the samples. */
static bool panasonic_discharge(const struct options *o, const char *name, double *tester_Ah, double *counted_Ah)
{
    struct table t;
    struct run r = { .t = NAN };
    double begin = NAN, end = NAN;

    if (!open_table(&t, o->data, name))
        return false;
    while (next_row(&t)) {
        if (!isfinite(begin))
            begin = number(&t, "ah_Ah");
        if (number(&t, "i_A") < 0 && r.ah > 0.5) /* the recharge */
            break;
        count(&r, &t, 0, false);
        end = number(&t, "ah_Ah");
    }
    gzclose(t.file);
    *tester_Ah = begin - end;
    *counted_Ah = r.ah;
    return *tester_Ah > 0;
}

/* Windows of one 1C discharge of start and end, the truth from the other one. */
static bool panasonic(const struct options *o, struct score *x)
{
    double start_Ah, end_Ah, counted_Ah, unused;
    struct soh s;

    *x = (struct score) { 0 };
    if (!panasonic_discharge(o, "char_25degC_start_3349_Dis1C_2", &start_Ah, &unused) ||
        !panasonic_discharge(o, "char_25degC_end_4020_Dis1C_2", &end_Ah, &unused))
        return false;
    soh_init(&s, 1.0f, 0.05f);
    double new_Ah;

    if (!panasonic_discharge(o, "char_25degC_start_3349_Dis1C_1", &new_Ah, &counted_Ah))
        return false;
    take(o, &s, x, counted_Ah / new_Ah, 1, 0, 1);
    if (!panasonic_discharge(o, "char_25degC_end_4020_Dis1C_1", &unused, &counted_Ah))
        return false;
    soh_init(&s, soh_value(&s), 0.1f); /* months of drives lie between that nobody counted */
    take(o, &s, x, counted_Ah / new_Ah, 1, 0, end_Ah / start_Ah);
    return true;
}

static void add(struct score *to, const struct score *x)
{
    to->windows += x->windows;
    to->inside += x->inside;
    to->square += x->square;
    to->max = fmax(to->max, x->max);
}

static void print_score(const struct score *x)
{
    printf("\"windows\":%d,\"rmse_pct\":%.2f,\"max_pct\":%.2f,\"inside_95_pct\":%.1f", x->windows,
           x->windows > 0 ? 100 * sqrt(x->square / x->windows) : 0, 100 * x->max, x->windows > 0 ? 100.0 * x->inside / x->windows : 0);
}

static void tell(const struct options *o, const char *name, const struct score *x, struct score *all)
{
    if (o->json) {
        printf("%s\n{\"cell\":\"%s\",", all->windows > 0 ? "," : "", name);
        print_score(x);
        printf(",\"last_soh_pct\":%.2f,\"last_truth_pct\":%.2f}", 100 * x->last, 100 * x->last_truth);
    } else {
        printf("%-28s %3d windows, rmse %.2f, max %.2f %%, %.0f %% in the bound, last %.1f (true %.1f) %%\n", name, x->windows,
               100 * sqrt(x->square / x->windows), 100 * x->max, 100.0 * x->inside / x->windows, 100 * x->last, 100 * x->last_truth);
    }
    add(all, x);
}

static void all_cells(const struct options *o, struct score *all)
{
    static const char *const nasa[] = { "B0005", "B0006", "B0007", "B0018" };
    static const char *const lfp[] = { "cell1", "cell4", "cell5", "cell6" };
    static const char *const every[] = { "4th", "12th", "16th" };
    static double truth[CYCLES];
    struct score x;
    char name[64];

    for (int k = 0; k < 4; k++)
        for (int n = 0; n < 3; n++) {
            double new_Ah = nasa_truth(o, nasa[k], truth);

            snprintf(name, sizeof name, "%s_discharge_every%s", nasa[k], every[n]);
            if (isfinite(new_Ah) && ageing(o, name, 2.7, false, truth, new_Ah, &x))
                tell(o, name, &x, all);
            new_Ah = lfp_truth(o, lfp[k], truth);
            snprintf(name, sizeof name, "%s_charge_every%s", lfp[k], every[n]);
            if (isfinite(new_Ah) && ageing(o, name, 3.65, true, truth, new_Ah, &x))
                tell(o, name, &x, all);
        }
    if (panasonic(o, &x))
        tell(o, "NCR18650PF start and end", &x, all);
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        { "data", required_argument, NULL, 'd' }, { "gain", required_argument, NULL, 'g' }, { "bias", required_argument, NULL, 'b' },
        { "json", no_argument, NULL, 'j' },       { "help", no_argument, NULL, 'h' },       { NULL, 0, NULL, 0 },
    };

    for (int c = getopt_long(argc, argv, "", known, NULL); c != -1; c = getopt_long(argc, argv, "", known, NULL)) {
        if (c == 'd')
            o->data = optarg;
        else if (c == 'g')
            o->gain_pct = strtod(optarg, NULL);
        else if (c == 'b')
            o->bias_C = strtod(optarg, NULL) / 100;
        else if (c == 'j')
            o->json = true;
        else
            return c == 'h' ? 1 : -1;
    }
    return o->data != NULL && optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct options o = { 0 };
    struct score all = { 0 };
    int how = parse(&o, argc, argv);

    if (how != 0) {
        fprintf(how > 0 ? stdout : stderr, "usage: bench_soh --data DIR [--gain PCT] [--bias PCT_OF_CAPACITY_PER_HOUR] [--json]\n"
                                           "DIR: nasa_pcoe_ageing, lfp_100Ah_ageing_ess or panasonic_nca\n");
        return how > 0 ? 0 : 2;
    }
    if (o.json)
        printf("{\"cells\":[");
    all_cells(&o, &all);
    if (o.json) {
        printf("],\n\"overall\":{");
        print_score(&all);
        printf("}}\n");
    }
    if (all.windows == 0)
        fprintf(stderr, "%s: no ageing data that is known here\n", o.data);
    return all.windows > 0 ? 0 : 1;
}
