/* SPDX-License-Identifier: Apache-2.0 */
/* stream_hub.h -- one ring of events, and for each open stream a place in it.
 *
 *   publish --> [ ring: the newest STREAM_EVENTS_MAX events, at most STREAM_BYTES_MAX ] --> read (one cursor per stream)
 *                 ^ Last-Event-ID puts a new stream's cursor back to where the old one was
 *
 * An event is kept for STREAM_LINGER_MS, and up to a tick longer: what is older is answered by `resync`, so the ring does not fill for hours with what nobody
 * will ask for.
 *
 * The ring is every stream's queue, so a slow reader costs nothing: when it is more than STREAM_LAG events behind it is spared the frames and
 * rows that a newer one has replaced (alarms and operations are never skipped), and when its place has left the ring it gets `resync`.
 * What this module knows nothing of: HTTP (a stream is put to sleep and woken through two functions) and what an event says.
 * One lock, held for a copy at most. Times are a clock that does not jump, except server_time and ends_at (UTC, milliseconds).
 */
#ifndef SERVER_STREAM_HUB_H
#define SERVER_STREAM_HUB_H

#include "proto/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STREAM_EVENTS_MAX = 16384,
    STREAM_BYTES_MAX = 24 << 20,
    STREAM_LAG = 64,
    STREAM_TOPICS_MAX = 32,
    STREAM_SID_SIZE = 33,
    STREAM_ID_SIZE = 40,
    STREAM_TICK_MS = 10000,     /* also the write by which a closed idle connection is noticed */
    STREAM_LINGER_MS = 60000,   /* events of a topic go on being kept for so long after its last stream has gone */
    STREAM_LEASE_END_MS = 5000, /* a page that is loaded anew does not end the lease */
    STREAM_WARN_MS = 60000,     /* `auth` comes so long before the session ends */
    STREAM_ROW_MS = 900,        /* rows of one vehicle are at least so far apart */
    STREAM_ROWS_PER_S = 200,    /* rows of all vehicles; a changed state is not counted */
};

enum { STREAM_MARKS = STREAM_LINGER_MS / STREAM_TICK_MS }; /* ticks for which an event is kept */

/* Who gets an event. */
enum { STREAM_TO_FLEET = 1, STREAM_TO_VEHICLE = 2, STREAM_TO_ALL = 4 };

/* What replaces what: a newer event of the same kind and vehicle makes the older one superfluous. */
enum stream_kind { STREAM_ONCE, STREAM_ROW, STREAM_FRAME, STREAM_TICK };

struct stream_hub;
struct stream;

struct stream_hub_config {
    unsigned streams_max, session_streams_max;
    const char *build; /* told in `hello`; borrowed */
    void *ctx;         /* of `watch` */

    /* Somebody looks at the vehicle, or nobody any more. Called by stream_tick() with no lock held. NULL: nobody wants to know. */
    void (*watch)(void *ctx, const char *device, bool on);
};

/* What is asked for when a stream opens. */
struct stream_request {
    uint64_t session;
    const char *tenant;  /* sees only this tenant's vehicles, "*" all */
    int64_t ends_at_ms;  /* UTC end of the session */
    const char *last_id; /* Last-Event-ID, or NULL */
    void *ctx;           /* of the next two, which are called under the lock */
    void (*sleep)(void *ctx);
    void (*wake)(void *ctx);
};

struct stream_hub *stream_hub_create(const struct stream_hub_config *config);

/* No stream may be open any more. */
void stream_hub_destroy(struct stream_hub *hub);

/* Tell everybody whom it concerns. `device` is NULL for STREAM_TO_ALL; `data` is one JSON value on one line. */
void stream_publish(struct stream_hub *hub, enum stream_kind kind, unsigned to, const char *event, const char *device, const char *data,
                    size_t len);

/* Whether anybody looks at the vehicle (now, or within the linger time): frames that nobody sees need not be written. */
bool stream_vehicle_is_wanted(struct stream_hub *hub, const char *device, uint64_t now_ms);

/* Whether a stream looks at it now. */
bool stream_vehicle_is_watched(struct stream_hub *hub, const char *device);

/* Whether a row of the vehicle should be sent: somebody looks at the fleet or at it, and its state is new or the last row is old enough. */
bool stream_row_is_due(struct stream_hub *hub, const char *device, int state, uint64_t now_ms);

/* Open a stream without topics. Returns 0; BMS_ERR_NOSPACE when there are too many in all, BMS_ERR_STATE for this session. Its first event is `hello`. */
int stream_open(struct stream_hub *hub, const struct stream_request *request, struct stream **stream);

/* Replace the topics of an open stream: "fleet", "v:<id>". What the tenant does not see is left out. */
void stream_set_topics(struct stream_hub *hub, struct stream *stream, const char *const *topics, size_t count, uint64_t now_ms);

/* The same by sid; BMS_ERR_UNKNOWN when the session has no such stream. */
int stream_set_topics_by_sid(struct stream_hub *hub, const char *sid, uint64_t session, const char *const *topics, size_t count,
                             uint64_t now_ms);

/* Copy what is to be written next. Returns the length; 0 after `sleep` was called (nothing to write now); -1 when the stream has ended. */
long stream_read(struct stream_hub *hub, struct stream *stream, char *out, size_t size);

void stream_close(struct stream_hub *hub, struct stream *stream, uint64_t now_ms);

/* `auth` and the end for all streams of a session; for all streams of all. */
void stream_end_session(struct stream_hub *hub, uint64_t session);
void stream_end_all(struct stream_hub *hub);

/* The sessions that have streams, each once; at most max of them. Returns how many. */
size_t stream_sessions(struct stream_hub *hub, uint64_t *sessions, size_t max);

/* Ticks, ends of sessions, leases. Call a few times a second from one thread. */
void stream_tick(struct stream_hub *hub, uint64_t now_ms, int64_t utc_ms);

size_t stream_count(struct stream_hub *hub);

#endif
