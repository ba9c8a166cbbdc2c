/* SPDX-License-Identifier: Apache-2.0 */
/* err.h -- the one list of error codes shared by firmware, dtu and server.
 *
 * 0 is success and every error is negative, so a function that returns a count or an index can return an error in the same int. Numbers
 * go over the wire and into the journal: append, never renumber.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/* clang-format off */
/*    name         value  text for logs and the HTTP API */
#define BMS_ERR_TABLE(X)                                       \
    X(OK,            0,  "ok")                                 \
    X(RANGE,        -1,  "value outside its permitted range")  \
    X(STATE,        -2,  "not permitted in this state")        \
    X(TIMEOUT,      -3,  "no answer in time")                  \
    X(CORRUPT,      -4,  "checksum or framing mismatch")       \
    X(NOSPACE,      -5,  "buffer or journal full")             \
    X(SCHEMA,       -6,  "unknown schema version")             \
    X(UNKNOWN,      -7,  "no such parameter, signal or object")\
    X(IO,           -8,  "input or output failed")             \
    X(TRUNCATED,    -9,  "ends before its length says")        \
    X(READONLY,    -10,  "cannot be written")
/* clang-format on */

enum bms_err {
#define X(name, value, text) BMS_ERR_##name = (value),
    BMS_ERR_TABLE(X)
#undef X
};

/* Never NULL; unknown codes give "unknown error". */
const char *bms_err_text(int err);

#endif
