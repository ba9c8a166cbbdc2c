/* SPDX-License-Identifier: Apache-2.0 */
/* summary.h -- what the columns of `record` say about its samples, and the runs of alarms in them. Pure. */
#ifndef SERVER_SUMMARY_H
#define SERVER_SUMMARY_H

#include "proto/body.h"
#include "server/ingest/decode.h"

/* All samples of a decoded body. Values that are not valid do not take part. */
struct summary summarise(const struct columns *c);

/* Consecutive samples with the same alarm and number become one run. Returns how many were written, at most max. */
size_t alarm_runs(const struct columns *c, struct alarm_run *out, size_t max);

#endif
