/* SPDX-License-Identifier: Apache-2.0 */
/* log.c -- format a line, write it in one piece. */
#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const words[] = { [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug" };

static _Atomic int threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    threshold = (int)level;
}

bool log_level_of(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void blunt(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
}

size_t log_format(char *out, size_t size, enum log_level level, long long at_ms, const char *area, const char *message, const char *values)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    char stamp[40];

    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    int n =
        snprintf(out, size, "%s %s.%03dZ %s %s%s%s", words[level], stamp, (int)(at_ms % 1000), area, message, *values ? " " : "", values);
    size_t len = n < 0 ? 0 : (size_t)n;

    if (len > size - 2)
        len = size - 2;
    out[len] = '\0';
    blunt(out);
    out[len] = '\n';
    out[len + 1] = '\0';
    return len + 1;
}

void log_write(enum log_level level, const char *area, const char *message, const char *format, ...)
{
    char values[LOG_LINE_MAX];
    char line[LOG_LINE_MAX];
    struct timespec now;
    va_list args;

    if ((int)level > threshold)
        return;
    va_start(args, format);
    vsnprintf(values, sizeof values, format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &now);
    size_t n = log_format(line, sizeof line, level, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, area, message, values);

    if (write(STDERR_FILENO, line, n) < 0)
        return; /* nowhere left to say so */
}
