/* SPDX-License-Identifier: Apache-2.0 */
/* stream_parts.h -- what the stream_*.c files share behind stream_hub.h. Nobody else includes this. Everything here is used under the hub's lock.
 *
 *   stream_hub.c   the hub: publish, who is wanted          stream_open.c  streams come, choose topics, go
 *   stream_read.c  what is written next                     stream_tick.c  time: ticks, ends of sessions, leases
 */
#ifndef SERVER_STREAM_PARTS_H
#define SERVER_STREAM_PARTS_H

#include "server/stream/stream_hub.h"
#include "server/stream/stream_ring.h"
#include "server/stream/stream_topic.h"

#include <pthread.h>

enum { TELL_HELLO = 1, TELL_RESYNC = 2, TELL_AUTH = 4, TELL_END = 8 }; /* what waits for one stream alone, in this order */

struct stream {
    struct stream *next;
    char sid[STREAM_SID_SIZE];
    struct stream_request request;
    char tenant[65];
    bool fleet, asleep;
    char devices[STREAM_TOPICS_MAX][DEVICE_NAME_MAX + 1];
    size_t device_count;
    unsigned tell; /* TELL_* */
    bool warned;
    uint64_t cursor;          /* number of the next event to look at */
    struct stream_text *text; /* being written */
    size_t written;           /* of it */
};

struct stream_hub {
    struct stream_hub_config config;
    pthread_mutex_t lock;
    struct stream_ring ring;
    struct stream_topics topics;
    struct stream *streams;
    size_t count;
    size_t fleet_watchers;
    bool fleet_left;
    uint64_t fleet_left_ms;
    uint64_t ticked_ms, purged_ms;
    uint64_t mark[STREAM_MARKS]; /* the next event's number at each of the newest ticks, in turn */
    size_t turn;
    bool leases_due;       /* a lease may have to begin or to end */
    uint64_t rows_left;    /* rows that may be sent now, in thousandths */
    uint64_t rows_left_ms; /* when that was counted */
    char run[17];          /* names this process in event ids: numbers start again with each */
};

/* One event as it goes over the wire; NULL when there is no memory. */
struct stream_text *stream_event_text(const struct stream_hub *hub, uint64_t id, const char *event, const char *data, size_t len);

/* stream_publish() for who holds the lock. */
void stream_publish_locked(struct stream_hub *hub, enum stream_kind kind, unsigned to, const char *event, const char *device,
                           const char *data, size_t len);

/* Whether the stream has chosen the vehicle; whether an event is for it. */
bool stream_looks_at(const struct stream *s, const char *device);
bool stream_is_concerned(const struct stream *s, const struct stream_event *e);

/* There is something to write. */
void stream_wake(struct stream *s);

#endif
