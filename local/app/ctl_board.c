/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_board.c -- trouble codes, SOC, self-test, simulated failures, upgrade. */
#include "local/app/ctl.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "local/core/dtc_list.h"
#include "local/core/uds_words.h"
#include "proto/tables.h"

enum { START = 1, STOP = 2, RESULT = 3, SOC_FULL = 10000, SIMULATE_S = 60, SIMULATE_MAX_S = 600, SIMULATED = 3, KEEP_MS = 1000 };
#define IMAGE_MAX (16u << 20)

static size_t routine(uint8_t *out, uint8_t how, uint16_t id)
{
    out[0] = UDS_ROUTINE;
    out[1] = how;
    put_be16(out + 2, id);
    return 4;
}

static void done(struct ctl *c, const char *words)
{
    if (c->json) {
        jsonw_object(&c->out);
        jsonw_member_bool(&c->out, "ok", true);
        jsonw_object_end(&c->out);
    } else {
        printf("%s\n", words);
    }
}

static void show_dtc(struct ctl *c, const struct dtc_row *row)
{
    char words[160];
    const char *text = row->alarm < 0 ? "not in this program's table" : alarm_rows[row->alarm].text;

    uds_status_words(row->status, words, sizeof(words));
    if (!c->json) {
        printf("%06" PRIX32 "  %02X  %-40s %s\n", row->code, row->status, text, words);
        return;
    }
    jsonw_object(&c->out);
    jsonw_member_int(&c->out, "code", row->code);
    jsonw_member_str(&c->out, "alarm", row->alarm < 0 ? NULL : alarm_rows[row->alarm].name);
    jsonw_member_str(&c->out, "text", text);
    jsonw_member_int(&c->out, "status", row->status);
    jsonw_member_str(&c->out, "words", words);
    jsonw_object_end(&c->out);
}

static int list_dtcs(struct ctl *c)
{
    static const uint8_t request[] = { UDS_READ_DTC, 0x02, 0xAF }; /* all but "not tested": what has happened */
    static struct dtc_row rows[DTC_LIST_MAX];

    if (ctl_ask(c, request, sizeof(request), TESTER_OPEN) != EXIT_DONE)
        return EXIT_FAILED;
    int n = dtc_list_parse(c->cable.tester.answer, c->cable.tester.answer_n, rows);

    if (n < 0)
        return ctl_fail("the board's answer makes no sense");
    if (c->json)
        jsonw_array(&c->out);
    else if (n == 0)
        printf("no trouble codes\n");
    for (int i = 0; i < n; i++)
        show_dtc(c, &rows[i]);
    if (c->json)
        jsonw_array_end(&c->out);
    return EXIT_DONE;
}

int ctl_dtc(struct ctl *c, int argc, char *const argv[])
{
    static const uint8_t clear[] = { UDS_CLEAR_DTC, 0xFF, 0xFF, 0xFF };

    if (argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0))
        return list_dtcs(c);
    if (argc != 2 || strcmp(argv[1], "clear") != 0)
        return ctl_usage("dtc list | clear");
    if (ctl_ask(c, clear, sizeof(clear), TESTER_MAY_KEY) != EXIT_DONE)
        return EXIT_FAILED;
    done(c, "cleared");
    return EXIT_DONE;
}

int ctl_soc(struct ctl *c, int argc, char *const argv[])
{
    uint8_t request[6];
    char *end = NULL;
    double percent = argc == 3 && strcmp(argv[1], "set") == 0 ? strtod(argv[2], &end) : -1.0;

    if (end == NULL || end == argv[2] || *end != '\0' || !(percent >= 0.0 && percent <= 100.0))
        return ctl_usage("soc set PERCENT, from 0 to 100");
    routine(request, START, UDS_ROUTINE_SET_SOC);
    put_be16(request + 4, (uint16_t)lround(percent * SOC_FULL / 100.0));
    if (ctl_ask(c, request, sizeof(request), TESTER_MAY_KEY) != EXIT_DONE)
        return EXIT_FAILED;
    done(c, "set");
    return EXIT_DONE;
}

int ctl_selftest(struct ctl *c, int argc, char *const argv[])
{
    uint8_t request[4];

    if (argc > 1)
        return ctl_usage("selftest takes no '%s'", argv[1]);
    if (ctl_ask(c, request, routine(request, START, UDS_ROUTINE_SELF_TEST), TESTER_OPEN) != EXIT_DONE)
        return EXIT_FAILED;
    if (c->cable.tester.answer_n != 6)
        return ctl_fail("the board's answer makes no sense");
    unsigned failed = get_be16(c->cable.tester.answer + 4);

    if (c->json) {
        jsonw_object(&c->out);
        jsonw_member_int(&c->out, "failed", failed);
        jsonw_object_end(&c->out);
    } else if (failed == 0) {
        printf("all well\n");
    }
    return failed == 0 ? EXIT_DONE : c->json ? EXIT_FAILED : ctl_fail("failed units, one bit each: 0x%04X", failed);
}

static int alarm_named(const char *name)
{
    for (int a = 0; a < ALARMS; a++)
        if (strcmp(alarm_rows[a].name, name) == 0)
            return a;
    return BMS_ERR_UNKNOWN;
}

static int list_simulated(struct ctl *c)
{
    uint8_t request[4];

    if (ctl_ask(c, request, routine(request, RESULT, UDS_ROUTINE_SIMULATE), TESTER_OPEN) != EXIT_DONE)
        return EXIT_FAILED;
    const uint8_t *p = c->cable.tester.answer;
    size_t n = c->cable.tester.answer_n;

    if (c->json)
        jsonw_array(&c->out);
    else if (n == 4)
        printf("nothing is simulated\n");
    for (size_t at = 4; at + SIMULATED <= n; at += SIMULATED) {
        int a = alarm_by_id(p[at]);
        const char *name = a < 0 ? "unknown" : alarm_rows[a].name;

        if (c->json) {
            jsonw_object(&c->out);
            jsonw_member_str(&c->out, "alarm", name);
            jsonw_member_int(&c->out, "seconds", get_be16(p + at + 1));
            jsonw_object_end(&c->out);
        } else {
            printf("%-40s %u s left\n", name, get_be16(p + at + 1));
        }
    }
    if (c->json)
        jsonw_array_end(&c->out);
    return EXIT_DONE;
}

static int end_simulated(struct ctl *c)
{
    uint8_t request[4];
    int end = ctl_ask(c, request, routine(request, STOP, UDS_ROUTINE_SIMULATE), TESTER_OPEN);

    if (end == EXIT_DONE)
        done(c, "nothing is simulated any more");
    return end;
}

/* The board ends a simulation when nobody asks it anything for 5 s: ask each second until it is over, or until we are stopped. */
static int hold_simulated(struct ctl *c)
{
    uint8_t request[4];
    size_t n = routine(request, RESULT, UDS_ROUTINE_SIMULATE);

    do {
        uint32_t began = cable_now_ms();

        while (!ctl_is_stopping() && cable_now_ms() - began < KEEP_MS)
            cable_step(&c->cable, 10);
        if (ctl_is_stopping())
            return EXIT_DONE; /* it ends by itself */
        if (ctl_ask(c, request, n, TESTER_OPEN) != EXIT_DONE)
            return EXIT_FAILED;
    } while (c->cable.tester.answer_n > 4);
    done(c, "over");
    return EXIT_DONE;
}

int ctl_inject(struct ctl *c, int argc, char *const argv[])
{
    uint8_t request[7];
    char why[WIRE_WHY];
    long seconds = SIMULATE_S;

    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list_simulated(c);
    if (argc == 2 && strcmp(argv[1], "off") == 0)
        return end_simulated(c);
    int a = argc > 1 ? alarm_named(argv[1]) : -1;

    if (a < 0)
        return ctl_usage(argc > 1 ? "there is no alarm '%s'" : "inject ALARM [--seconds N] | off | list%s", argc > 1 ? argv[1] : "");
    for (int i = 2; i < argc; i++) {
        const char *value = options_value("seconds", argc, argv, &i, why, sizeof(why));

        if (value == NULL || !options_number(value, 1, SIMULATE_MAX_S, &seconds))
            return ctl_usage("--seconds N, from 1 to %d", SIMULATE_MAX_S);
    }
    routine(request, START, UDS_ROUTINE_SIMULATE);
    request[4] = alarm_rows[a].id;
    put_be16(request + 5, (uint16_t)seconds);
    if (ctl_ask(c, request, sizeof(request), TESTER_KEY) != EXIT_DONE)
        return EXIT_FAILED;
    if (!c->json)
        printf("simulated for %ld s; it ends with this command\n", seconds);
    fflush(stdout);
    return hold_simulated(c);
}

/* The whole file; NULL with the reason said. */
static uint8_t *load(const char *path, uint32_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *image = f ? malloc(IMAGE_MAX + 1) : NULL;
    size_t n = image ? fread(image, 1, IMAGE_MAX + 1, f) : 0;

    if (f)
        fclose(f);
    *size = (uint32_t)n;
    if (n > 0 && n <= IMAGE_MAX)
        return image;
    ctl_fail(image == NULL ? "'%s' cannot be read" : n == 0 ? "'%s' is empty" : "'%s' is larger than 16 MB", path);
    free(image);
    return NULL;
}

static void show_progress(const struct upgrade *u, unsigned *shown)
{
    unsigned percent = (unsigned)((uint64_t)u->sent * 100 / u->size);

    if (percent != *shown) {
        fprintf(stderr, "\r%s %u %%   ", upgrade_phase_words(u->phase), percent);
        *shown = percent;
    }
}

/* ctl_run() with progress. */
static int send_image(struct ctl *c, const uint8_t *image, uint32_t size)
{
    unsigned shown = 101;
    enum tester_state state = TESTER_BUSY;

    if (ctl_wait_link(c) != EXIT_DONE)
        return EXIT_FAILED;
    int err = tester_upgrade(&c->cable.tester, image, size);

    if (err != BMS_ERR_OK)
        return ctl_fail("%s", bms_err_text(err));
    while (state != TESTER_DONE) {
        state = cable_step(&c->cable, 10);
        if (!c->json)
            show_progress(&c->cable.tester.upgrade, &shown);
        if (ctl_is_stopping() || !cable_is_up(&c->cable))
            return ctl_fail(ctl_is_stopping() ? "\nstopped; the same command goes on where it was" : "the link is gone");
    }
    if (!c->json)
        fprintf(stderr, "\n");
    return c->cable.tester.end == TESTER_OK ? EXIT_DONE : ctl_fail("%s", c->cable.tester.detail);
}

int ctl_upgrade(struct ctl *c, int argc, char *const argv[])
{
    uint32_t size = 0, began = cable_now_ms();

    if (argc != 2)
        return ctl_usage("upgrade FILE");
    uint8_t *image = load(argv[1], &size);

    if (image == NULL)
        return EXIT_FAILED;
    int end = send_image(c, image, size);
    const struct upgrade *u = &c->cable.tester.upgrade;

    if (end == EXIT_DONE && c->json) {
        jsonw_object(&c->out);
        jsonw_member_int(&c->out, "bytes", u->size);
        jsonw_member_int(&c->out, "resumed", u->resumed);
        jsonw_member_int(&c->out, "crc32c", u->crc);
        jsonw_member_int(&c->out, "ms", cable_now_ms() - began);
        jsonw_object_end(&c->out);
    } else if (end == EXIT_DONE) {
        printf("%" PRIu32 " bytes checked by the board (CRC-32C %08" PRIX32 "), restarted\n", u->size, u->crc);
    }
    free(image);
    return end;
}
