/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/app/streams.h"

#include <stdio.h>

#include "common/err.h"
#include "dtu/port/lwip/stream_lwip.h"
#include "dtu/port/posix/stream_tls.h"

#ifdef CW_LWIP
static int create_lwip(struct streams *s, const struct tls_files *files, char *why, size_t n)
{
    return stream_lwip_create(&s->lwip, files, why, n);
}

static const struct stream_port *port_lwip(const struct streams *s)
{
    return stream_lwip_port(s->lwip);
}

static void destroy_lwip(struct streams *s)
{
    stream_lwip_destroy(s->lwip);
}
#else
static int create_lwip(struct streams *s, const struct tls_files *files, char *why, size_t n)
{
    (void)s;
    (void)files;
    snprintf(why, n, "this program was built without lwIP");
    return BMS_ERR_RANGE;
}

static const struct stream_port *port_lwip(const struct streams *s)
{
    (void)s;
    return NULL;
}

static void destroy_lwip(struct streams *s)
{
    (void)s;
}
#endif

int streams_create(struct streams *s, bool lwip, const struct tls_files *files, char *why, size_t n)
{
    *s = (struct streams) { NULL, NULL };
    return lwip ? create_lwip(s, files, why, n) : stream_tls_create(&s->tls, files, why, n);
}

const struct stream_port *streams_port(const struct streams *s)
{
    return s->tls ? stream_tls_port(s->tls) : port_lwip(s);
}

void streams_destroy(struct streams *s)
{
    if (s->tls)
        stream_tls_destroy(s->tls);
    if (s->lwip)
        destroy_lwip(s);
}
