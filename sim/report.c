/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void report_line(const char *level, const char *area, const char *format, ...)
{
    struct timespec now;
    struct tm utc;
    char text[700];
    va_list args;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "%s %04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s\n", level, utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
            utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000, area, text);
}
