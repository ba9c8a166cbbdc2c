/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/app/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 640 };

static size_t add_stamp(char *line, const char *level)
{
    struct timespec now;
    struct tm tm;
    char stamp[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    return (size_t)snprintf(line, LINE, "%s %s.%03ldZ ", level, stamp, now.tv_nsec / 1000000);
}

void log_line(const char *level, const char *area, const char *message, const char *format, ...)
{
    char line[LINE + 1];
    size_t at = add_stamp(line, level), start;
    va_list args;

    at += (size_t)snprintf(line + at, LINE - at, "%s %s%s", area, message, format[0] ? " " : "");
    start = at;
    va_start(args, format);
    int n = vsnprintf(line + at, LINE - at, format, args);
    va_end(args);
    at = n < 0 ? at : at + (size_t)n < LINE ? at + (size_t)n : LINE - 1;
    for (size_t i = start; i < at; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F)
            line[i] = '?';
    line[at++] = '\n';
    if (write(STDERR_FILENO, line, at) < 0)
        return; /* nowhere left to say so */
}
