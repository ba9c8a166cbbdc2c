/* SPDX-License-Identifier: Apache-2.0 */
/* cellwarden-lcd --port PATH [OPTIONS] -- the display on the board's RS485, in a terminal: data, cells, warnings, and editing of parameters (TA-5).
 * Modbus RTU by libmodbus; the registers are those of proto/modbus.def. It does not write to a board whose tables are not its own.
 */
#include <errno.h>
#include <getopt.h>
#include <modbus.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "proto/catalogue.h"
#include "proto/modbus.h"
#include "proto/tables.h"

enum { EXIT_USAGE = 2, DATA = 42, CELLS_AT_ONCE = 80, ALARM_WORDS = 4, EDITS_MAX = 16, TRIES = 20, STORE_POLLS = 50, LINE_MAX_N = 80 };

struct lcd {
    modbus_t *bus;
    uint16_t data[DATA], cell[PACK_CELLS_MAX], alarm[SAMPLE_ALARMS_MAX * ALARM_WORDS];
};

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* Busy (06) means that a cable tool has the line: wait and ask again, for at most 10 s. */
static bool is_busy(int tries)
{
    if (errno != EMBXSBUSY || tries >= TRIES)
        return false;
    pause_ms(500);
    return true;
}

static bool read_input(struct lcd *l, int at, int n, uint16_t *to)
{
    for (int tries = 0; modbus_read_input_registers(l->bus, at, n, to) != n; tries++)
        if (!is_busy(tries))
            return false;
    return true;
}

static bool read_holding(struct lcd *l, int at, int n, uint16_t *to)
{
    for (int tries = 0; modbus_read_registers(l->bus, at, n, to) != n; tries++)
        if (!is_busy(tries))
            return false;
    return true;
}

static int cells_of(const struct lcd *l)
{
    return l->data[MODBUS_AT_cells] < PACK_CELLS_MAX ? l->data[MODBUS_AT_cells] : PACK_CELLS_MAX;
}

static bool read_all(struct lcd *l)
{
    bool good = read_input(l, 0, 22, l->data) && read_input(l, 23, DATA - 23, l->data + 23) &&
                read_input(l, MODBUS_AT_alarm, SAMPLE_ALARMS_MAX * ALARM_WORDS, l->alarm);

    for (int at = 0; good && at < cells_of(l); at += CELLS_AT_ONCE) {
        int left = cells_of(l) - at;

        good = read_input(l, MODBUS_AT_cell + at, left < CELLS_AT_ONCE ? left : CELLS_AT_ONCE, l->cell + at);
    }
    return good;
}

/* --- pages --- */

static void show(const char *what, const struct lcd *l, int at, double divide, const char *unit, bool is_signed)
{
    uint16_t raw = l->data[at];
    enum validity why = is_signed ? temp_validity((int16_t)raw) : cell_validity(raw);

    if (why != VALIDITY_OK)
        printf("%-18s %10s\n", what, validity_word(why));
    else
        printf("%-18s %10.*f %s\n", what, divide >= 100 ? 2 : divide > 1 ? 1 : 0, (is_signed ? (int16_t)raw : raw) / divide, unit);
}

static void data_page(const struct lcd *l)
{
    static const char *const modes[] = { "init", "parked", "driving", "charging", "fault" };
    uint16_t mode = l->data[MODBUS_AT_mode];

    show("SOC", l, MODBUS_AT_soc, 100, "%", false);
    show("voltage", l, MODBUS_AT_pack_voltage, 10, "V", false);
    show("current", l, MODBUS_AT_pack_current, 10, "A", true);
    printf("%-18s %10s\n", "mode", mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : "?");
    show("capacity left", l, MODBUS_AT_capacity_left, 10, "Ah", false);
    show("energy left", l, MODBUS_AT_energy_left, 10, "kWh", false);
    show("highest cell", l, MODBUS_AT_cell_max, 1, "mV", false);
    show("lowest cell", l, MODBUS_AT_cell_min, 1, "mV", false);
    show("hottest probe", l, MODBUS_AT_temp_max, 10, "degC", true);
    show("supply", l, MODBUS_AT_supply, 1000, "V", false);
    printf("%-18s %10u\n", "warnings", l->data[MODBUS_AT_alarms]);
    for (unsigned i = 0; i < l->data[MODBUS_AT_alarms] && i < SAMPLE_ALARMS_MAX; i++) {
        const uint16_t *a = l->alarm + ALARM_WORDS * i;
        int row = a[0] <= UINT8_MAX ? alarm_by_id((uint8_t)a[0]) : -1;

        printf("  %-7s %s", a[1] == ALARM_MAJOR ? "MAJOR" : "warning", row >= 0 ? alarm_rows[row].text : "unknown alarm");
        printf(a[2] == SAMPLE_ALARM_SIMULATED ? " (simulated)\n" : a[2] ? " %u\n" : "\n", a[2]);
    }
}

static void cell_page(const struct lcd *l)
{
    for (int i = 0; i < cells_of(l); i++) {
        enum validity why = cell_validity(l->cell[i]);
        char value[16];

        snprintf(value, sizeof(value), "%u", l->cell[i]);
        printf("%3d %-12s%s", i + 1, why == VALIDITY_OK ? value : validity_word(why), i % 5 == 4 ? "\n" : " ");
    }
    printf("\n");
}

/* --- editing --- */

static int param_by_name(const char *name, size_t n)
{
    for (int i = 0; i < PARAMS; i++)
        if (strlen(param_rows[i].name) == n && strncmp(param_rows[i].name, name, n) == 0)
            return i;
    return -1;
}

static bool complain(const char *what)
{
    fprintf(stderr, "cellwarden-lcd: %s: %s\n", what, modbus_strerror(errno));
    return false;
}

/* "name=value". */
static bool edit(struct lcd *l, const char *text)
{
    const char *equals = strchr(text, '=');
    int row = equals ? param_by_name(text, (size_t)(equals - text)) : -1;
    char *end = NULL;
    long value = equals ? strtol(equals + 1, &end, 10) : 0;

    if (row < 0 || end == equals + 1 || *end) {
        fprintf(stderr, "cellwarden-lcd: '%s' is no name=number of a parameter\n", text);
        return false;
    }
    if (value < param_rows[row].min || value > param_rows[row].max) {
        fprintf(stderr, "cellwarden-lcd: %s is %d to %d %s\n", param_rows[row].name, (int)param_rows[row].min, (int)param_rows[row].max,
                param_rows[row].unit);
        return false;
    }
    uint32_t raw = (uint32_t)(int32_t)value;
    int at = MODBUS_PARAM_RUNNING + 2 * param_rows[row].id;
    uint16_t words[2] = { (uint16_t)(raw >> 16), (uint16_t)raw }, back[2];

    for (int tries = 0; modbus_write_registers(l->bus, at, 2, words) != 2; tries++)
        if (!is_busy(tries))
            return complain("the board does not take it");
    if (!read_holding(l, at, 2, back) || memcmp(back, words, sizeof(words)) != 0)
        return complain("the board has not taken it");
    printf("%s = %ld %s\n", param_rows[row].name, value, param_rows[row].unit);
    return true;
}

static bool store(struct lcd *l)
{
    uint16_t result = 0;

    for (int tries = 0; modbus_write_register(l->bus, MODBUS_HOLD_command, 1) != 1; tries++)
        if (!is_busy(tries))
            return complain("the board does not store");
    for (int i = 0; i < STORE_POLLS; i++) {
        if (!read_holding(l, MODBUS_HOLD_result, 1, &result))
            return complain("the board does not say whether it stored");
        if (result == 2)
            return printf("stored\n") > 0;
        if (result == 3)
            break;
        pause_ms(100);
    }
    fprintf(stderr, "cellwarden-lcd: the board could not store\n");
    return false;
}

static bool is_our_board(const struct lcd *l)
{
    uint32_t hash = (uint32_t)l->data[MODBUS_AT_catalogue_high] << 16 | l->data[MODBUS_AT_catalogue_low];

    if (hash == board_catalogue.hash)
        return true;
    fprintf(
        stderr,
        "cellwarden-lcd: the board has other tables (%08x, here %08x): nothing is written. A cable tool can read them from the board.\n",
        (unsigned)hash, (unsigned)board_catalogue.hash);
    return false;
}

/* --- the screen --- */

static void ask_for_edit(struct lcd *l)
{
    char text[LINE_MAX_N];

    printf("name=value, or store: ");
    fflush(stdout);
    if (!fgets(text, sizeof(text), stdin))
        return;
    text[strcspn(text, "\n")] = 0;
    if (*text && is_our_board(l))
        (void)(strcmp(text, "store") == 0 ? store(l) : edit(l, text));
    pause_ms(1500);
}

static int screen(struct lcd *l)
{
    struct termios was, raw;
    bool terminal = tcgetattr(STDIN_FILENO, &was) == 0, cells = false;

    for (;;) {
        struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };
        char c = 0;
        bool there = read_all(l);

        printf("\033[H\033[2J");
        if (!there)
            printf("no answer: %s\n", modbus_strerror(errno));
        else if (cells)
            cell_page(l);
        else
            data_page(l);
        printf("\n1 data  2 cells  e edit  q quit\n");
        fflush(stdout);
        raw = was;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        if (terminal)
            tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        bool pressed = poll(&key, 1, 1000) > 0 && read(STDIN_FILENO, &c, 1) <= 0;

        if (terminal)
            tcsetattr(STDIN_FILENO, TCSANOW, &was);
        if (c == 'q' || pressed) /* asked to, or the input is over */
            return EXIT_SUCCESS;
        cells = c == '2' || (cells && c != '1');
        if (c == 'e')
            ask_for_edit(l);
    }
}

static int once(struct lcd *l, char **edits, int count, bool stores, bool cells)
{
    if (!read_all(l)) {
        complain("no answer from the board");
        return EXIT_FAILURE;
    }
    if ((count || stores) && !is_our_board(l))
        return EXIT_FAILURE;
    for (int i = 0; i < count; i++)
        if (!edit(l, edits[i]))
            return EXIT_FAILURE;
    if (stores && !store(l))
        return EXIT_FAILURE;
    if (cells)
        cell_page(l);
    else
        data_page(l);
    return EXIT_SUCCESS;
}

static void help(FILE *to)
{
    fprintf(to, "usage: cellwarden-lcd --port PATH [OPTIONS]\n\n"
                "The display on the board's RS485, in a terminal (Modbus RTU).\n\n"
                "  --port PATH        serial port, such as /dev/ttyUSB0 or the link of cellwarden-pack --rs485-pty\n"
                "  --address N        of the board, 1 to 247 (1)\n"
                "  --baud N           1200 to 115200 (115200)\n"
                "  --once             print a page as text and end\n"
                "  --cells            the page of cells instead of the page of data\n"
                "  --set NAME=VALUE   change a running parameter, then as --once; may be repeated\n"
                "  --store            make the running parameters last, then as --once\n");
}

static bool number(const char *text, long min, long max, int *to)
{
    char *end;
    long v = strtol(text, &end, 10);

    *to = (int)v;
    return *text && !*end && v >= min && v <= max;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' }, { "address", required_argument, NULL, 'a' }, { "baud", required_argument, NULL, 'b' },
        { "once", no_argument, NULL, '1' },       { "cells", no_argument, NULL, 'c' },         { "set", required_argument, NULL, 's' },
        { "store", no_argument, NULL, 'w' },      { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 }
    };
    static struct lcd l;
    char *edits[EDITS_MAX];
    const char *port = NULL;
    int count = 0, address = 1, baud = 115200;
    bool is_once = false, cells = false, stores = false, wrong = false;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'p':
            port = optarg;
            break;
        case 'a':
            wrong = !number(optarg, 1, 247, &address) || wrong;
            break;
        case 'b':
            wrong = !number(optarg, 1200, 115200, &baud) || wrong;
            break;
        case '1':
            is_once = true;
            break;
        case 'c':
            cells = true;
            break;
        case 's':
            wrong = count == EDITS_MAX || wrong;
            if (!wrong)
                edits[count++] = optarg;
            break;
        case 'w':
            stores = true;
            break;
        case 'h':
            help(stdout);
            return EXIT_SUCCESS;
        default:
            wrong = true;
            break;
        }
    }
    if (!port || wrong || optind < argc) {
        help(stderr);
        return EXIT_USAGE;
    }
    l.bus = modbus_new_rtu(port, baud, 'N', 8, 1);
    if (!l.bus || modbus_set_slave(l.bus, address) != 0 || modbus_set_response_timeout(l.bus, 1, 0) != 0 || modbus_connect(l.bus) != 0) {
        fprintf(stderr, "cellwarden-lcd: %s: %s\n", port, modbus_strerror(errno));
        modbus_free(l.bus);
        return EXIT_FAILURE;
    }
    int code = is_once || count || stores ? once(&l, edits, count, stores, cells) : screen(&l);

    modbus_close(l.bus);
    modbus_free(l.bus);
    return code;
}
