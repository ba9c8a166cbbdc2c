/* SPDX-License-Identifier: Apache-2.0 */
/* op_command.c -- protobuf out, proof in. */
#include "server/downlink/op_command.h"

#include "proto/downlink.pb-c.h"
#include "proto/tables.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)PARAMS <= (int)OP_VALUES_MAX, "a reading of all parameters fits");

void op_id_print(uint64_t id, char *out)
{
    snprintf(out, OP_ID_LEN + 1, "%016llx", (unsigned long long)id);
}

bool op_id_read(const char *text, uint64_t *out)
{
    if (strlen(text) != OP_ID_LEN)
        return false;
    for (const char *p = text; *p; p++)
        if (!isxdigit((unsigned char)*p))
            return false;
    *out = strtoull(text, NULL, 16);
    return true;
}

static size_t pack(Cw__Command *c, const char *device, uint64_t id, int64_t expires_at_ms, uint8_t *out)
{
    char name[DEVICE_NAME_MAX + 1];

    snprintf(name, sizeof name, "%s", device); /* protobuf-c wants it writable */
    c->schema = 1;
    c->device = name;
    c->id = id;
    c->expires_utc_ms = (uint64_t)expires_at_ms;
    size_t n = cw__command__pack(c, out);

    c->device = NULL; /* it ends with this function */
    return n;
}

size_t watch_pack(const char *device, uint64_t id, uint32_t seconds, int64_t expires_at_ms, uint8_t *out)
{
    Cw__Command c = CW__COMMAND__INIT;
    Cw__Watch watch = CW__WATCH__INIT;

    watch.seconds = seconds;
    c.act_case = CW__COMMAND__ACT_WATCH;
    c.watch = &watch;
    return pack(&c, device, id, expires_at_ms, out);
}

static size_t refill_pack(const struct op *op, int64_t expires_at_ms, uint8_t *out)
{
    Cw__Command c = CW__COMMAND__INIT;
    Cw__Refill refill = CW__REFILL__INIT;
    uint64_t id = 0;

    op_id_read(op->id, &id);
    refill.epoch = op->span.epoch;
    refill.first = op->span.first;
    refill.last = op->span.last;
    c.act_case = CW__COMMAND__ACT_REFILL;
    c.refill = &refill;
    return pack(&c, op->device, id, expires_at_ms, out);
}

size_t op_pack(const struct op *op, int64_t expires_at_ms, uint8_t *out)
{
    Cw__Command c = CW__COMMAND__INIT;
    Cw__ReadParams read = CW__READ_PARAMS__INIT;
    Cw__Restart restart = CW__RESTART__INIT;
    Cw__WriteParams write = CW__WRITE_PARAMS__INIT;
    Cw__Write writes[OP_VALUES_MAX];
    Cw__Write *list[OP_VALUES_MAX];
    uint64_t id = 0;

    if (op->kind == OP_REFILL)
        return refill_pack(op, expires_at_ms, out);
    op_id_read(op->id, &id);
    for (size_t i = 0; i < op->readback_count; i++) {
        if (!op->readback[i].has_wanted)
            continue;
        Cw__Write *w = &writes[write.n_writes];

        cw__write__init(w);
        w->id = op->readback[i].id;
        w->value = op->readback[i].wanted;
        list[write.n_writes++] = w;
    }
    write.writes = list;
    write.store = op->kind == OP_FLASH;
    if (op->kind == OP_READ) {
        c.act_case = CW__COMMAND__ACT_READ_PARAMS;
        c.read_params = &read;
    } else if (op->kind == OP_RESTART) {
        c.act_case = CW__COMMAND__ACT_RESTART;
        c.restart = &restart;
    } else {
        c.act_case = CW__COMMAND__ACT_WRITE_PARAMS;
        c.write_params = &write;
    }
    return pack(&c, op->device, id, expires_at_ms, out);
}

static struct op_readback *find_or_add(struct op *op, uint16_t id)
{
    for (size_t i = 0; i < op->readback_count; i++)
        if (op->readback[i].id == id)
            return &op->readback[i];
    if (op->readback_count == OP_VALUES_MAX)
        return NULL;
    struct op_readback *r = &op->readback[op->readback_count++];

    *r = (struct op_readback) { .id = id };
    return r;
}

static const char *name_of(uint16_t id)
{
    int index = param_by_id(id);

    return index < 0 ? "unknown parameter" : param_rows[index].name;
}

static void fail(struct op *op, const char *detail)
{
    if (op->state != OP_FAILED) /* the first reason stays */
        snprintf(op->detail, sizeof op->detail, "%s", detail);
    op->state = OP_FAILED;
}

static void take_value(struct op *op, const Cw__ParamValue *v)
{
    struct op_readback *r = v->id <= UINT16_MAX ? find_or_add(op, (uint16_t)v->id) : NULL;
    char why[OP_DETAIL_MAX];

    if (!r)
        return;
    r->has_running = v->has_running;
    r->running = v->running;
    r->has_stored = v->has_stored;
    r->stored = v->stored;
    if (v->nrc != 0) {
        snprintf(why, sizeof why, "%s was refused by the board (NRC 0x%02X)", name_of(r->id), (unsigned)v->nrc);
        fail(op, why);
    }
}

static bool is_proved(const struct op *op, const struct op_readback *r)
{
    bool running = r->has_running && r->running == r->wanted;
    bool stored = r->has_stored && r->stored == r->wanted;

    return op->kind == OP_FLASH ? running && stored : running;
}

static const char *status_text(Cw__Status status)
{
    switch (status) {
    case CW__STATUS__STATUS_OK:
        return NULL;
    case CW__STATUS__STATUS_REJECTED:
        return "refused by the board";
    case CW__STATUS__STATUS_TIMEOUT:
        return "the board did not answer";
    case CW__STATUS__STATUS_EXPIRED:
        return "it reached the device too late";
    case CW__STATUS__STATUS_UNKNOWN:
        return "the device does not know this command";
    default:
        return "the device gave no status";
    }
}

void op_judge(struct op *op, const Cw__Result *result, int64_t now_ms)
{
    char why[OP_DETAIL_MAX];
    const char *status = status_text(result->status);

    op->state = OP_DONE;
    op->detail[0] = '\0';
    op->changed_at_ms = now_ms;
    for (size_t i = 0; i < result->n_values; i++)
        take_value(op, result->values[i]);
    if (op->kind == OP_REFILL && result->refilled)
        snprintf(op->detail, sizeof op->detail, "%llu records sent again", (unsigned long long)result->refilled->served);
    if (status) {
        snprintf(why, sizeof why, "%s%s%.120s", status, *result->detail ? ": " : "", result->detail);
        fail(op, why);
    }
    for (size_t i = 0; i < op->readback_count; i++) {
        struct op_readback *r = &op->readback[i];

        r->ok = !r->has_wanted || is_proved(op, r);
        if (!r->ok) {
            snprintf(why, sizeof why, "%s does not read back as %ld", name_of(r->id), (long)r->wanted);
            fail(op, why);
        }
    }
}
