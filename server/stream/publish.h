/* SPDX-License-Identifier: Apache-2.0 */
/* publish.h -- a committed batch to the fleet table and to the listeners. Part of the ingest thread. */
#ifndef SERVER_PUBLISH_H
#define SERVER_PUBLISH_H

#include "server/ingest/decode.h"
#include "server/ingest/ingest.h"

/* Offer the newest sample of each record, in order; tell of boots and alarms each time, of the frame once for each vehicle.
 * records[count] in order of arrival; the order is kept within a vehicle. */
void publish_newest(const struct ingest_parts *parts, const struct decoded *records, size_t count);

/* The same for one sample: what api-only processes read from `latest`. */
void publish_sample(const struct ingest_parts *parts, const char *device, const struct sample *sample, int64_t received_ms);

#endif
