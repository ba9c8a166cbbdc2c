/* SPDX-License-Identifier: Apache-2.0 */
/* wire_peers.h -- how many bytes one sample takes in the forms that others send: only sizes, the bytes themselves are not needed. */
#ifndef BENCH_WIRE_PEERS_H
#define BENCH_WIRE_PEERS_H

#include <stddef.h>

#include "proto/sample.h"

/* JSON with short names and arrays: {"t":..,"v":..,"i":..,"c":[..],"p":[..]}. */
size_t json_bytes(const struct sample *s);

/* Protobuf with packed repeated varints for the cells and zigzag varints for the rest. */
size_t protobuf_bytes(const struct sample *s);

/* Sparkplug B-like: one Metric for each value, named by alias: alias, timestamp left to the payload, datatype, value. */
size_t sparkplug_bytes(const struct sample *s);

/* GB/T 32960.3-2016: header, time, units 01, 06, 07 (no alarms), 08 and 09, check code. */
size_t gbt32960_bytes(const struct sample *s);

#endif
