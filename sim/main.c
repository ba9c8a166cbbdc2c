/* SPDX-License-Identifier: Apache-2.0 */
/* cellwarden-pack: one simulated battery pack with its board. sim/options.c has the options, sim/pack.h what there is. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "common/err.h"
#include "sim/pack.h"
#include "sim/report.h"

enum { EXIT_USAGE = 2 };

static void on_signal(int number)
{
    (void)number;
    pack_stop();
}

static void catch_signals(void)
{
    struct sigaction stop = { .sa_handler = on_signal };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static uint64_t utc_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The board's clock at t_s = 0 of the log, so that its last row is now when it is played faster than life, and its first row when not. */
static uint64_t base_of_log(const struct pack_options *o, const struct replay_log *log)
{
    if (o->utc_start)
        return (uint64_t)o->utc_start;
    double length_s = log->last_s - log->first_s;
    double real_s = o->speed > 0 ? length_s / o->speed : 0;
    double back_s = log->first_s + fmax(length_s - real_s, 0);

    return utc_now_ms() - (uint64_t)(int64_t)llround(back_s * 1000);
}

static int run(struct pack *p, const struct pack_options *o)
{
    uint64_t utc_ms = o->utc_start ? (uint64_t)o->utc_start : utc_now_ms();

    if (o->replay && replay_open(&p->log, o->replay) != BMS_ERR_OK) {
        report_error("replay", "%s", p->log.error);
        return BMS_ERR_CORRUPT;
    }
    if (!o->replay && scenario_by_name(o->scenario) < 0) {
        report_error("pack", "unknown scenario=%s", o->scenario);
        return BMS_ERR_UNKNOWN;
    }
    int err = pack_open(p, o, utc_ms);

    if (!err && o->replay)
        err = pack_run_replay(p, base_of_log(o, &p->log));
    else if (!err)
        err = pack_run_model(p, utc_ms);
    return err;
}

int main(int argc, char **argv)
{
    struct pack_options options;
    int asked = pack_options_read(&options, argc, argv);

    if (asked)
        return asked > 0 ? EXIT_SUCCESS : EXIT_USAGE;
    struct pack *p = calloc(1, sizeof(*p));

    if (!p) {
        report_error("pack", "no memory");
        return EXIT_FAILURE;
    }
    catch_signals();
    int err = run(p, &options);

    pack_close(p);
    bool recorded = !p->record.failed;

    free(p);
    return err || !recorded ? EXIT_FAILURE : EXIT_SUCCESS;
}
