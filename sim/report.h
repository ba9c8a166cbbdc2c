/* SPDX-License-Identifier: Apache-2.0 */
/* report.h -- one line per event on standard error: `level time area message key=value`. One thread. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#define report_info(...)  report_line("info", __VA_ARGS__)
#define report_warn(...)  report_line("warn", __VA_ARGS__)
#define report_error(...) report_line("error", __VA_ARGS__)

void report_line(const char *level, const char *area, const char *format, ...);

#endif
