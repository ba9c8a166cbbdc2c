/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_file.c -- parameters as a .json file: export, diff, import (UC-4). */
#include "local/app/ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "local/app/param_file.h"
#include "proto/tables.h"

int ctl_export(struct ctl *c, const char *path)
{
    double seconds;
    struct jsonw doc;
    FILE *to = strcmp(path, "-") == 0 ? stdout : NULL;

    if (ctl_need_our_tables(c) != EXIT_DONE)
        return EXIT_FAILED;
    if (ctl_read_params(c, &seconds) != EXIT_DONE)
        return EXIT_FAILED;
    jsonw_init(&doc, PARAM_FILE_MAX);
    param_file_write(&doc, &c->cable.tester.params, "local.board", "cellwarden-ctl", (long long)time(NULL) * 1000);
    if (to == NULL)
        to = fopen(path, "w");
    bool good = to != NULL && !doc.failed && fwrite(doc.buf, 1, doc.len, to) == doc.len && fputc('\n', to) != EOF;

    if (to != NULL && to != stdout)
        good = fclose(to) == 0 && good;
    jsonw_deinit(&doc);
    return good ? EXIT_DONE : ctl_fail("'%s' cannot be written", path);
}

/* The file into *cmd: what differs. EXIT_*. */
static int load(struct ctl *c, const char *path, struct command *cmd)
{
    double seconds;
    FILE *from = fopen(path, "r");
    char *text = from ? malloc(PARAM_FILE_MAX + 2) : NULL;
    size_t n = text ? fread(text, 1, PARAM_FILE_MAX + 1, from) : 0;
    int end = EXIT_FAILED;

    if (from)
        fclose(from);
    if (text == NULL)
        ctl_fail("'%s' cannot be read", path);
    else if (ctl_need_our_tables(c) == EXIT_DONE && ctl_read_params(c, &seconds) == EXIT_DONE)
        end = param_file_read(text, n, &c->cable.tester.params, cmd, stderr) == BMS_ERR_OK
                  ? EXIT_DONE
                  : ctl_fail("'%s' is refused, nothing was written", path);
    free(text);
    return end;
}

int ctl_diff(struct ctl *c, const char *path)
{
    static struct command cmd = { .act = COMMAND_WRITE };

    if (load(c, path, &cmd) != EXIT_DONE)
        return EXIT_FAILED;
    if (c->json)
        jsonw_array(&c->out);
    for (size_t i = 0; i < cmd.writes; i++) {
        int p = param_by_id((uint16_t)cmd.write[i].id);
        int32_t now = c->cable.tester.params.running[p];

        if (c->json) {
            jsonw_object(&c->out);
            jsonw_member_str(&c->out, "name", param_rows[p].name);
            jsonw_member_int(&c->out, "running", now);
            jsonw_member_int(&c->out, "file", cmd.write[i].value);
            jsonw_object_end(&c->out);
        } else {
            printf("%-40s %12" PRId32 " -> %" PRId32 " %s\n", param_rows[p].name, now, cmd.write[i].value, param_rows[p].unit);
        }
    }
    if (c->json)
        jsonw_array_end(&c->out);
    return cmd.writes ? EXIT_FAILED : EXIT_DONE;
}

int ctl_import(struct ctl *c, const char *path, bool store)
{
    static struct command cmd = { .act = COMMAND_WRITE };

    cmd.store = store;
    if (load(c, path, &cmd) != EXIT_DONE)
        return EXIT_FAILED;
    if (cmd.writes == 0 && !store) {
        printf("%s\n", c->json ? "{\"readback\":[],\"ok\":true,\"detail\":\"\"}" : "nothing differs");
        return EXIT_DONE;
    }
    return ctl_carry_out(c, &cmd);
}
