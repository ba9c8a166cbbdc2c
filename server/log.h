/* SPDX-License-Identifier: Apache-2.0 */
/* log.h -- one line per event on standard error: `level time area message key=value ...`.
 *
 *   log_info("ingest", "committed", "records=%zu ms=%d", n, ms);
 *   info 2026-01-31T12:00:00.123Z ingest committed records=412 ms=7
 *
 * Any thread may log; a line is written with one write(2), so lines never mix. Control characters in the values become '?', so no peer can
 * forge a line. At most LOG_LINE_MAX bytes; what is longer is cut. It is not an audit trail: that is the table `audit`.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum { LOG_LINE_MAX = 1024 };

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines below this level are dropped. Starts as LOG_INFO. */
void log_set_level(enum log_level level);

/* "error", "warn", "info" or "debug"; false and *out untouched otherwise. */
bool log_level_of(const char *text, enum log_level *out);

/* Build a line (without the time's help: at_ms is UTC, milliseconds) into out[size]; returns its length, newline included. For tests. */
size_t log_format(char *out, size_t size, enum log_level level, long long at_ms, const char *area, const char *message, const char *values);

/* `format` gives the key=value pairs, "" for none. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void log_write(enum log_level level, const char *area, const char *message, const char *format, ...);

#define log_error(area, message, ...) log_write(LOG_ERROR, area, message, __VA_ARGS__)
#define log_warn(area, message, ...)  log_write(LOG_WARN, area, message, __VA_ARGS__)
#define log_info(area, message, ...)  log_write(LOG_INFO, area, message, __VA_ARGS__)
#define log_debug(area, message, ...) log_write(LOG_DEBUG, area, message, __VA_ARGS__)

#endif
