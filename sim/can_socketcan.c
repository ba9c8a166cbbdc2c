/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* struct ifreq */
#define can_frame       kernel_can_frame
#include <linux/can.h>
#include <linux/can/raw.h>
#undef can_frame

#include "sim/can_socketcan.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"

enum { READS_AT_ONCE = 256 };

static void deliver(void *ctx, const struct can_frame *f)
{
    struct can_socketcan *s = ctx;
    struct kernel_can_frame out = { .can_id = f->id | (f->ext ? CAN_EFF_FLAG : 0), .can_dlc = f->len };

    memcpy(out.data, f->data, f->len);
    if (s->fd >= 0 && send(s->fd, &out, sizeof(out), MSG_DONTWAIT) != (ssize_t)sizeof(out))
        s->dropped++;
}

int can_socketcan_open(struct can_socketcan *s, const char *interface, struct can_bus *bus)
{
    struct sockaddr_can at = { .can_family = AF_CAN };

    *s = (struct can_socketcan) { .fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW), .bus = bus };
    if (s->fd < 0)
        return errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT ? BMS_ERR_UNKNOWN : BMS_ERR_IO;
    at.can_ifindex = (int)if_nametoindex(interface);
    if (at.can_ifindex == 0 || bind(s->fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
        int err = at.can_ifindex == 0 ? BMS_ERR_RANGE : BMS_ERR_IO;
        int why = errno;

        can_socketcan_close(s);
        errno = why;
        return err;
    }
    s->node = can_bus_attach(bus, deliver, s);
    return s->node < 0 ? s->node : BMS_ERR_OK;
}

void can_socketcan_poll(struct can_socketcan *s)
{
    struct kernel_can_frame in;

    for (int i = 0; i < READS_AT_ONCE && recv(s->fd, &in, sizeof(in), MSG_DONTWAIT) == (ssize_t)sizeof(in); i++) {
        struct can_frame f = { .ext = in.can_id & CAN_EFF_FLAG, .len = in.can_dlc };

        if ((in.can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG)) || in.can_dlc > sizeof(f.data))
            continue;
        f.id = in.can_id & (f.ext ? CAN_EFF_MASK : CAN_SFF_MASK);
        memcpy(f.data, in.data, f.len);
        can_bus_send(s->bus, s->node, &f);
    }
}

void can_socketcan_close(struct can_socketcan *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
