/* SPDX-License-Identifier: Apache-2.0 */
/* op_check.c -- words and checks of an operation, against params.def. Pure. */
#include "proto/tables.h"
#include "server/downlink/downlink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
    [OP_CALIBRATE] = "calibrate", [OP_FLASH] = "flash", [OP_RESTART] = "restart", [OP_READ] = "read", [OP_REFILL] = "refill"
};
static const char *const states[] = {
    [OP_QUEUED] = "queued", [OP_SENT] = "sent", [OP_DONE] = "done", [OP_FAILED] = "failed", [OP_EXPIRED] = "expired"
};

const char *op_kind_text(enum op_kind kind)
{
    return kinds[kind];
}

const char *op_state_text(enum op_state state)
{
    return states[state];
}

bool op_kind_of(const char *text, enum op_kind *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(text, kinds[i]) == 0) {
            *out = (enum op_kind)i;
            return true;
        }
    }
    return false;
}

struct list {
    struct op_problem *problems;
    size_t max, count;
};

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static void
add(struct list *l, const char *code, const char *field, const char *format, ...)
{
    va_list args;

    if (l->count < l->max) {
        struct op_problem *p = &l->problems[l->count];

        snprintf(p->code, sizeof p->code, "%s", code);
        snprintf(p->field, sizeof p->field, "%s", field);
        va_start(args, format);
        vsnprintf(p->detail, sizeof p->detail, format, args);
        va_end(args);
    }
    l->count++;
}

static void check_value(struct list *l, const struct op_request *request, size_t i)
{
    const struct op_value *v = &request->values[i];
    int index = v->id > 0 && v->id <= UINT16_MAX ? param_by_id((uint16_t)v->id) : -1;
    char number[24];

    if (index < 0) {
        snprintf(number, sizeof number, "%lld", (long long)v->id);
        add(l, "unknown_param", number, "there is no parameter %s", number);
        return;
    }
    const struct param_row *row = &param_rows[index];

    if (v->value < row->min || v->value > row->max)
        add(l, "out_of_range", row->name, "%lld is outside %ld to %ld %s", (long long)v->value, (long)row->min, (long)row->max, row->unit);
    for (size_t k = 0; k < i; k++) {
        if (request->values[k].id == v->id) {
            add(l, "duplicate", row->name, "%s is given twice", row->name);
            break;
        }
    }
}

size_t op_check(const struct op_request *request, struct op_problem *problems, size_t max)
{
    struct list l = { problems, max, 0 };
    bool writes = request->kind == OP_CALIBRATE || request->kind == OP_FLASH;

    if (request->count > OP_VALUES_MAX) {
        add(&l, "too_many", "values", "%zu values; at most %d", request->count, OP_VALUES_MAX);
        return l.count;
    }
    if (!writes && request->count > 0)
        add(&l, "unexpected_values", "values", "%s takes no values", op_kind_text(request->kind));
    if (request->kind == OP_CALIBRATE && request->count == 0)
        add(&l, "no_values", "values", "calibrate needs at least one value");
    for (size_t i = 0; writes && i < request->count; i++)
        check_value(&l, request, i);
    return l.count;
}
