/* SPDX-License-Identifier: Apache-2.0 */
/* net.c -- see net.h. */
#include "dtu/app/net.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"

int net_init(struct net *net, const struct stream_port *stream, const char *host, uint16_t port, struct mqtt *mqtt, uint32_t seed)
{
    static const struct link_config config = LINK_DEFAULTS;

    *net = (struct net) { .stream = stream, .host = host, .port = port, .mqtt = mqtt };
    return host[0] && port ? link_init(&net->link, &config, mqtt, seed) : BMS_ERR_RANGE;
}

static void receive(struct net *net)
{
    uint8_t in[NET_IN];
    int n;

    while ((n = net->stream->read(net->stream->ctx, in, sizeof in)) > 0)
        mqtt_feed(net->mqtt, in, (size_t)n);
}

/* Fill the buffer from the client. */
static void gather(struct net *net)
{
    const uint8_t *bytes;
    size_t n;

    if (net->out_at == net->out_n)
        net->out_at = net->out_n = 0;
    for (mqtt_output(net->mqtt, &bytes, &n); n && net->out_n < NET_OUT; mqtt_output(net->mqtt, &bytes, &n)) {
        size_t take = n < NET_OUT - net->out_n ? n : NET_OUT - net->out_n;

        memcpy(net->out + net->out_n, bytes, take);
        net->out_n += take;
        mqtt_sent(net->mqtt, take);
    }
}

static void transmit(struct net *net)
{
    int n;

    do {
        gather(net);
        n = net->out_n > net->out_at ? net->stream->write(net->stream->ctx, net->out + net->out_at, net->out_n - net->out_at) : 0;
        if (n > 0)
            net->out_at += (size_t)n;
    } while (n > 0);
}

/* The session's reason is nearer to the truth than the stream's. */
static void note_why(struct net *net)
{
    const char *session = mqtt_why(net->mqtt);
    const char *stream = net->stream->reason(net->stream->ctx);

    if (net->link.state == LINK_STOPPED)
        snprintf(net->why, sizeof net->why, "stopped");
    else if (net->refused)
        snprintf(net->why, sizeof net->why, "the stream cannot be opened");
    else if (session[0] || stream[0])
        snprintf(net->why, sizeof net->why, "%s", session[0] ? session : stream);
    else
        snprintf(net->why, sizeof net->why, "no connection in time");
}

static void carry_out(struct net *net, enum link_order order)
{
    const struct stream_port *s = net->stream;

    if (order == LINK_OPEN) {
        net->out_at = net->out_n = 0;
        net->refused = s->open(s->ctx, net->host, net->port) != BMS_ERR_OK;
    } else if (order == LINK_CLOSE) {
        if (net->out_n > net->out_at) /* a last DISCONNECT, if the stream takes it */
            s->write(s->ctx, net->out + net->out_at, net->out_n - net->out_at);
        note_why(net);
        s->close(s->ctx);
    }
}

bool net_poll(struct net *net, uint32_t now_ms)
{
    enum link_state before = net->link.state;
    enum stream_state stream = net->stream->poll(net->stream->ctx, now_ms);

    if (stream == STREAM_OPEN)
        receive(net);
    struct link_in in = { .now_ms = now_ms, .open = stream == STREAM_OPEN, .failed = stream == STREAM_FAILED || net->refused };
    enum link_order order = link_step(&net->link, &in);

    if (stream == STREAM_OPEN && order == LINK_NOTHING) {
        transmit(net);
        net->stream->poll(net->stream->ctx, now_ms);
    }
    carry_out(net, order);
    return net->link.state != before;
}
