/* SPDX-License-Identifier: Apache-2.0 */
/* api_fleet.c -- the list of vehicles: counts, the ones that need attention, one window of the filtered and sorted rows.
 *
 * All from the fleet table: under its lock only the few facts that filter and sort need are taken, the rows of the window are copied after.
 */
#include "server/api/api_parts.h"
#include "server/api/api_render.h"
#include "server/api/auth_role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ATTENTION_MAX = 20, LIMIT_DEFAULT = 100, LIMIT_MAX = 200, FILTER_MAX = 200, WORDS_MAX = 16 };

struct found { /* one vehicle while the list is made */
    char device[DEVICE_NAME_MAX + 1];
    enum view_state state;
    bool known; /* has the value by which the list is sorted */
    int64_t key;
};

struct filter {
    char text[FILTER_MAX + 1];
    const char *words[WORDS_MAX];
    size_t word_count;
    bool states; /* only those of `state` */
    bool state[VIEW_STATES];
};

struct list {
    const struct http_user *user;
    const struct filter *filter;
    int64_t (*key)(const struct fleet_vehicle *, const struct view *, bool *known);
    int64_t now_ms;
    struct found *items;
    size_t count, max;
};

/* clang-format off */
static int64_t key_state(const struct fleet_vehicle *f, const struct view *v, bool *known)       { (void)f; *known = true; return v->state; }
static int64_t key_cell_min(const struct fleet_vehicle *f, const struct view *v, bool *known)    { (void)f; *known = v->has_cells; return v->cell_min_mV; }
static int64_t key_cell_max(const struct fleet_vehicle *f, const struct view *v, bool *known)    { (void)f; *known = v->has_cells; return v->cell_max_mV; }
static int64_t key_spread(const struct fleet_vehicle *f, const struct view *v, bool *known)      { (void)f; *known = v->has_cells; return v->cell_max_mV - v->cell_min_mV; }
static int64_t key_temp_max(const struct fleet_vehicle *f, const struct view *v, bool *known)    { (void)f; *known = v->has_temps; return v->temp_max_ddegC; }
static int64_t key_measured_at(const struct fleet_vehicle *f, const struct view *v, bool *known) { (void)v; *known = f->has_sample; return (int64_t)f->sample.utc_ms; }
/* clang-format on */

static int64_t key_soc(const struct fleet_vehicle *f, const struct view *v, bool *known)
{
    int32_t soc = f->sample.scalar[SAMPLE_soc_permyriad];

    (void)v;
    *known = f->has_sample && scalar_validity(soc) == VALIDITY_OK;
    return soc;
}

static int64_t key_name(const struct fleet_vehicle *f, const struct view *v, bool *known)
{
    (void)f;
    (void)v;
    *known = true;
    return 0; /* all equal: the names decide */
}

static const struct {
    const char *name;
    int64_t (*key)(const struct fleet_vehicle *, const struct view *, bool *known);
} sorts[] = {
    { "id", key_name },
    { "state", key_state },
    { "soc_permyriad", key_soc },
    { "cell_min_mV", key_cell_min },
    { "cell_max_mV", key_cell_max },
    { "spread_mV", key_spread },
    { "temp_max_ddegC", key_temp_max },
    { "measured_at", key_measured_at },
};

static bool contains(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (; *text != '\0'; text++) {
        if (strncasecmp(text, word, len) == 0)
            return true;
    }
    return false;
}

/* Returns false for a state that there is not. */
static bool add_word(struct filter *f, const char *word)
{
    if (strncasecmp(word, "state:", 6) != 0) {
        if (f->word_count < WORDS_MAX)
            f->words[f->word_count++] = word;
        return true;
    }
    for (int s = 0; s < VIEW_STATES; s++) {
        if (strcasecmp(word + 6, view_state_word((enum view_state)s)) == 0) {
            f->state[s] = f->states = true;
            return true;
        }
    }
    return false;
}

static bool parse_filter(struct http_exchange *ex, struct filter *f)
{
    const char *text = http_query(ex, "f");
    char *rest = NULL;

    memset(f, 0, sizeof *f);
    if (text != NULL && strlen(text) > FILTER_MAX) {
        http_problem(ex, 400, "bad_field", "f", "the filter may have at most 200 bytes");
        return false;
    }
    snprintf(f->text, sizeof f->text, "%s", text == NULL ? "" : text);
    for (char *word = strtok_r(f->text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (!add_word(f, word)) {
            http_problem(ex, 400, "bad_field", "f", "state: must be alarm, warning, ok or offline");
            return false;
        }
    }
    return true;
}

static bool matches(const struct filter *f, const char *device, enum view_state state)
{
    if (f->states && !f->state[state])
        return false;
    for (size_t i = 0; i < f->word_count; i++) {
        if (!contains(device, f->words[i]))
            return false;
    }
    return true;
}

/* Called under the fleet's lock. */
static void take_vehicle(void *ctx, const struct fleet_vehicle *vehicle)
{
    struct list *list = ctx;
    struct view v;

    if (list->count == list->max || !auth_role_sees(list->user, vehicle->device))
        return;
    view_of(vehicle, NULL, list->now_ms, &v);
    if (!matches(list->filter, vehicle->device, v.state))
        return;
    struct found *item = &list->items[list->count++];

    snprintf(item->device, sizeof item->device, "%s", vehicle->device);
    item->state = v.state;
    item->key = list->key(vehicle, &v, &item->known);
}

/* Unknown values go last, whatever the direction; equals go by name, so that the order is stable. */
static int compare(const struct found *a, const struct found *b, int direction)
{
    if (a->known != b->known)
        return a->known ? -1 : 1;
    if (a->known && a->key != b->key)
        return a->key < b->key ? -direction : direction;
    return 0;
}

static int ascending(const void *a, const void *b)
{
    int order = compare(a, b, 1);

    return order != 0 ? order : strcmp(((const struct found *)a)->device, ((const struct found *)b)->device);
}

static int descending(const void *a, const void *b)
{
    int order = compare(a, b, -1);

    return order != 0 ? order : strcmp(((const struct found *)a)->device, ((const struct found *)b)->device);
}

static int descending_name(const void *a, const void *b)
{
    return -ascending(a, b);
}

/* Fill and sort. The caller frees list->items. False: answered. */
static bool make_list(struct http_exchange *ex, struct list *list, const char *sort)
{
    bool down = sort[0] == '-';
    size_t row = 0;

    while (row < sizeof sorts / sizeof sorts[0] && strcmp(sorts[row].name, sort + down) != 0)
        row++;
    if (row == sizeof sorts / sizeof sorts[0]) {
        http_problem(ex, 400, "bad_field", "sort", "the list cannot be sorted by that");
        return false;
    }
    list->key = sorts[row].key;
    list->max = fleet_count(api_of(ex)->parts.fleet) + 64; /* a few may come meanwhile */
    list->items = calloc(list->max, sizeof *list->items);
    if (list->items == NULL) {
        http_problem(ex, 503, "no_memory", NULL, "the list is too long now");
        return false;
    }
    fleet_each(api_of(ex)->parts.fleet, take_vehicle, list);
    qsort(list->items, list->count, sizeof *list->items, !down ? ascending : row == 0 ? descending_name : descending);
    return true;
}

static void render_window(struct http_exchange *ex, const struct list *list, size_t offset, size_t limit)
{
    struct api *api = api_of(ex);
    struct fleet_vehicle vehicle;
    struct view_running running;

    jsonw_key(&ex->out, "rows");
    jsonw_array(&ex->out);
    for (size_t i = offset; i < list->count && i - offset < limit; i++) {
        const char *device = list->items[i].device;

        if (!fleet_get(api->parts.fleet, device, &vehicle))
            continue;
        struct render_extra extra = { list->now_ms, &running };

        api_running_get(api->running, device, true, &running);
        render_row(&ex->out, &vehicle, &extra);
    }
    jsonw_array_end(&ex->out);
}

void api_fleet_rows(struct http_exchange *ex)
{
    struct filter filter;
    struct list list = { .user = &ex->user, .filter = &filter, .now_ms = http_utc_ms() };
    const char *sort = http_query(ex, "sort");
    int64_t offset = 0, limit = LIMIT_DEFAULT;

    if (!parse_filter(ex, &filter))
        return;
    if (http_query_int(ex, "offset", 0, INT32_MAX, &offset) < 0 || http_query_int(ex, "limit", 1, LIMIT_MAX, &limit) < 0) {
        http_problem(ex, 400, "bad_field", "limit", "offset must be 0 or more, limit 1 to 200");
        return;
    }
    if (!make_list(ex, &list, sort == NULL ? "id" : sort))
        return;
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_int(&ex->out, "as_of", list.now_ms);
    jsonw_member_uint(&ex->out, "total", list.count);
    render_window(ex, &list, (size_t)offset, (size_t)limit);
    jsonw_object_end(&ex->out);
    free(list.items);
}

static void render_attention(struct http_exchange *ex, const struct found *item, int64_t now_ms)
{
    struct api *api = api_of(ex);
    struct fleet_vehicle vehicle;
    struct view_running running;
    struct view v;
    char text[ALARM_TEXT_SIZE] = "no contact";

    if (!fleet_get(api->parts.fleet, item->device, &vehicle))
        return;
    api_running_get(api->running, item->device, true, &running);
    view_of(&vehicle, &running, now_ms, &v);
    bool by_alarm = v.state != VIEW_OFFLINE && v.worst != NULL;

    if (by_alarm)
        view_alarm_text(&v.worst->alarm, &running, text, sizeof text);
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "id", item->device);
    jsonw_member_str(&ex->out, "state", view_state_word(v.state));
    jsonw_member_str(&ex->out, "reason", text);
    jsonw_member_int(&ex->out, "since",
                     by_alarm                 ? v.worst->since_ms
                     : vehicle.link.at_ms > 0 ? vehicle.link.at_ms
                                              : vehicle.received_at_ms);
    jsonw_object_end(&ex->out);
}

void api_fleet_summary(struct http_exchange *ex)
{
    static const struct filter everything = { .word_count = 0 };
    struct list list = { .user = &ex->user, .filter = &everything, .now_ms = http_utc_ms() };
    uint64_t counts[VIEW_STATES] = { 0 };

    if (!make_list(ex, &list, "state"))
        return;
    for (size_t i = 0; i < list.count; i++)
        counts[list.items[i].state]++;
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_int(&ex->out, "as_of", list.now_ms);
    jsonw_key(&ex->out, "counts");
    jsonw_object(&ex->out);
    for (int s = 0; s < VIEW_STATES; s++)
        jsonw_member_uint(&ex->out, view_state_word((enum view_state)s), counts[s]);
    jsonw_object_end(&ex->out);
    jsonw_key(&ex->out, "attention");
    jsonw_array(&ex->out);
    for (size_t i = 0; i < list.count && i < ATTENTION_MAX && list.items[i].state != VIEW_OK; i++)
        render_attention(ex, &list.items[i], list.now_ms);
    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
    free(list.items);
}
