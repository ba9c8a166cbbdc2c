/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/serial_door.h"

#include <string.h>
#include <unistd.h>

#include "common/err.h"

enum { BITS_PER_BYTE = 10, STEPS_PER_S = 100 };

static int read_some(void *ctx, uint8_t *buf, size_t size)
{
    struct serial_door *door = ctx;
    ssize_t n = read(door->fd, buf, size < door->bytes_per_step ? size : door->bytes_per_step);

    if (n > 0)
        door->received += (uint64_t)n;
    return n > 0 ? (int)n : 0;
}

/* What the other end does not take is lost, as on a line where nobody listens. */
static int write_all(void *ctx, const uint8_t *data, size_t n)
{
    struct serial_door *door = ctx;

    return write(door->fd, data, n) == (ssize_t)n ? BMS_ERR_OK : BMS_ERR_NOSPACE;
}

int serial_door_open(struct serial_door *door, const char *link, uint32_t baud)
{
    *door = (struct serial_door) { .fd = -1, .slave = -1, .bytes_per_step = baud / BITS_PER_BYTE / STEPS_PER_S };
    int err = pty_open(link, &door->fd, &door->slave);

    if (err)
        return err;
    memcpy(door->link, link, strlen(link) + 1);
    door->port = (struct serial_port) { .ctx = door, .read = read_some, .write = write_all };
    return BMS_ERR_OK;
}

void serial_door_close(struct serial_door *door)
{
    if (door->fd < 0)
        return;
    close(door->fd);
    close(door->slave);
    unlink(door->link);
    door->fd = door->slave = -1;
}
