/* SPDX-License-Identifier: Apache-2.0 */
/* streams.h -- the choice of the byte stream: the system's sockets, or the embedded stack when it was built in. */
#ifndef DTU_APP_STREAMS_H
#define DTU_APP_STREAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "dtu/port/stream_port.h"
#include "dtu/port/tls_files.h"

struct stream_tls;
struct stream_lwip;

struct streams { /* one of the two */
    struct stream_tls *tls;
    struct stream_lwip *lwip;
};

/* Returns 0, BMS_ERR_IO or BMS_ERR_RANGE with a sentence in why[n]. */
int streams_create(struct streams *s, bool lwip, const struct tls_files *files, char *why, size_t n);
const struct stream_port *streams_port(const struct streams *s);
void streams_destroy(struct streams *s);

#endif
