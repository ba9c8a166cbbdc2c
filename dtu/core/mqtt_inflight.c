/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_inflight.c -- see mqtt_inflight.h. */
#include "dtu/core/mqtt_inflight.h"

#include <string.h>

#include "common/err.h"

int mqtt_inflight_add(struct mqtt_inflight *w, const struct mqtt_msg *msg)
{
    if (w->n == MQTT_INFLIGHT)
        return BMS_ERR_NOSPACE;
    w->msg[w->n++] = *msg;
    return BMS_ERR_OK;
}

size_t mqtt_inflight_on_wire(const struct mqtt_inflight *w)
{
    size_t sent = 0;

    for (size_t i = 0; i < w->n; i++)
        sent += w->msg[i].state == MQTT_MSG_SENT;
    return sent;
}

struct mqtt_msg *mqtt_inflight_next(struct mqtt_inflight *w, uint16_t receive_max)
{
    bool room = mqtt_inflight_on_wire(w) < receive_max;

    for (size_t i = 0; i < w->n; i++) {
        struct mqtt_msg *m = &w->msg[i];

        if (m->state != MQTT_MSG_WAITING && m->state != MQTT_MSG_AGAIN)
            continue;
        return room || m->qos == 0 ? m : NULL; /* the order of messages stays (4.6) */
    }
    return NULL;
}

struct mqtt_msg *mqtt_inflight_find(struct mqtt_inflight *w, uint16_t id)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->msg[i].id == id)
            return &w->msg[i];
    return NULL;
}

struct mqtt_msg *mqtt_inflight_writing(struct mqtt_inflight *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->msg[i].state == MQTT_MSG_WRITING)
            return &w->msg[i];
    return NULL;
}

void mqtt_inflight_remove(struct mqtt_inflight *w, struct mqtt_msg *msg)
{
    size_t behind = (size_t)(&w->msg[w->n] - (msg + 1));

    memmove(msg, msg + 1, behind * sizeof *msg);
    w->n--;
}

void mqtt_inflight_again(struct mqtt_inflight *w, bool session_present)
{
    for (size_t i = 0; i < w->n; i++) {
        struct mqtt_msg *m = &w->msg[i];

        if (m->state == MQTT_MSG_WAITING)
            continue;
        m->dup = session_present && m->qos && (m->state == MQTT_MSG_SENT || m->dup);
        if (!m->dup)
            m->id = 0;
        m->state = MQTT_MSG_AGAIN;
    }
}
