/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum { WORD_MAX = 64, LATCH_PRESSED_ohm = 3520 };
enum what { NOTHING, A_CELL, A_PROBE, A_CHIP, A_PERMILLE, A_RELAY, A_MV, A_DEGC, A_KOHM, AN_OHM, AN_INLET, A_PIN_MV, A_PPM };

struct place { /* of a cell or a probe: its chip, and its number there */
    int chip, k;
};

static struct place place_of_cell(const struct wiring *t, int cell)
{
    struct place p = { 0, cell - 1 };

    while (p.k >= t->chip_cells[p.chip])
        p.k -= t->chip_cells[p.chip++];
    return p;
}

static int probes_of(const struct wiring *t)
{
    int n = 0;

    for (int i = 0; i < t->chips * AFE_TEMPS; i++)
        n += t->chip_probes[i / AFE_TEMPS] >> i % AFE_TEMPS & 1;
    return n;
}

/* Probes are numbered through, those that are not fitted left out. */
static struct place place_of_probe(const struct wiring *t, int probe)
{
    int i = 0;

    for (;; i++) {
        probe -= t->chip_probes[i / AFE_TEMPS] >> i % AFE_TEMPS & 1;
        if (probe == 0)
            return (struct place) { i / AFE_TEMPS, i % AFE_TEMPS };
    }
}

static struct chip *chip_of_cell(struct world *w, int cell, int *k)
{
    struct place p = place_of_cell(&w->wiring, cell);

    *k = p.k;
    return &w->chain.chip[p.chip];
}

static void set_cell(struct world *w, struct fault *f)
{
    world_set_cell(w, f->a - 1, f->b);
}

static void set_probe(struct world *w, struct fault *f)
{
    struct place p = place_of_probe(&w->wiring, f->a);

    world_set_probe(w, p.chip, p.k, f->b);
}

static void open_wire(struct world *w, struct fault *f)
{
    int k;
    struct chip *chip = chip_of_cell(w, f->a, &k);

    chip->faults.open_taps |= 1u << (k + 1);
}

static void stick(struct world *w, struct fault *f)
{
    int k;
    struct chip *chip = chip_of_cell(w, f->a, &k);

    chip->faults.stuck_cells |= (uint16_t)(1u << k);
}

static void heat_die(struct world *w, struct fault *f)
{
    w->chain.chip[f->a - 1].faults.die_C = f->b ? f->b : 0.01; /* 0 is none */
}

static void break_link(struct world *w, struct fault *f)
{
    if (f->a - 1 < w->chain.broken_link)
        w->chain.broken_link = f->a - 1;
}

static void reset_chip(struct world *w, struct fault *f)
{
    if (!f->done)
        chip_reset(&w->chain.chip[f->a - 1]);
    f->done = true;
}

static void spoil(struct world *w, struct fault *f)
{
    w->chain.bad_crc_permille = (unsigned)f->a;
}

static void silence(struct world *w, struct fault *f)
{
    (void)f;
    w->csu.silent = true;
}

static void weld(struct world *w, struct fault *f)
{
    w->contactors.welded |= (uint8_t)(1u << (f->a - 1));
}

static void jam(struct world *w, struct fault *f)
{
    w->contactors.jammed |= (uint8_t)(1u << (f->a - 1));
}

static void leak_pos(struct world *w, struct fault *f)
{
    w->senses.pos_kohm = f->a;
}

static void leak_neg(struct world *w, struct fault *f)
{
    w->senses.neg_kohm = f->a;
}

static void open_hvil(struct world *w, struct fault *f)
{
    (void)f;
    w->senses.hvil_closed = false;
}

static void heat_inlet(struct world *w, struct fault *f)
{
    w->senses.inlet_C[f->a - 1] = f->b;
}

static void set_cc(struct world *w, struct fault *f)
{
    w->senses.cc_ohm = f->a;
}

static void set_cc2(struct world *w, struct fault *f)
{
    w->senses.cc2_V = f->a / 1000.0;
}

static void press_latch(struct world *w, struct fault *f)
{
    (void)f;
    w->senses.cc_ohm = LATCH_PRESSED_ohm;
}

static void stick_ram(struct world *w, struct fault *f)
{
    (void)f;
    w->board.ram_bit = true;
}

static void change_flash(struct world *w, struct fault *f)
{
    (void)f;
    w->board.flash_bit = true;
}

static void be_late(struct world *w, struct fault *f)
{
    (void)f;
    w->board.late = true;
}

static void set_clock(struct world *w, struct fault *f)
{
    w->board.clock_ppm = f->a;
}

static void bite(struct world *w, struct fault *f)
{
    (void)f;
    w->board.watchdog = true;
}

/* clang-format off */
static const struct kind {
    const char *name;
    enum what a, b;
    void (*apply)(struct world *w, struct fault *f);
} kinds[] = {
    { "cell",        A_CELL,     A_MV,    set_cell },
    { "probe",       A_PROBE,    A_DEGC,  set_probe },
    { "open-wire",   A_CELL,     NOTHING, open_wire },
    { "stuck",       A_CELL,     NOTHING, stick },
    { "broken-link", A_CHIP,     NOTHING, break_link },
    { "die",         A_CHIP,     A_DEGC,  heat_die },
    { "chip-reset",  A_CHIP,     NOTHING, reset_chip },
    { "bad-crc",     A_PERMILLE, NOTHING, spoil },
    { "csu-silent",  NOTHING,    NOTHING, silence },
    { "weld",        A_RELAY,    NOTHING, weld },
    { "jam",         A_RELAY,    NOTHING, jam },
    { "insulation-pos", A_KOHM,  NOTHING, leak_pos },
    { "insulation-neg", A_KOHM,  NOTHING, leak_neg },
    { "hvil-open",   NOTHING,    NOTHING, open_hvil },
    { "inlet",       AN_INLET,   A_DEGC,  heat_inlet },
    { "cc",          AN_OHM,     NOTHING, set_cc },
    { "cc2",         A_PIN_MV,   NOTHING, set_cc2 },
    { "ram-bit",     NOTHING,    NOTHING, stick_ram },
    { "flash-bit",   NOTHING,    NOTHING, change_flash },
    { "late",        NOTHING,    NOTHING, be_late },
    { "clock",       A_PPM,      NOTHING, set_clock },
    { "watchdog",    NOTHING,    NOTHING, bite },
    { "latch",       NOTHING,    NOTHING, press_latch },
};
/* clang-format on */

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void limits_of(enum what what, const struct wiring *t, int *min, int *max)
{
    static const struct {
        int min, max;
    } fixed[] = {
        [A_CELL] = { 1, 0 },
        [A_PROBE] = { 1, 0 },
        [A_CHIP] = { 1, 0 }, /* max: as many as there are */
        [A_PERMILLE] = { 0, 1000 },
        [A_RELAY] = { 1, CONTACTORS },
        [A_MV] = { 0, AFE_FULL_SCALE_mV },
        [A_DEGC] = { -40, 125 },
        [A_KOHM] = { 0, 60000 },
        [AN_OHM] = { 0, 1000000 },
        [AN_INLET] = { 1, SENSE_INLETS },
        [A_PIN_MV] = { 0, 15000 },
        [A_PPM] = { 0, 100000 },
    };

    *min = fixed[what].min;
    *max = what == A_CELL ? t->cells : what == A_PROBE ? probes_of(t) : what == A_CHIP ? t->chips : fixed[what].max;
}

/* ":number" when there shall be one. Moves *p on. */
static bool take_number(const char **p, enum what what, const struct wiring *t, int *v)
{
    int min, max;
    char *end;

    if (what == NOTHING)
        return true;
    if (**p != ':')
        return false;
    limits_of(what, t, &min, &max);
    long n = strtol(*p + 1, &end, 10);

    if (end == *p + 1 || n < min || n > max)
        return false;
    *v = (int)n;
    *p = end;
    return true;
}

/* "@from[-to]" to the end of the word. */
static bool take_time(const char *p, struct fault *f)
{
    char *end;

    f->to_s = INFINITY;
    if (*p != '@' || strspn(p + 1, "0123456789.-") != strlen(p + 1))
        return false;
    f->from_s = strtod(p + 1, &end);
    if (end == p + 1)
        return false;
    if (*end == '-') {
        p = end;
        f->to_s = strtod(p + 1, &end);
        if (end == p + 1)
            return false;
    }
    return *end == 0 && f->from_s >= 0 && f->to_s > f->from_s;
}

static bool parse_one(struct fault *f, const char *word, const struct wiring *t)
{
    size_t n = strcspn(word, ":@");

    for (f->kind = 0; f->kind < KINDS; f->kind++) {
        const struct kind *k = &kinds[f->kind];
        const char *p = word + n;

        if (strlen(k->name) == n && strncmp(k->name, word, n) == 0)
            return take_number(&p, k->a, t, &f->a) && take_number(&p, k->b, t, &f->b) && take_time(p, f);
    }
    return false;
}

int faults_parse(struct faults *f, const char *text, const struct wiring *wiring, char error[FAULTS_ERROR_MAX])
{
    *f = (struct faults) { 0 };
    while (*text) {
        char word[WORD_MAX];
        size_t n = strcspn(text, ",");

        snprintf(word, sizeof(word), "%.*s", n < sizeof(word) ? (int)n : WORD_MAX - 1, text);
        if (f->count == FAULTS_MAX) {
            snprintf(error, FAULTS_ERROR_MAX, "more than %d faults", FAULTS_MAX);
            return BMS_ERR_RANGE;
        }
        if (n >= sizeof(word) || !parse_one(&f->fault[f->count], word, wiring)) {
            snprintf(error, FAULTS_ERROR_MAX, "'%s' is no KIND[:A[:B]]@FROM[-TO] of this pack", word);
            return BMS_ERR_RANGE;
        }
        f->count++;
        text += n + (text[n] == ',');
    }
    return BMS_ERR_OK;
}

/* The plug is whoever moves the world's, who sets it before each step. */
static void heal_senses(struct senses *s)
{
    struct senses healthy;

    senses_init(&healthy);
    s->pos_kohm = healthy.pos_kohm;
    s->neg_kohm = healthy.neg_kohm;
    s->hvil_closed = true;
    s->cc2_V = healthy.cc2_V;
    memcpy(s->inlet_C, healthy.inlet_C, sizeof(s->inlet_C));
}

static void mend(struct world *w)
{
    for (int i = 0; i < w->chain.chips; i++)
        w->chain.chip[i].faults = (struct chip_faults) { 0 };
    w->chain.broken_link = AFE_LINK_WHOLE;
    w->chain.bad_crc_permille = 0;
    w->csu.silent = false;
    w->contactors.welded = 0;
    w->contactors.jammed = 0;
    heal_senses(&w->senses);
    w->board = (struct world_board) { 0 };
}

void faults_apply(struct faults *f, struct world *w, double now_s)
{
    if (f->count == 0)
        return;
    mend(w);
    for (int i = 0; i < f->count; i++) {
        struct fault *one = &f->fault[i];

        if (now_s >= one->from_s && now_s < one->to_s)
            kinds[one->kind].apply(w, one);
    }
}
