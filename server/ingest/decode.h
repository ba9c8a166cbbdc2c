/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h -- what came on `up/rec`: a record that may be stored, or poison with its reason. Pure: time is data, no database, no network.
 *
 * Everything is checked here and nowhere later: topic, envelope, CRC, schema, names, counts, clock, body.
 */
#ifndef SERVER_DECODE_H
#define SERVER_DECODE_H

#include "proto/record.h"
#include "proto/sample.h"
#include "proto/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
/*      name           word in the database and in metrics   why */
#define POISON_TABLE(X)                                                                              \
    X(TOPIC,        "topic",        "the topic is not cw/v1/<tenant>.<vehicle>/up/rec")              \
    X(SIZE,         "size",         "empty, or larger than a record can be")                         \
    X(CORRUPT,      "corrupt",      "the envelope cannot be read or its CRC is wrong")               \
    X(SCHEMA,       "schema",       "schema version that this server does not know")                 \
    X(TENANT,       "tenant",       "another tenant's name inside than on the topic")                \
    X(DEVICE,       "device",       "another device's name inside than on the topic")                \
    X(COUNT,        "count",        "number of samples, cells or probes outside the limits")         \
    X(CLOCK_PAST,   "clock_past",   "older than the retention, or no clock at all")                  \
    X(CLOCK_FUTURE, "clock_future", "more than one day ahead of the server")                         \
    X(BODY,         "body",         "the samples cannot be decoded or disagree with the envelope")    \
    X(DATABASE,     "database",     "the database refused the row")
/* clang-format on */

enum poison_reason {
#define X(name, word, why) POISON_##name,
    POISON_TABLE(X)
#undef X
        POISON_REASONS
};

const char *poison_word(enum poison_reason reason);

enum { ALARM_RUNS_MAX = RECORD_SAMPLES_MAX * SAMPLE_ALARMS_MAX }; /* every alarm of every sample another one */

struct summary { /* over all samples of a record; the database has NULL where nothing was valid */
    bool has_cells, has_soc, has_current, has_voltage, has_temps;
    uint16_t cell_min_mV, cell_max_mV, cell_mean_mV;
    int32_t soc_permyriad; /* of the last sample that has one */
    int32_t current_min_mA, current_max_mA;
    int32_t voltage_mV; /* of the last sample that has one */
    int16_t temp_min_ddegC, temp_max_ddegC;
    uint8_t alarm_level; /* the worst */
};

struct alarm_run { /* consecutive samples of one record that have the same alarm and number */
    uint8_t alarm;
    uint8_t level; /* the worst */
    uint16_t number;
    int16_t value; /* of the first sample */
    uint32_t from_no, to_no;
    int64_t from_ms, to_ms; /* UTC */
};

struct decoded {
    char device[DEVICE_NAME_MAX + 1]; /* "<tenant>.<vehicle>" */
    uint64_t epoch, seq;
    uint32_t boot, first_no, count;
    int64_t first_ms, last_ms, received_ms;
    struct summary summary;
    struct alarm_run *runs; /* runs[run_count], owned: decoded_free(); NULL when there are none, or when there was no memory for them */
    size_t run_count;
    struct sample last;   /* the newest sample */
    const uint8_t *bytes; /* sealed, borrowed */
    size_t size;
};

struct poison {
    enum poison_reason reason;
    char topic[128];                  /* as received, cut, printable */
    char device[DEVICE_NAME_MAX + 1]; /* of the topic, "" when it has none */
    bool named;                       /* epoch and seq could be read: the record is acked, so it does not come back */
    uint64_t epoch, seq;
    int64_t received_ms;
    const uint8_t *bytes; /* borrowed */
    size_t size;
};

/* Where a message belongs. Fills device[DEVICE_NAME_MAX + 1] for every TOPIC_IS_* but TOPIC_IS_OTHER. `topic` has `len` bytes, no 0 needed. */
enum topic_kind { TOPIC_IS_OTHER, TOPIC_IS_RECORD, TOPIC_IS_RESULT, TOPIC_IS_STATE };
enum topic_kind topic_parse(const char *topic, size_t len, char *device);

/* A name is "<tenant>.<vehicle>": letters, digits, '-', '_', exactly one dot, both halves not empty, at most DEVICE_NAME_MAX. */
bool device_name_is_valid(const char *name, size_t len);

/* Free what a decoded record owns. */
void decoded_free(struct decoded *d);

/* Check one record. Returns true with *out, false with *poison. now_ms: server's clock; `out` points into `bytes`. */
bool decode_record(const char *topic, size_t topic_len, const uint8_t *bytes, size_t size, int64_t now_ms, int64_t retention_ms,
                   struct decoded *out, struct poison *poison);

#endif
