/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_params.c -- params, calibrate, flash. Every write is proved by reading back. */
#include "local/app/ctl.h"

#include <inttypes.h>
#include <string.h>

#include "common/err.h"
#include "local/core/uds_words.h"
#include "proto/tables.h"

static int find_param(const char *name, size_t n)
{
    for (int i = 0; i < PARAMS; i++)
        if (strlen(param_rows[i].name) == n && strncmp(param_rows[i].name, name, n) == 0)
            return i;
    return BMS_ERR_UNKNOWN;
}

static void print_head(void)
{
    printf("%-40s %12s %12s  %s\n", "parameter", "running", "stored", "unit");
}

static void print_param(struct ctl *c, int p)
{
    const struct board_params *v = &c->cable.tester.params;

    if (c->json) {
        jsonw_object(&c->out);
        jsonw_member_int(&c->out, "id", param_rows[p].id);
        jsonw_member_str(&c->out, "name", param_rows[p].name);
        jsonw_member_int(&c->out, "running", v->running[p]);
        jsonw_member_int(&c->out, "stored", v->stored[p]);
        jsonw_member_str(&c->out, "unit", param_rows[p].unit);
        jsonw_object_end(&c->out);
        return;
    }
    printf("%-40s %12" PRId32 " %12" PRId32 "  %s%s\n", param_rows[p].name, v->running[p], v->stored[p], param_rows[p].unit,
           v->running[p] == v->stored[p] ? "" : "  not stored");
}

static int get(struct ctl *c, int argc, char *const argv[])
{
    double seconds;
    bool others;

    if (ctl_ask_tables(c, &others) != EXIT_DONE)
        return EXIT_FAILED;
    if (others)
        return ctl_get_by_board(c, argc, argv);
    for (int i = 0; i < argc; i++)
        if (find_param(argv[i], strlen(argv[i])) < 0)
            return ctl_usage("there is no parameter '%s'", argv[i]);
    if (ctl_read_params(c, &seconds) != EXIT_DONE)
        return EXIT_FAILED;
    if (c->json) {
        jsonw_object(&c->out);
        jsonw_key(&c->out, "read_ms");
        jsonw_int(&c->out, (int64_t)(seconds * 1000));
        jsonw_member_int(&c->out, "frames_received", c->cable.received);
        jsonw_member_int(&c->out, "frames_sent", c->cable.sent);
        jsonw_key(&c->out, "values");
        jsonw_array(&c->out);
    } else {
        print_head();
    }
    for (int p = 0; p < PARAMS && argc == 0; p++)
        print_param(c, p);
    for (int i = 0; i < argc; i++)
        print_param(c, find_param(argv[i], strlen(argv[i])));
    if (c->json) {
        jsonw_array_end(&c->out);
        jsonw_object_end(&c->out);
    }
    return EXIT_DONE;
}

/* NAME=VALUE, checked against the table before anything is sent. EXIT_*. */
static int assign(struct command *cmd, const char *text)
{
    const char *equals = strchr(text, '=');
    int p = equals ? find_param(text, (size_t)(equals - text)) : -1;
    long value;

    if (equals == NULL)
        return ctl_usage("'%s' is not NAME=VALUE", text);
    if (p < 0)
        return ctl_usage("there is no parameter '%.*s'", (int)(equals - text), text);
    if (!options_number(equals + 1, INT32_MIN, INT32_MAX, &value))
        return ctl_usage("'%s' is not a whole number", equals + 1);
    if (value < param_rows[p].min || value > param_rows[p].max)
        return ctl_fail("%s must be from %" PRId32 " to %" PRId32 " %s, not %ld", param_rows[p].name, param_rows[p].min, param_rows[p].max,
                        param_rows[p].unit, value);
    if (cmd->writes == COMMAND_WRITES_MAX)
        return ctl_usage("at most %d values at once", COMMAND_WRITES_MAX);
    cmd->write[cmd->writes++] = (struct command_write) { .id = param_rows[p].id, .value = (int32_t)value };
    return EXIT_DONE;
}

/* One line of the proof; true when the copy that was to change reads as wanted. */
static bool show_write(struct ctl *c, const struct command_write *w, bool stored)
{
    const struct board_params *v = &c->cable.tester.params;
    int p = param_by_id((uint16_t)w->id);
    bool ok = w->nrc == 0 && v->running[p] == w->value && (!stored || v->stored[p] == w->value);

    if (c->json) {
        jsonw_object(&c->out);
        jsonw_member_str(&c->out, "name", param_rows[p].name);
        jsonw_member_int(&c->out, "wanted", w->value);
        jsonw_member_int(&c->out, "running", v->running[p]);
        jsonw_member_int(&c->out, "stored", v->stored[p]);
        jsonw_member_bool(&c->out, "ok", ok);
        jsonw_object_end(&c->out);
        return ok;
    }
    printf("%-40s %12" PRId32 " %12" PRId32 "  %s%s%s\n", param_rows[p].name, v->running[p], v->stored[p], param_rows[p].unit,
           ok ? "  as wanted" : "  NOT as wanted: ",
           ok       ? ""
           : w->nrc ? uds_nrc_words(w->nrc)
                    : "reads back differently");
    return ok;
}

int ctl_carry_out(struct ctl *c, const struct command *cmd)
{
    int end = ctl_run(c, tester_params(&c->cable.tester, cmd), true);
    const struct command_run *run = &c->cable.tester.run;
    bool all = end == EXIT_DONE;

    if (c->cable.tester.board_tables != 0)
        fprintf(stderr, "params get reads by the board's own tables, --use-board-tables writes by them\n");
    if (!run->has_values)
        return ctl_fail("%s", c->cable.tester.detail[0] ? c->cable.tester.detail : "the values could not be read back");
    if (c->json) {
        jsonw_object(&c->out);
        jsonw_key(&c->out, "readback");
        jsonw_array(&c->out);
    } else if (cmd->writes > 0) {
        print_head();
    }
    for (size_t i = 0; i < run->cmd.writes; i++)
        all = show_write(c, &run->cmd.write[i], cmd->store && end == EXIT_DONE) && all;
    if (cmd->store && param_hash(run->params->running) != param_hash(run->params->stored))
        all = false;
    if (c->json) {
        jsonw_array_end(&c->out);
        jsonw_member_bool(&c->out, "ok", all);
        jsonw_member_str(&c->out, "detail", c->cable.tester.detail);
        jsonw_object_end(&c->out);
    } else if (all) {
        printf("%s\n", cmd->store ? "stored: stays after a restart" : "in effect until the next restart");
    }
    return all ? EXIT_DONE : ctl_fail("%s", c->cable.tester.detail[0] ? c->cable.tester.detail : "not everything is as wanted");
}

/* Does --use-board-tables have to do it? Then *end is how it ended. */
static bool by_board(struct ctl *c, int argc, char *const argv[], bool store, int *end)
{
    bool others = false;

    if (!c->use_board_tables)
        return false;
    *end = ctl_ask_tables(c, &others);
    if (*end == EXIT_DONE && others)
        *end = ctl_write_by_board(c, argc, argv, store);
    return *end != EXIT_DONE || others;
}

int ctl_calibrate(struct ctl *c, int argc, char *const argv[])
{
    static struct command cmd = { .act = COMMAND_WRITE };
    int end;

    if (argc < 2)
        return ctl_usage("calibrate needs NAME=VALUE");
    if (by_board(c, argc, argv, false, &end))
        return end;
    for (int i = 1; i < argc; i++) {
        int bad = assign(&cmd, argv[i]);

        if (bad)
            return bad;
    }
    return ctl_carry_out(c, &cmd);
}

int ctl_flash(struct ctl *c, int argc, char *const argv[])
{
    static struct command cmd = { .act = COMMAND_WRITE, .store = true };
    int end;

    if (by_board(c, argc, argv, true, &end))
        return end;
    for (int i = 1; i < argc; i++) {
        int bad = assign(&cmd, argv[i]);

        if (bad)
            return bad;
    }
    return ctl_carry_out(c, &cmd);
}

int ctl_params(struct ctl *c, int argc, char *const argv[])
{
    const char *what = argc > 1 ? argv[1] : "get";
    bool flash = argc == 4 && strcmp(argv[3], "--flash") == 0;

    if (strcmp(what, "get") == 0)
        return get(c, argc > 2 ? argc - 2 : 0, argv + 2);
    if (strcmp(what, "set") == 0)
        return ctl_calibrate(c, argc - 1, argv + 1);
    if (argc < 3 || (argc > 3 && !(flash && strcmp(what, "import") == 0)))
        return ctl_usage("params get [NAME..] | set NAME=VALUE.. | export FILE | diff FILE | import FILE [--flash]");
    if (strcmp(what, "export") == 0)
        return ctl_export(c, argv[2]);
    if (strcmp(what, "diff") == 0)
        return ctl_diff(c, argv[2]);
    if (strcmp(what, "import") == 0)
        return ctl_import(c, argv[2], flash);
    return ctl_usage("params has no '%s'", what);
}
