/* SPDX-License-Identifier: Apache-2.0 */
/* cellwarden-biu-replay: a recorded BIU (cellwarden-pack --record) played again by this firmware, step by step, and compared bit for bit. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "sim/biu_replay.h"

enum { EXIT_USAGE = 2 };

struct show {
    bool alarms, json;
    int64_t since_ms; /* times count from this clock of the board; -1 = from its first start */
    uint64_t shown;
};

static const char usage[] =
    "usage: cellwarden-biu-replay [--alarms] [--since MS] [--json] FILE\n\n"
    "Gives every input of FILE, which cellwarden-pack --record has written, to the firmware once more and compares every output\n"
    "with what was recorded. Names the first that differs.\n\n"
    "  --alarms   name each alarm that comes and goes: time, level, cell, probe or chip, value\n"
    "  --json     one JSON object\n\n"
    "Exit: 0 the same, bit for bit; 1 something differs, or the file is not whole; 2 wrong usage.\n";

/* What `number` of the alarm counts. */
static const char *counted(const struct alarm_row *row)
{
    switch (row->quantity) {
    case ALARM_Q_CELL_VOLTAGE:
    case ALARM_Q_CELL_SPREAD:
    case ALARM_Q_CELL_INVALID:
        return "cell";
    case ALARM_Q_TEMPERATURE:
    case ALARM_Q_CHARGE_TEMPERATURE:
    case ALARM_Q_TEMPERATURE_SPREAD:
    case ALARM_Q_TEMPERATURE_RISE:
    case ALARM_Q_PROBE_INVALID:
        return "probe";
    case ALARM_Q_AFE_AGE:
        return "chip";
    case ALARM_Q_WELD:
    case ALARM_Q_STUCK:
        return "relay";
    default:
        return "pack";
    }
}

static void show_alarm(void *ctx, const struct biu_replay_alarm *a)
{
    struct show *show = ctx;
    const char *event = a->came ? "set" : "gone", *level = a->row->level == ALARM_MAJOR ? "major" : "warning";
    double t_s = show->since_ms < 0 ? (double)a->t_ms / 1000 : (double)((int64_t)a->utc_ms - show->since_ms) / 1000;

    if (!show->alarms)
        return;
    if (show->json)
        printf("%s{\"t_s\":%.2f,\"utc_ms\":%" PRIu64
               ",\"event\":\"%s\",\"alarm\":\"%s\",\"id\":%u,\"level\":\"%s\",\"%s\":%u,\"value\":%d,\"unit\":\"%s\"}",
               show->shown++ ? ",\n" : "", t_s, a->utc_ms, event, a->row->name, a->row->id, level, counted(a->row), a->what.number,
               a->what.value, a->row->unit);
    else
        printf("%12.2f s  %-4s %-7s %-34s %s %u  %d %s\n", t_s, event, level, a->row->name, counted(a->row), a->what.number, a->what.value,
               a->row->unit);
}

static void print_json(const struct biu_replay_result *x, const char *version)
{
    printf("\"equal\":%s,\"complete\":%s,\"firmware\":\"%s\",\"steps\":%" PRIu64 ",\"starts\":%" PRIu64 ",\"wakes\":%" PRIu64
           ",\"length_s\":%.2f,\"alarms_set\":%" PRIu64 ",\"differing_steps\":%" PRIu64 ",\"first_difference\":",
           biu_replay_is_equal(x) ? "true" : "false", x->complete ? "true" : "false", version, x->steps, x->starts, x->wakes,
           (double)x->t_ms / 1000, x->alarms, x->differing);
    if (x->differing)
        printf("{\"step\":%" PRIu64 ",\"t_s\":%.2f,\"output\":\"%s\",\"recorded\":%" PRIu64 ",\"replayed\":%" PRIu64 "}}\n", x->first_step,
               (double)x->first_t_ms / 1000, x->first_row, x->recorded, x->replayed);
    else
        printf("null}\n");
}

static void print_text(const struct biu_replay_result *x, const char *version)
{
    printf("%" PRIu64 " steps, %.1f s, %" PRIu64 " starts, %" PRIu64 " wake-ups, %" PRIu64 " alarms, firmware %s: %s\n", x->steps,
           (double)x->t_ms / 1000, x->starts, x->wakes, x->alarms, version,
           biu_replay_is_equal(x) ? "every output the same, bit for bit" : "NOT THE SAME");
    if (x->differing)
        printf("%" PRIu64 " steps differ; the first is step %" PRIu64 " at %.2f s: %s was %" PRIu64 " and is %" PRIu64 "\n", x->differing,
               x->first_step, (double)x->first_t_ms / 1000, x->first_row, x->recorded, x->replayed);
}

static int replay(const char *path, struct show *show)
{
    static struct record_reader from; /* large: not on the stack */
    struct biu_replay_watch watch = { show, show_alarm };
    struct biu_replay_result x;
    int err = record_reader_open(&from, path);

    if (err) {
        fprintf(stderr, "cellwarden-biu-replay: %s: %s\n", path, err == BMS_ERR_IO ? strerror(errno) : "is no recorded BIU");
        return EXIT_FAILURE;
    }
    if (show->json)
        printf("{%s", show->alarms ? "\"alarms\":[" : "");
    biu_replay(&from, &watch, &x);
    if (show->json && show->alarms)
        printf("],\n");
    (show->json ? print_json : print_text)(&x, from.log.version);
    if (x.error)
        fprintf(stderr, "cellwarden-biu-replay: %s: block %" PRIu64 ", after step %" PRIu64 ": %s\n", path, from.blocks, x.steps,
                bms_err_text(x.error));
    else if (!x.complete)
        fprintf(stderr, "cellwarden-biu-replay: %s: ends after step %" PRIu64 " without a closing record: its recorder was cut off\n", path,
                x.steps);
    record_reader_close(&from);
    return biu_replay_is_equal(&x) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct show show = { .since_ms = -1 };
    const char *path = NULL;
    char *end = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (strcmp(argv[i], "--alarms") == 0)
            show.alarms = true;
        else if (strcmp(argv[i], "--json") == 0)
            show.json = true;
        else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc && (show.since_ms = strtoll(argv[i + 1], &end, 10)) >= 0 && *end == 0)
            i++;
        else if (argv[i][0] == '-' || path) {
            fprintf(stderr, "cellwarden-biu-replay: what is '%s'? (cellwarden-biu-replay --help)\n", argv[i]);
            return EXIT_USAGE;
        } else
            path = argv[i];
    }
    if (!path) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return replay(path, &show);
}
