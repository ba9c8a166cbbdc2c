/* SPDX-License-Identifier: Apache-2.0 */
/* stream_read.c -- see stream_hub.h. What a stream writes next: what waits for it alone, then the ring from its cursor on. */
#include "server/stream/stream_parts.h"

#include "server/http/http.h"
#include "server/http/jsonw.h"
#include "server/metrics.h"

#include <string.h>

/* What waits for this stream alone; NULL when nothing does. Such an event carries the number of the last one seen, so that it moves no cursor. */
static struct stream_text *private_text(const struct stream_hub *hub, struct stream *s)
{
    const char *event = NULL;
    struct jsonw j;

    jsonw_init(&j, 512);
    jsonw_object(&j);
    if ((s->tell & TELL_HELLO) != 0) {
        s->tell &= ~(unsigned)TELL_HELLO;
        event = "hello";
        jsonw_member_str(&j, "sid", s->sid);
        jsonw_member_int(&j, "server_time", http_utc_ms());
        jsonw_member_str(&j, "build", hub->config.build);
        jsonw_member_int(&j, "api", 1);
    } else if ((s->tell & TELL_RESYNC) != 0) {
        s->tell &= ~(unsigned)TELL_RESYNC;
        event = "resync";
    } else if ((s->tell & TELL_AUTH) != 0) {
        s->tell &= ~(unsigned)TELL_AUTH;
        event = "auth";
        jsonw_member_int(&j, "ends_at", s->request.ends_at_ms);
    }
    jsonw_object_end(&j);
    struct stream_text *text = event == NULL || j.failed ? NULL : stream_event_text(hub, s->cursor - 1, event, j.buf, j.len);

    jsonw_deinit(&j);
    return text;
}

/* The next event of the ring that concerns the stream; NULL when it has seen all. */
static struct stream_text *ring_text(struct stream_hub *hub, struct stream *s)
{
    while (s->cursor < hub->ring.next) {
        const struct stream_event *e = stream_ring_at(&hub->ring, s->cursor);
        bool behind = hub->ring.next - s->cursor > STREAM_LAG;

        s->cursor++;
        if ((behind && e->replaced) || !stream_is_concerned(s, e))
            continue;
        e->text->refs++;
        return e->text;
    }
    return NULL;
}

static struct stream_text *next_text(struct stream_hub *hub, struct stream *s)
{
    if (s->cursor < hub->ring.first) {
        s->cursor = hub->ring.next;
        s->tell |= TELL_RESYNC;
        metrics_add(METRIC_STREAM_RESYNCS, 1);
    }
    struct stream_text *text = private_text(hub, s);

    return text != NULL || (s->tell & TELL_END) != 0 ? text : ring_text(hub, s);
}

long stream_read(struct stream_hub *hub, struct stream *s, char *out, size_t size)
{
    size_t len = 0;

    pthread_mutex_lock(&hub->lock);
    while (len < size) {
        if (s->text == NULL) {
            s->text = next_text(hub, s);
            s->written = 0;
        }
        if (s->text == NULL)
            break;
        size_t left = s->text->len - s->written;
        size_t part = left < size - len ? left : size - len;

        memcpy(out + len, s->text->bytes + s->written, part);
        len += part;
        s->written += part;
        if (part < left)
            break;
        stream_text_release(s->text);
        s->text = NULL;
    }
    bool ended = len == 0 && (s->tell & TELL_END) != 0;

    if (len == 0 && !ended) {
        s->asleep = true;
        s->request.sleep(s->request.ctx);
    }
    pthread_mutex_unlock(&hub->lock);
    return ended ? -1 : (long)len;
}
