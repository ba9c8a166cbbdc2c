/* SPDX-License-Identifier: Apache-2.0 */
/* log.h -- one line per event on standard error: `level time area message key=value`. Written with one write(2). */
#ifndef DTU_APP_LOG_H
#define DTU_APP_LOG_H

/* level: "info", "warn", "error". `format` gives the key=value pairs, "" for none; control characters become '?'. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void log_line(const char *level, const char *area, const char *message, const char *format, ...);

#endif
