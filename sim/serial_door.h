/* SPDX-License-Identifier: Apache-2.0 */
/* serial_door.h -- the board's RS485 as a pseudo-terminal: the serial_port of the simulated board, with the pace of a real line. */
#ifndef SIM_SERIAL_DOOR_H
#define SIM_SERIAL_DOOR_H

#include <stdint.h>

#include "firmware/port/serial_port.h"
#include "sim/pty.h"

struct serial_door {
    int fd, slave; /* -1 = shut */
    char link[PTY_PATH_MAX];
    uint32_t bytes_per_step; /* what the line carries in 10 ms */
    uint64_t received;       /* bytes since the start */
    struct serial_port port; /* hand this to the firmware */
};

/* As pty_open(). *door must not be moved while in use. */
int serial_door_open(struct serial_door *door, const char *link, uint32_t baud);
void serial_door_close(struct serial_door *door);

#endif
