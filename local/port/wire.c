/* SPDX-License-Identifier: Apache-2.0 */
#define can_frame kernel_can_frame
#include <linux/can.h>
#undef can_frame

#include "local/port/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "local/port/wire_open.h"

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

static int refuse(struct wire *w, const char *what)
{
    snprintf(w->why, sizeof(w->why), "'%s' %s", w->target, what);
    return BMS_ERR_RANGE;
}

static bool is_serial(const struct wire *w)
{
    return w->kind == WIRE_SERIAL || w->kind == WIRE_RS485;
}

int wire_init(struct wire *w, const struct wire_config *config)
{
    char start[SLCAN_HOST_START];

    *w = (struct wire) { .kind = config->kind, .kbit = config->kbit, .baud = config->baud, .fd = -1 };
    snprintf(w->target, sizeof(w->target), "%s", config->target);
    if (w->target[0] == '\0' || strlen(config->target) >= sizeof(w->target))
        return refuse(w, "is empty or too long");
    if (w->kind == WIRE_HUB && can_client_init(&w->hub, w->target) != BMS_ERR_OK)
        return refuse(w, "is too long for a socket's path");
    if (w->kind == WIRE_SLCAN && !wire_is_address(w->target))
        return refuse(w, "must be HOST:PORT");
    if (is_serial(w) && !wire_is_baud(w->baud))
        return refuse(w, "cannot be opened with this baud rate");
    if ((w->kind == WIRE_SERIAL || w->kind == WIRE_SLCAN) && slcan_host_start(w->kbit, start) == 0)
        return refuse(w, "cannot be opened with this bit rate");
    snprintf(w->why, sizeof(w->why), "not tried yet");
    return BMS_ERR_OK;
}

void wire_close(struct wire *w)
{
    if (w->kind == WIRE_HUB)
        can_client_deinit(&w->hub);
    else if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    w->connecting = false;
}

static void drop(struct wire *w, const char *why)
{
    wire_close(w);
    if (why)
        snprintf(w->why, sizeof(w->why), "%s: %.100s", w->target, why);
}

static bool is_slcan(const struct wire *w)
{
    return w->kind == WIRE_SERIAL || w->kind == WIRE_SLCAN;
}

/* There is a link. */
static void come_up(struct wire *w)
{
    w->connecting = false;
    w->why[0] = '\0';
    w->links++;
    w->in_len = w->in_at = w->out_len = 0;
    slcan_host_init(&w->slcan);
    rs485_host_init(&w->rs485);
    if (is_slcan(w))
        w->out_len = slcan_host_start(w->kbit, w->out);
}

static void try_to_open(struct wire *w)
{
    w->fd = is_serial(w)            ? wire_open_serial(w->target, w->baud, w->why, sizeof(w->why))
            : w->kind == WIRE_SLCAN ? wire_open_tcp(w->target, w->why, sizeof(w->why))
                                    : wire_open_can(w->target, w->why, sizeof(w->why));
    if (w->fd >= 0 && w->kind == WIRE_SLCAN)
        w->connecting = true;
    else if (w->fd >= 0)
        come_up(w);
}

static void finish_connecting(struct wire *w, uint32_t now_ms)
{
    struct pollfd p = { .fd = w->fd, .events = POLLOUT };
    char why[WIRE_WHY];

    if (poll(&p, 1, 0) > 0) {
        if (wire_tcp_is_up(w->fd, why, sizeof(why)))
            come_up(w);
        else
            drop(w, why);
    } else if (now_ms - w->tried_ms >= WIRE_CONNECT_MS) {
        drop(w, "no answer in 5 s");
    }
}

static void flush(struct wire *w)
{
    while (w->fd >= 0 && w->out_len > 0) {
        ssize_t n = write(w->fd, w->out, w->out_len);

        if (n < 0 && must_wait())
            return;
        if (n <= 0) {
            drop(w, n < 0 ? strerror(errno) : "closed");
            return;
        }
        w->out_len -= (size_t)n;
        memmove(w->out, w->out + n, w->out_len);
    }
}

static bool step_hub(struct wire *w, uint32_t now_ms)
{
    if (!can_client_step(&w->hub, now_ms)) {
        snprintf(w->why, sizeof(w->why), "%s: %s", w->target, strerror(w->hub.why));
        return false;
    }
    w->why[0] = '\0';
    w->links = w->hub.links;
    return true;
}

bool wire_step(struct wire *w, uint32_t now_ms)
{
    if (w->kind == WIRE_HUB)
        return step_hub(w, now_ms);
    if (w->fd < 0 && (!w->tried || now_ms - w->tried_ms >= WIRE_RETRY_MS)) {
        w->tried = true;
        w->tried_ms = now_ms;
        try_to_open(w);
    }
    if (w->connecting)
        finish_connecting(w, now_ms);
    if (w->fd < 0 || w->connecting)
        return false;
    if (w->out_len > 0)
        flush(w);
    return w->fd >= 0;
}

int wire_fd(const struct wire *w)
{
    return w->kind == WIRE_HUB ? can_client_fd(&w->hub) : w->connecting ? -1 : w->fd;
}

/* Bytes of the line into in[]: 1, 0 when none wait, or BMS_ERR_IO. */
static int read_line(struct wire *w)
{
    ssize_t n = read(w->fd, w->in, sizeof(w->in));

    if (n < 0 && must_wait())
        return 0;
    if (n == 0 && is_serial(w))
        return 0; /* a terminal without bytes */
    if (n <= 0) {
        drop(w, n < 0 ? strerror(errno) : "closed by the other side");
        return BMS_ERR_IO;
    }
    w->in_len = (size_t)n;
    w->in_at = 0;
    return 1;
}

static int receive_slcan(struct wire *w, struct can_frame *f)
{
    for (;;) {
        while (w->in_at < w->in_len)
            if (slcan_host_take(&w->slcan, w->in[w->in_at++], f))
                return 1;
        int more = read_line(w);

        if (more != 1)
            return more;
    }
}

int wire_hear(struct wire *w, uint32_t now_ms, const uint8_t **uds)
{
    if (wire_fd(w) < 0)
        return BMS_ERR_IO;
    for (;;) {
        while (w->in_at < w->in_len) {
            size_t n = rs485_host_take(&w->rs485, (uint8_t)w->in[w->in_at++], now_ms, uds);

            if (n > 0)
                return (int)n;
        }
        int more = read_line(w);

        if (more != 1)
            return more;
    }
}

static int receive_can(struct wire *w, struct can_frame *f)
{
    struct kernel_can_frame in;

    for (;;) {
        ssize_t n = read(w->fd, &in, sizeof(in));

        if (n < 0 && must_wait())
            return 0;
        if (n != (ssize_t)sizeof(in)) {
            drop(w, n < 0 ? strerror(errno) : "closed");
            return BMS_ERR_IO;
        }
        if ((in.can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG)) || in.can_dlc > sizeof(f->data))
            continue;
        *f = (struct can_frame) { .ext = in.can_id & CAN_EFF_FLAG, .len = in.can_dlc };
        f->id = in.can_id & (f->ext ? CAN_EFF_MASK : CAN_SFF_MASK);
        memcpy(f->data, in.data, f->len);
        return 1;
    }
}

int wire_receive(struct wire *w, struct can_frame *f)
{
    if (w->kind == WIRE_HUB)
        return can_client_receive(&w->hub, f);
    if (wire_fd(w) < 0)
        return BMS_ERR_IO;
    return is_slcan(w) ? receive_slcan(w, f) : receive_can(w, f);
}

static int send_can(struct wire *w, const struct can_frame *f)
{
    struct kernel_can_frame out = { .can_id = f->id | (f->ext ? CAN_EFF_FLAG : 0), .can_dlc = f->len };

    memcpy(out.data, f->data, f->len);
    if (write(w->fd, &out, sizeof(out)) == (ssize_t)sizeof(out))
        return BMS_ERR_OK;
    if (must_wait())
        return BMS_ERR_NOSPACE;
    drop(w, strerror(errno));
    return BMS_ERR_IO;
}

int wire_send(struct wire *w, const struct can_frame *f)
{
    if (w->kind == WIRE_HUB)
        return can_client_send(&w->hub, f);
    if (wire_fd(w) < 0)
        return BMS_ERR_IO;
    if (w->kind == WIRE_CAN)
        return send_can(w, f);
    if (w->out_len + SLCAN_HOST_FRAME > sizeof(w->out))
        return BMS_ERR_NOSPACE;
    w->out_len += slcan_host_put(f, w->out + w->out_len);
    flush(w);
    return w->fd >= 0 ? BMS_ERR_OK : BMS_ERR_IO;
}

int wire_say(struct wire *w, const uint8_t *uds, size_t n)
{
    if (n == 0 || n > UDS_BLOCK_MAX)
        return BMS_ERR_RANGE;
    if (wire_fd(w) < 0)
        return BMS_ERR_IO;
    if (w->out_len + RS485_FRAME_MAX > sizeof(w->out))
        return BMS_ERR_NOSPACE;
    uint8_t frame[RS485_FRAME_MAX];
    size_t size = rs485_host_put(uds, n, frame);

    memcpy(w->out + w->out_len, frame, size);
    w->out_len += size;
    flush(w);
    return w->fd >= 0 ? BMS_ERR_OK : BMS_ERR_IO;
}
