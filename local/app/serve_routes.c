/* SPDX-License-Identifier: Apache-2.0 */
/* serve_routes.c -- the routes of the vehicle pages, answered from the board's memory (board.h): none waits for the board. */
#include "local/app/serve.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "proto/tables.h"
#include "server/api/api_input.h"
#include "server/api/api_render.h"
#include "server/api/history_http.h"
#include "server/stream/stream_http.h"

enum { CONFIRM_LEN = 4, PROBLEMS_MAX = OP_VALUES_MAX + 8, SIMULATE_MAX_S = 600 };

static struct serve *serve_of(const struct http_exchange *ex)
{
    return ex->ctx;
}

bool serve_is_our_vehicle(struct http_exchange *ex)
{
    if (strcmp(ex->match.param[0], board_device(serve_of(ex)->board)) == 0)
        return true;
    http_problem(ex, 404, "no_such_vehicle", NULL, "there is only the board on the cable here");
    return false;
}

static void get_session(struct http_exchange *ex)
{
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "user", ex->user.name);
    jsonw_member_str(&ex->out, "role", "engineer");
    jsonw_member_str(&ex->out, "csrf", ex->user.csrf);
    jsonw_member_int(&ex->out, "server_time", http_utc_ms());
    jsonw_member_str(&ex->out, "build", "cable");
    jsonw_member_str(&ex->out, "vehicle", board_device(serve_of(ex)->board));
    jsonw_object_end(&ex->out);
}

static void get_vehicle(struct http_exchange *ex)
{
    struct fleet_vehicle vehicle;
    struct view_running running;

    if (!serve_is_our_vehicle(ex))
        return;
    board_vehicle(serve_of(ex)->board, &vehicle);
    board_running(serve_of(ex)->board, &running);
    struct render_extra extra = { http_utc_ms(), &running };

    ex->status = 200;
    render_vehicle(&ex->out, &vehicle, &extra);
}

static void get_history(struct http_exchange *ex)
{
    struct history h;

    if (!serve_is_our_vehicle(ex) || !history_http_parse(ex, &h))
        return;
    board_history(serve_of(ex)->board, &h);
    ex->status = 200;
    history_render(&h, &ex->out);
    history_deinit(&h);
}

static void get_params(struct http_exchange *ex)
{
    struct board_values v;

    if (!serve_is_our_vehicle(ex))
        return;
    board_params(serve_of(ex)->board, &v);
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "id", ex->match.param[0]);
    jsonw_member_opt(&ex->out, "running_hash", v.known, param_hash(v.running));
    jsonw_member_opt(&ex->out, "stored_hash", v.known, param_hash(v.stored));
    jsonw_member_opt(&ex->out, "read_at", v.known, v.read_at_ms);
    jsonw_member_opt(&ex->out, "boot", v.known && v.boot > 0, v.boot);
    jsonw_key(&ex->out, "values");
    jsonw_array(&ex->out);
    for (int p = 0; p < PARAMS; p++) {
        jsonw_object(&ex->out);
        jsonw_member_int(&ex->out, "id", param_rows[p].id);
        jsonw_member_opt(&ex->out, "running", v.known, v.running[p]);
        jsonw_member_opt(&ex->out, "stored", v.known, v.stored[p]);
        jsonw_member_opt(&ex->out, "desired", false, 0);
        jsonw_object_end(&ex->out);
    }
    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
}

/* --- operations --- */

static bool is_confirmed(const struct http_exchange *ex, const char *confirm)
{
    const char *device = board_device(serve_of(ex)->board);
    size_t len = strlen(device);

    return len >= CONFIRM_LEN && strcmp(confirm, device + len - CONFIRM_LEN) == 0;
}

static void refuse_values(struct http_exchange *ex, const struct op_problem *problems, size_t count)
{
    http_problem_open(ex, 422, "values_refused", count > 0 ? problems[0].field : NULL, "nothing was changed; see problems");
    jsonw_key(&ex->out, "problems");
    jsonw_array(&ex->out);
    for (size_t i = 0; i < count; i++) {
        jsonw_object(&ex->out);
        jsonw_member_str(&ex->out, "code", problems[i].code);
        jsonw_member_str(&ex->out, "field", problems[i].field);
        jsonw_member_str(&ex->out, "detail", problems[i].detail);
        jsonw_object_end(&ex->out);
    }
    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
}

struct op_room { /* too large for the stack */
    struct input_op in;
    struct op op;
    struct op_problem problems[PROBLEMS_MAX];
};

static void start(struct http_exchange *ex, struct op_room *room)
{
    struct op_request request = { .device = board_device(serve_of(ex)->board),
                                  .kind = room->in.kind,
                                  .values = room->in.values,
                                  .count = room->in.count,
                                  .by = ex->user.name,
                                  .reason = room->in.reason };
    size_t count = op_check(&request, room->problems, OP_VALUES_MAX);

    if (room->in.kind == OP_FLASH && !is_confirmed(ex, room->in.confirm))
        room->problems[count++] = (struct op_problem) { "confirm", "confirm", "must be the last 4 characters of the vehicle's id" };
    if (count > 0) {
        refuse_values(ex, room->problems, count);
    } else if (board_order(serve_of(ex)->board, &request, &room->op) != BMS_ERR_OK) {
        http_problem(ex, 503, "busy", NULL, "too much is waiting for the board, or too many values at once");
    } else {
        ex->status = 202;
        snprintf(ex->location, sizeof(ex->location), "/api/v1/ops/%s", room->op.id);
        render_op(&ex->out, &room->op);
    }
}

static void start_op(struct http_exchange *ex)
{
    struct input_problem problem;
    struct op_room *room = calloc(1, sizeof(*room));

    if (room == NULL)
        http_problem(ex, 503, "no_memory", NULL, "try again");
    else if (serve_is_our_vehicle(ex)) {
        if (input_op(ex->body, ex->body_len, &room->in, &problem) != 0)
            http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
        else
            start(ex, room);
    }
    free(room);
}

static void get_op(struct http_exchange *ex)
{
    struct op *op = calloc(1, sizeof(*op));

    if (op != NULL && board_op(serve_of(ex)->board, ex->match.param[0], op)) {
        ex->status = 200;
        render_op(&ex->out, op);
    } else {
        http_problem(ex, 404, "no_such_op", NULL, "there is no operation with this id");
    }
    free(op);
}

/* --- upgrade --- */

const char *serve_work_word(enum board_work work)
{
    static const char *const words[] = {
        [BOARD_NEVER] = "never", [BOARD_WAITING] = "waiting", [BOARD_WORKING] = "working", [BOARD_WELL] = "done", [BOARD_FAILED] = "failed"
    };

    return words[work];
}

static void get_upgrade(struct http_exchange *ex)
{
    static const char *const phases[UPGRADE_PHASES] = { "progress", "erase", "begin", "data", "exit", "check", "restart", "done" };
    struct board_progress p;

    if (!serve_is_our_vehicle(ex))
        return;
    board_upgrade_progress(serve_of(ex)->board, &p);
    if (ex->status == 0)
        ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "state", serve_work_word(p.state));
    jsonw_member_str(&ex->out, "phase", phases[p.phase]);
    jsonw_member_int(&ex->out, "sent", p.sent);
    jsonw_member_int(&ex->out, "size", p.size);
    jsonw_member_int(&ex->out, "resumed", p.resumed);
    jsonw_member_opt(&ex->out, "boot", p.boot > 0, p.boot);
    jsonw_member_opt(&ex->out, "began_at", p.began_ms > 0, p.began_ms);
    jsonw_member_opt(&ex->out, "changed_at", p.changed_ms > 0, p.changed_ms);
    jsonw_member_str(&ex->out, "detail", p.detail);
    jsonw_object_end(&ex->out);
}

static void start_upgrade(struct http_exchange *ex)
{
    const char *confirm = http_query(ex, "confirm");
    uint8_t *image = NULL;

    if (!serve_is_our_vehicle(ex))
        return;
    if (confirm == NULL || !is_confirmed(ex, confirm)) {
        http_problem(ex, 422, "confirm", "confirm", "must be the last 4 characters of the vehicle's id");
        return;
    }
    if (ex->body_len == 0 || (image = malloc(ex->body_len)) == NULL) {
        http_problem(ex, 400, "no_image", NULL, "the body must be the program, as application/octet-stream");
        return;
    }
    memcpy(image, ex->body, ex->body_len);
    if (board_upgrade(serve_of(ex)->board, image, (uint32_t)ex->body_len) != BMS_ERR_OK) {
        free(image);
        http_problem(ex, 409, "busy", NULL, "a program is being loaded already");
        return;
    }
    ex->status = 202;
    get_upgrade(ex);
}

/* --- simulated failures --- */

static void get_simulation(struct http_exchange *ex)
{
    struct board_simulation s;

    if (!serve_is_our_vehicle(ex))
        return;
    if (ex->match.route->csrf == false)
        board_simulate(serve_of(ex)->board, 0, 0); /* what is simulated now: for the next look */
    board_simulation(serve_of(ex)->board, &s);
    if (ex->status == 0)
        ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "state", serve_work_word(s.state));
    jsonw_member_str(&ex->out, "detail", s.detail);
    jsonw_member_opt(&ex->out, "changed_at", s.changed_ms > 0, s.changed_ms);
    jsonw_key(&ex->out, "active");
    jsonw_array(&ex->out);
    for (size_t i = 0; i < s.count; i++) {
        jsonw_object(&ex->out);
        jsonw_member_int(&ex->out, "alarm", s.active[i].alarm);
        jsonw_member_int(&ex->out, "seconds", s.active[i].seconds);
        jsonw_object_end(&ex->out);
    }
    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
}

/* {"alarm": id, "seconds": n, "confirm": "...."}; alarm 0 ends them all and needs no confirmation. */
static void start_simulation(struct http_exchange *ex)
{
    json_t *root = json_loadb(ex->body == NULL ? "" : ex->body, ex->body_len, JSON_REJECT_DUPLICATES, NULL);
    json_int_t alarm = json_is_integer(json_object_get(root, "alarm")) ? json_integer_value(json_object_get(root, "alarm")) : -1;
    json_int_t seconds = json_is_integer(json_object_get(root, "seconds")) ? json_integer_value(json_object_get(root, "seconds")) : 0;
    const char *confirm = json_string_value(json_object_get(root, "confirm"));

    if (!serve_is_our_vehicle(ex)) {
        /* answered */
    } else if (alarm < 0 || alarm > UINT8_MAX || (alarm > 0 && alarm_by_id((uint8_t)alarm) < 0)) {
        http_problem(ex, 422, "alarm", "alarm", "must be the id of an alarm, or 0 to end what is simulated");
    } else if (alarm > 0 && (seconds < 1 || seconds > SIMULATE_MAX_S)) {
        http_problem(ex, 422, "seconds", "seconds", "must be 1 to 600");
    } else if (alarm > 0 && (confirm == NULL || !is_confirmed(ex, confirm))) {
        http_problem(ex, 422, "confirm", "confirm", "must be the last 4 characters of the vehicle's id");
    } else if (board_simulate(serve_of(ex)->board, (uint8_t)alarm, alarm == 0 ? 1 : (uint16_t)seconds) != BMS_ERR_OK) {
        http_problem(ex, 409, "busy", NULL, "the board is being asked already; try again");
    } else {
        ex->status = 202;
        get_simulation(ex);
    }
    json_decref(root);
}

static void get_catalogue(struct http_exchange *ex)
{
    catalogue_answer(&serve_of(ex)->catalogue, ex);
}

static void open_stream(struct http_exchange *ex)
{
    stream_http_open(serve_of(ex)->hub, ex);
}

static void set_topics(struct http_exchange *ex)
{
    stream_http_topics(serve_of(ex)->hub, ex);
}

#define V1 "/api/v1"

/* clang-format off */
const struct http_route serve_routes[] = {
/*    method   path                            least role       csrf   pooled handler */
    { "GET",   V1 "/session",                  ACCESS_ENGINEER, false, false, get_session },
    { "GET",   V1 "/vehicles/{id}",            ACCESS_ENGINEER, false, false, get_vehicle },
    { "GET",   V1 "/vehicles/{id}/history",    ACCESS_ENGINEER, false, false, get_history },
    { "GET",   V1 "/vehicles/{id}/params",     ACCESS_ENGINEER, false, false, get_params },
    { "POST",  V1 "/vehicles/{id}/ops",        ACCESS_ENGINEER, true,  false, start_op },
    { "GET",   V1 "/ops/{op}",                 ACCESS_ENGINEER, false, false, get_op },
    { "GET",   V1 "/vehicles/{id}/upgrade",    ACCESS_ENGINEER, false, false, get_upgrade },
    { "POST",  V1 "/vehicles/{id}/upgrade",    ACCESS_ENGINEER, true,  false, start_upgrade },
    { "GET",   V1 "/vehicles/{id}/simulation", ACCESS_ENGINEER, false, false, get_simulation },
    { "POST",  V1 "/vehicles/{id}/simulation", ACCESS_ENGINEER, true,  false, start_simulation },
    { "GET",   V1 "/vehicles/{id}/tables",     ACCESS_ENGINEER, false, false, serve_get_tables },
    { "POST",  V1 "/vehicles/{id}/tables",     ACCESS_ENGINEER, true,  false, serve_read_tables },
    { "GET",   V1 "/catalogue",                ACCESS_ENGINEER, false, false, get_catalogue },
    { "GET",   V1 "/stream",                   ACCESS_ENGINEER, false, false, open_stream },
    { "POST",  V1 "/stream/{sid}/topics",      ACCESS_ENGINEER, true,  false, set_topics },
};
/* clang-format on */

const size_t serve_route_count = sizeof(serve_routes) / sizeof(serve_routes[0]);
