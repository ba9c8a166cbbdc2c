/* SPDX-License-Identifier: Apache-2.0 */
/* bench_accuracy.c -- the accuracy rows of the requirements as budgets: boards in the corners of their data sheets, from -40 to 85 degC, through
 * the simulated chips and the very firmware.
 *
 * usage: bench_accuracy [--boards N] [--json | --page]     --page prints docs/accuracy.md. Exit 1 when a budget is broken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sim/accuracy.h"

enum { BOARDS = 20, BOARDS_MAX = 10000 };

static void print_json(const struct accuracy *rows, unsigned long violations, int boards)
{
    printf("{\"violations\":%lu,\"boards\":%d,\"rows\":{", violations, boards);
    for (int i = 0; i < ACCURACY_ROWS; i++)
        printf("%s\n\"%s\":{\"budget\":%g,\"worst\":%.4g,\"rms\":%.3g,\"unit\":\"%s\",\"readings\":%lu,\"violations\":%lu}", i ? "," : "",
               rows[i].id, rows[i].budget, rows[i].worst, rows[i].rms, rows[i].unit, rows[i].readings, rows[i].violations);
    printf("}}\n");
}

static void print_page(const struct accuracy *rows, int boards)
{
    printf("# Accuracy\n\nMade by `./cellwarden bench accuracy --page`. The accuracy rows of the requirements are tested as budgets: %d "
           "boards are "
           "drawn from the limits below,\nevery second one with each term at one of its limits, and shown the whole range of each quantity "
           "at -40, "
           "-10, 25, 60 and 85 degC. The readings go through\nthe simulated chips and ports and the very firmware. Current sensors are "
           "calibrated at 25 degC first, by `current_offset_mA` and `current_gain_ppm`.\n\n"
           "| row | what | budget | worst | rms | readings |\n| --- | --- | --- | --- | --- | --- |\n",
           boards);
    for (int i = 0; i < ACCURACY_ROWS; i++)
        printf("| %s | %s | %g %s | %.3g | %.2g | %lu |\n", rows[i].id, rows[i].what, rows[i].budget, rows[i].unit, rows[i].worst,
               rows[i].rms, rows[i].readings);
    printf("\nME-1 asks for 0.2 %% of full scale and 5 mV: 5 mV is the smaller. ME-4 is taken of the reading, which is harder than of full "
           "scale. "
           "ME-5: 0.5 %% of\n500 A. ME-6 is stated up to 5 Mohm from 60 V on, with 0.4 uF of Y capacitors; more reads up to 10 Mohm.\n\n"
           "## Error budget of the board\n\nPlausible limits of ordinary parts (`sim/board_error.c`), to be replaced by those of a real "
           "board. "
           "Drift for each kelvin away from 25 degC; noise is one\ndeviation. Gains and offsets of the current sensors are before "
           "calibration.\n\n"
           "| channel | unit | offset | gain | offset / K | gain / K | noise | resolution | parts |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < ERROR_KINDS; i++) {
        const struct error_sheet *s = &board_sheets[i];

        printf("| %s | %s | %g | %g ppm | %g | %g ppm | %g | %g | %s |\n", s->name, s->unit, s->offset, s->gain * 1e6, s->offset_per_K,
               s->gain_per_K * 1e6, s->noise, s->lsb, s->source);
    }
    printf("\nFor the NTC, offset and noise are shares of the AUX supply, the gain is the NTC's and a tenth of it the pull-up's; beta "
           "varies by "
           "0.5 %%. A resolution of\n0 is the AFE's own 16 bits.\n");
}

int main(int argc, char **argv)
{
    struct accuracy rows[ACCURACY_ROWS];
    bool page = false, usage = false;
    int boards = BOARDS;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--boards") == 0 && i + 1 < argc)
            boards = atoi(argv[++i]);
        else if (strcmp(argv[i], "--page") == 0)
            page = true;
        else
            usage = usage || strcmp(argv[i], "--json") != 0;
    }
    if (usage || boards < 1 || boards > BOARDS_MAX) {
        fprintf(stderr, "usage: bench_accuracy [--boards 1..%d] [--json | --page]\n", BOARDS_MAX);
        return 2;
    }
    unsigned long violations = accuracy_measure(board_sheets, boards, rows);

    if (page)
        print_page(rows, boards);
    else
        print_json(rows, violations, boards);
    return violations ? 1 : 0;
}
