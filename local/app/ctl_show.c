/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_show.c -- status, cells, watch: what the samples say. */
#include "local/app/ctl.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "server/api/api_render.h"

static int64_t utc_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The newest sample as the console's table has it, so that text and JSON are made by the same code. */
static void vehicle_of(const struct ctl *c, struct fleet_vehicle *v)
{
    memset(v, 0, sizeof(*v));
    strcpy(v->device, "local.board");
    v->has_sample = true;
    v->sample = c->sample;
    v->received_at_ms = utc_ms();
    v->link.known = v->link.online = true;
    for (size_t i = 0; i < c->sample.alarms && i < SAMPLE_ALARMS_MAX; i++)
        v->alarms[v->alarm_count++] = (struct fleet_alarm) { .alarm = c->sample.alarm[i], .since_ms = v->received_at_ms };
}

static void print_scaled(const char *name, int32_t value, int32_t divisor, int decimals, const char *unit)
{
    if (scalar_validity(value) != VALIDITY_OK)
        printf("%-14s -  (%s)\n", name, validity_word(scalar_validity(value)));
    else
        printf("%-14s %.*f %s\n", name, decimals, (double)value / divisor, unit);
}

static void print_extremes(const struct view *v, const struct sample *s)
{
    if (!v->has_cells) {
        printf("%-14s no cell can be read\n", "cells");
        return;
    }
    printf("%-14s %" PRId32 " mV, cell", "highest cell", v->cell_max_mV);
    for (int i = 0; i < s->cells; i++)
        if (s->cell_mV[i] == v->cell_max_mV)
            printf(" %d", i + 1);
    printf("\n%-14s %" PRId32 " mV, cell", "lowest cell", v->cell_min_mV);
    for (int i = 0; i < s->cells; i++)
        if (s->cell_mV[i] == v->cell_min_mV)
            printf(" %d", i + 1);
    printf("\n%-14s %" PRId32 " mV\n", "spread", v->cell_max_mV - v->cell_min_mV);
    if (v->has_temps)
        printf("%-14s %.1f .. %.1f degC\n", "temperatures", v->temp_min_ddegC / 10.0, v->temp_max_ddegC / 10.0);
}

static void print_relays(const struct sample *s)
{
    int32_t told = s->scalar[SAMPLE_contactors_closed], fed = s->scalar[SAMPLE_contactors_feedback];

    printf("%-14s", "relays");
    for (int bit = 0; bit < 4; bit++)
        printf(" RL%d %s%s", bit + 1, fed >> bit & 1 ? "closed" : "open", (told ^ fed) >> bit & 1 ? " (against its command)" : "");
    printf("\n");
}

static void print_alarms(const struct fleet_vehicle *v)
{
    char text[ALARM_TEXT_SIZE];

    if (v->alarm_count == 0)
        printf("%-14s none\n", "alarms");
    for (size_t i = 0; i < v->alarm_count; i++) {
        view_alarm_text(&v->alarms[i].alarm, NULL, text, sizeof(text));
        printf("%-14s %s: %s\n", i == 0 ? "alarms" : "", v->alarms[i].alarm.level >= ALARM_MAJOR ? "ALARM" : "warning", text);
    }
}

/* How the board's clock stands to ours: samples come over a cable within milliseconds. */
static void print_clock(const struct sample *s, int64_t now_ms)
{
    int64_t ahead = (int64_t)s->utc_ms - now_ms;

    if (s->utc_ms == 0)
        printf("%-14s the board has no time yet\n", "clock");
    else
        printf("%-14s %" PRId64 " s %s this computer\n", "clock", (ahead < 0 ? -ahead : ahead) / 1000, ahead < 0 ? "behind" : "ahead of");
}

int ctl_status(struct ctl *c, int argc, char *const argv[])
{
    static struct fleet_vehicle v;
    struct render_extra extra = { 0, NULL };
    struct view view;

    if (argc > 1)
        return ctl_usage("status takes no '%s'", argv[1]);
    if (ctl_wait_sample(c) != EXIT_DONE)
        return EXIT_FAILED;
    vehicle_of(c, &v);
    extra.now_ms = v.received_at_ms;
    if (c->json) {
        render_row(&c->out, &v, &extra);
        return EXIT_DONE;
    }
    const struct sample *s = &v.sample;

    view_of(&v, NULL, extra.now_ms, &view);
    printf("%-14s %s, %s, %u cells, %u probes, start %" PRIu32 ", sample %" PRIu32 "\n", "state", view_state_word(view.state), view.mode,
           s->cells, s->temps, s->boot, s->no);
    print_scaled("SOC", s->scalar[SAMPLE_soc_permyriad], 100, 1, "%");
    print_scaled("voltage", s->scalar[SAMPLE_pack_voltage_mV], 1000, 1, "V");
    print_scaled("current", s->scalar[SAMPLE_pack_current_mA], 1000, 1, "A (positive: discharging)");
    print_extremes(&view, s);
    print_scaled("VCC", s->scalar[SAMPLE_supply_mV], 1000, 1, "V");
    print_scaled("KeyOn", s->scalar[SAMPLE_keyon_mV], 1000, 1, "V");
    print_scaled("wake-up", s->scalar[SAMPLE_charger_wake_mV], 1000, 1, "V");
    print_scaled("insulation", s->scalar[SAMPLE_insulation_kohm], 1000, 2, "MOhm");
    print_relays(s);
    print_alarms(&v);
    print_clock(s, v.received_at_ms);
    return EXIT_DONE;
}

static void print_cell(const struct sample *s, int i, const struct view *v)
{
    uint16_t mV = s->cell_mV[i];

    if (cell_validity(mV) != VALIDITY_OK)
        printf("%4d      -  %s\n", i + 1, validity_word(cell_validity(mV)));
    else
        printf("%4d  %5u mV  %+5d%s%s%s\n", i + 1, mV, (int)mV - v->cell_mean_mV, mV == v->cell_max_mV ? "  highest" : "",
               mV == v->cell_min_mV ? "  lowest" : "", s->balancing[i / 16] >> (i % 16) & 1 ? "  balancing" : "");
}

int ctl_cells(struct ctl *c, int argc, char *const argv[])
{
    static struct fleet_vehicle v;
    struct render_extra extra = { 0, NULL };
    struct view view;

    if (argc > 1)
        return ctl_usage("cells takes no '%s'", argv[1]);
    if (ctl_wait_sample(c) != EXIT_DONE)
        return EXIT_FAILED;
    vehicle_of(c, &v);
    if (c->json) {
        render_frame(&c->out, &v, &extra);
        return EXIT_DONE;
    }
    view_of(&v, NULL, v.received_at_ms, &view);
    print_extremes(&view, &v.sample);
    printf("\ncell   voltage  to the mean\n");
    for (int i = 0; i < v.sample.cells; i++)
        print_cell(&v.sample, i, &view);
    printf("\nprobe\n");
    for (int i = 0; i < v.sample.temps; i++) {
        int16_t t = v.sample.temp_ddegC[i];

        if (temp_validity(t) == VALIDITY_OK)
            printf("%4d  %5.1f degC%s\n", i + 1, t / 10.0,
                   t == view.temp_max_ddegC   ? "  highest"
                   : t == view.temp_min_ddegC ? "  lowest"
                                              : "");
        else
            printf("%4d      -  %s\n", i + 1, validity_word(temp_validity(t)));
    }
    return EXIT_DONE;
}

/* A figure of a fixed width; a dash where there is no value. */
static void print_figure(int32_t value, int32_t divisor, const char *unit)
{
    if (scalar_validity(value) == VALIDITY_OK)
        printf(" %8.1f %s", (double)value / divisor, unit);
    else
        printf(" %8s %s", "-", unit);
}

static void watch_line(struct ctl *c)
{
    static struct fleet_vehicle v;
    struct render_extra extra = { utc_ms(), NULL };
    struct view view;

    vehicle_of(c, &v);
    if (c->json) { /* one document a line */
        jsonw_reset(&c->out);
        render_row(&c->out, &v, &extra);
        fwrite(c->out.buf, 1, c->out.len, stdout);
        printf("\n");
        jsonw_reset(&c->out);
    } else {
        view_of(&v, NULL, extra.now_ms, &view);
        printf("%8" PRIu32, v.sample.no);
        print_figure(v.sample.scalar[SAMPLE_pack_voltage_mV], 1000, "V");
        print_figure(v.sample.scalar[SAMPLE_pack_current_mA], 1000, "A");
        print_figure(v.sample.scalar[SAMPLE_soc_permyriad], 100, "%");
        if (view.has_cells)
            printf("  cells %" PRId32 " .. %" PRId32 " mV", view.cell_min_mV, view.cell_max_mV);
        printf("  %s\n", view_state_word(view.state));
    }
    fflush(stdout);
}

int ctl_watch(struct ctl *c, int argc, char *const argv[])
{
    char why[WIRE_WHY];
    long count = 0;

    for (int i = 1; i < argc; i++) {
        const char *value = options_value("count", argc, argv, &i, why, sizeof(why));

        if (value == NULL || !options_number(value, 1, 1000000000, &count))
            return ctl_usage("watch takes --count N");
    }
    for (long n = 0; count == 0 || n < count; n++) {
        if (ctl_wait_sample(c) != EXIT_DONE)
            return ctl_is_stopping() ? EXIT_DONE : EXIT_FAILED;
        watch_line(c);
    }
    return EXIT_DONE;
}
