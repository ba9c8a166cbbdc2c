/* SPDX-License-Identifier: Apache-2.0 */
/* letters.c -- see letters.h. */
#include "server/ingest/letters.h"

#include "common/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct head {
    size_t topic_size, size; /* topic with its zero */
};

struct block {
    uint8_t *bytes;
    size_t used;
};

struct letters {
    pthread_mutex_t lock; /* guards `filling` */
    struct block filling;
    struct block reading; /* the reader's alone */
    size_t at;            /* in `reading` */
    size_t max;
};

struct letters *letters_create(size_t max_bytes)
{
    struct letters *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->max = max_bytes;
    l->filling.bytes = malloc(max_bytes); /* touched only as far as it is used */
    l->reading.bytes = malloc(max_bytes);
    if (l->filling.bytes && l->reading.bytes && pthread_mutex_init(&l->lock, NULL) == 0)
        return l;
    free(l->filling.bytes);
    free(l->reading.bytes);
    free(l);
    return NULL;
}

void letters_destroy(struct letters *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->filling.bytes);
    free(l->reading.bytes);
    free(l);
}

int letters_put(struct letters *l, const char *topic, const uint8_t *bytes, size_t size)
{
    struct head h = { strlen(topic) + 1, size };
    size_t need = sizeof h + h.topic_size + size;
    int rc = BMS_ERR_NOSPACE;

    pthread_mutex_lock(&l->lock);
    if (need <= l->max - l->filling.used) {
        uint8_t *p = l->filling.bytes + l->filling.used;

        rc = l->filling.used == 0;
        memcpy(p, &h, sizeof h);
        memcpy(p + sizeof h, topic, h.topic_size);
        if (size)
            memcpy(p + sizeof h + h.topic_size, bytes, size);
        l->filling.used += need;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static void change_places(struct letters *l)
{
    struct block empty = l->reading;

    empty.used = 0;
    l->at = 0;
    pthread_mutex_lock(&l->lock);
    l->reading = l->filling;
    l->filling = empty;
    pthread_mutex_unlock(&l->lock);
}

static struct head head_at(const struct letters *l)
{
    struct head h;

    memcpy(&h, l->reading.bytes + l->at, sizeof h);
    return h;
}

bool letters_first(struct letters *l, struct letter *out)
{
    if (l->at == l->reading.used)
        change_places(l);
    if (l->at == l->reading.used)
        return false;
    struct head h = head_at(l);
    const uint8_t *topic = l->reading.bytes + l->at + sizeof h;

    *out = (struct letter) { .topic = (const char *)topic, .bytes = topic + h.topic_size, .size = h.size };
    return true;
}

void letters_done(struct letters *l)
{
    struct head h = head_at(l);

    l->at += sizeof h + h.topic_size + h.size;
}

void letters_clear(struct letters *l)
{
    l->at = l->reading.used;
    change_places(l);
    l->at = l->reading.used;
}
