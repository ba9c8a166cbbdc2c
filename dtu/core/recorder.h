/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h -- samples in, sealed records into the journal.
 *
 * How many samples make a record: 1 while somebody watches, an alarm stands, or one has just come or gone; 60 while parked; else the batch (10).
 * A record is closed early when the next sample cannot follow in the same body (another boot, other sizes, a gap), when the oldest sample
 * has waited twice the batch time, or on flush. What would not fit into one record is split.
 *
 * A sample that was added is in RAM only until its record is closed; after a power cut the board is asked for it again. Static memory, about
 * 100 kB, most of it the 60 samples.
 */
#ifndef DTU_CORE_RECORDER_H
#define DTU_CORE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "dtu/core/journal.h"
#include "proto/body.h"

enum { RECORDER_BATCH = 10, RECORDER_PARKED = RECORD_SAMPLES_MAX, RECORDER_SAMPLE_MS = 1000 };

struct recorder { /* allocated by the caller, fields private */
    struct journal *journal;
    char device[DEVICE_NAME_MAX + 1];
    unsigned batch;
    bool watched;
    unsigned limit;     /* samples of a record, now */
    uint32_t oldest_ms; /* when sample[0] was added */
    uint64_t board_dropped;
    uint32_t errors;                              /* read it: records that the journal could not take at once */
    struct sample_alarm alarm[SAMPLE_ALARMS_MAX]; /* of the sample before */
    uint8_t alarms;
    size_t n;
    struct sample sample[RECORD_SAMPLES_MAX];
    uint8_t body[RECORD_BODY_MAX];
    uint8_t sealed[RECORD_MAX];
};

/* journal is borrowed. device: its name, copied. batch: 1 to 60. Returns 0 or BMS_ERR_RANGE. */
int recorder_init(struct recorder *r, struct journal *journal, const char *device, unsigned batch);

/* Add the next sample; may close a record. board_dropped is kept with the record. Returns 0, or BMS_ERR_NOSPACE when the journal fails and
 * the batch is full: then the sample was not taken. */
int recorder_add(struct recorder *r, const struct sample *s, uint64_t board_dropped, uint32_t now_ms);

/* At least each second. watched: somebody looks. */
void recorder_step(struct recorder *r, bool watched, uint32_t now_ms);

/* Close what there is. Returns 0 or the error of the journal (then the samples are kept for another try). */
int recorder_flush(struct recorder *r);

#endif
