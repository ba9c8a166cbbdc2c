/* SPDX-License-Identifier: Apache-2.0 */
/* biu_log.h -- every step of a BIU as bytes: all that went in, and the fingerprint of all that came out. Given to another BIU, the inputs must
 * give the same outputs again, bit for bit; where they do not, the log names the first output that differs.
 *
 * A log is a row of records in blocks; who keeps them (sim/biu_record.h) puts length and CRC-32C around a block. A record lies in one block:
 *
 *   HEAD   format, firmware, and the rows of biu_io.def by name, so that another firmware can read it
 *   START  biu_init(): clock, configuration, parameters by id, key data, trouble codes
 *   WAKE   biu_wake(): clock
 *   STEP   biu_step(): which inputs changed, each as the difference from the step before; bytes and frames received; the outputs that changed
 *   END    the log was closed; without it the recorder was cut off
 *
 * An output is kept as a number: a value as it is, anything longer as count and CRC-32C of its bytes. Numbers are LEB128, differences zigzag.
 * About 60 bytes a step for 48 cells beside what the chips have sent. No heap, no I/O. The parser is bounded and refuses what it does not know.
 */
#ifndef FIRMWARE_BIU_LOG_H
#define FIRMWARE_BIU_LOG_H

#include "common/bytes.h"
#include "firmware/core/biu/biu.h"
#include "firmware/core/diagnosis/dtc_image.h"

enum {
    BIU_LOG_FORMAT = 2,
    BIU_LOG_FORMAT_FIRST = 1 /* without trouble codes; still read */,
    BIU_LOG_BLOCK_MAX = 65536,
    BIU_LOG_VERSION_MAX = 32,
    BIU_LOG_ROWS_MAX = 255
};

enum biu_log_record { BIU_LOG_NONE, BIU_LOG_HEAD, BIU_LOG_START, BIU_LOG_WAKE, BIU_LOG_STEP, BIU_LOG_END };

enum biu_log_kind { BIU_LOG_VALUE, BIU_LOG_FLAG, BIU_LOG_BYTES, BIU_LOG_FRAMES, BIU_LOG_PARAMS, BIU_LOG_SAMPLE, BIU_LOG_BORROWED };

struct biu_log_row {
    const char *name;
    enum biu_log_kind kind;
    uint8_t size;    /* of a value, bytes: 1, 2, 4 or 8 */
    uint16_t count;  /* of values */
    size_t at;       /* where it lies in its struct */
    size_t count_at; /* of BYTES and FRAMES: where their number lies, a size_t */
    size_t max;      /* of BYTES and FRAMES that come in: so many at most */
};

/* Rows of biu_io.def in their order. */
enum {
#define IN_VALUE(name)              +1
#define IN_ARRAY(name)              +1
#define IN_BYTES(name, count, max)  +1
#define IN_FRAMES(name, count, max) +1
    BIU_LOG_IN_ROWS = 0
#include "firmware/core/biu/biu_io.def"
    ,
#define OUT_VALUE(name)           +1
#define OUT_ARRAY(name)           +1
#define OUT_BYTES(name, count)    +1
#define OUT_FRAMES(name, count)   +1
#define OUT_BORROWED(name, count) +1
#define OUT_PARAMS(name)          +1
#define OUT_SAMPLE(name)          +1
    BIU_LOG_OUT_ROWS = 0
#include "firmware/core/biu/biu_io.def"
    ,
#define IN_VALUE(name)
#define IN_ARRAY(name)
#define IN_BYTES(name, count, max) +(max)
#define IN_FRAMES(name, count, max)
    BIU_LOG_BYTES_MAX = 0
#include "firmware/core/biu/biu_io.def"
    ,
#define IN_VALUE(name)
#define IN_ARRAY(name)
#define IN_BYTES(name, count, max)
#define IN_FRAMES(name, count, max) +(max)
    BIU_LOG_FRAMES_MAX = 0
#include "firmware/core/biu/biu_io.def"
};
extern const struct biu_log_row biu_log_in_rows[BIU_LOG_IN_ROWS], biu_log_out_rows[BIU_LOG_OUT_ROWS];

/* What one step gave: a number for each row of the outputs. */
struct biu_log_facts {
    uint64_t row[BIU_LOG_OUT_ROWS];
};
void biu_log_facts_of(const struct biu_out *out, struct biu_log_facts *facts);

/* --- writing --- */

struct biu_log_writer { /* what the next record is the difference from */
    struct biu_in in;
    struct biu_log_facts out;
};

/* Each puts one record into `w`, which is bad when there was no room; then begin a new block and put it again. */
void biu_log_put_head(struct writer *w, const char *version);
void biu_log_put_start(struct biu_log_writer *l, struct writer *w, const struct biu_config *cfg, uint32_t now_ms);
void biu_log_put_wake(struct writer *w, uint32_t now_ms);
void biu_log_put_step(struct biu_log_writer *l, struct writer *w, const struct biu_in *in, const struct biu_out *out);
void biu_log_put_end(struct writer *w, uint64_t steps);

/* --- reading --- */

struct biu_log_reader {
    bool begun;                            /* HEAD has been read */
    uint8_t format;                        /* of the log */
    char version[BIU_LOG_VERSION_MAX + 1]; /* of the firmware that wrote it */
    uint8_t in_count, out_count;           /* rows of the log */
    struct {                               /* of the log: */
        int16_t ours;                      /* row of this firmware, or -1 */
        uint8_t kind;                      /* enum biu_log_kind */
        uint16_t count;                    /* of values */
    } in_row[BIU_LOG_ROWS_MAX], out_row[BIU_LOG_ROWS_MAX];
    struct biu_in in;               /* of the last STEP; what it points to lies below */
    struct biu_log_facts out;       /* of the last STEP */
    bool has_out[BIU_LOG_OUT_ROWS]; /* the log has this row */
    uint8_t bytes[BIU_LOG_BYTES_MAX];
    struct can_frame frames[BIU_LOG_FRAMES_MAX];
    size_t bytes_used, frames_used;
    uint32_t now_ms;              /* of the last START or WAKE */
    uint64_t steps;               /* of END */
    int32_t params[PARAMS];       /* of the last START; one that the log does not have is the default of its chemistry */
    struct key_data key;          /* of the last START */
    uint8_t codes[DTC_IMAGE_MAX]; /* of the last START */
    struct biu_config config;     /* of the last START: points to params, key and codes; the ring is the caller's to set */
};

void biu_log_reader_init(struct biu_log_reader *l);

/* The next record of a block: its kind, BIU_LOG_NONE at the end of the block, BMS_ERR_CORRUPT when it breaks the format, BMS_ERR_SCHEMA when it
 * was written in another format or by a firmware whose inputs cannot be given to this one. After an error there is no next. */
int biu_log_next(struct biu_log_reader *l, struct reader *r);

#endif
