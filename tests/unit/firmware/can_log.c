/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware/can_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LINE_MAX_ = 128, PATH_MAX_ = 1024, EXTENDED_DIGITS = 8 };

static bool read_line(const char *text, struct can_log_line *line)
{
    double seconds;
    char id[9], data[17] = "";

    if (sscanf(text, "(%lf) can0 %8[0-9A-F]#%16[0-9A-F]", &seconds, id, data) < 2 || strlen(data) % 2)
        return false;
    *line = (struct can_log_line) { .at_ms = (uint32_t)(seconds * 1000 + 0.5) };
    line->frame.id = (uint32_t)strtoul(id, NULL, 16);
    line->frame.ext = strlen(id) == EXTENDED_DIGITS;
    line->frame.len = (uint8_t)(strlen(data) / 2);
    for (size_t i = 0; i < line->frame.len; i++) {
        char byte[3] = { data[2 * i], data[2 * i + 1], 0 };

        line->frame.data[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return true;
}

bool can_log_is_there(void)
{
    if (getenv("CELLWARDEN_DATA"))
        return true;
    printf("skipped: set CELLWARDEN_DATA to the folder that has gbt27930_can_logs\n");
    return false;
}

int can_log_read(const char *name, struct can_log_line *lines)
{
    const char *folder = getenv("CELLWARDEN_DATA");
    char path[PATH_MAX_], text[LINE_MAX_];
    int n = 0;

    snprintf(path, sizeof(path), "%s/gbt27930_can_logs/%s", folder ? folder : "", name);
    gzFile file = folder ? gzopen(path, "rb") : NULL;

    if (!file)
        return -1;
    while (n >= 0 && n < CAN_LOG_MAX && gzgets(file, text, sizeof(text)))
        n = read_line(text, &lines[n]) ? n + 1 : -2;
    gzclose(file);
    return n;
}
