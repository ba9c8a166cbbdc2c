/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.h -- how an api-only process learns of new samples: it asks the table `latest` each second for what is newer than before. */
#ifndef SERVER_REFRESH_H
#define SERVER_REFRESH_H

#include "server/ingest/ingest.h"

struct refresh;

/* Uses config, fleet, events and on_newer of the parts; they are borrowed until refresh_stop() returns. NULL when there is no memory. */
struct refresh *refresh_start(const struct ingest_parts *parts);
void refresh_stop(struct refresh *refresh);

#endif
