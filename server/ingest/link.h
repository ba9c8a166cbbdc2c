/* SPDX-License-Identifier: Apache-2.0 */
/* link.h -- the server's connection to the broker by Paho: MQTT 5 over TLS, kept up. States in, commands out; with --lane 0 also what lane.h carries.
 *
 * Clean start and session expiry 0: the broker keeps nothing for us, because each device's journal does. A thread of its own connects, subscribes, and
 * after a failure tries again, 0.5 s to 30 s apart. Messages arrive on Paho's thread; while `on_message` runs nothing else arrives, and the broker gets
 * its PUBACK when it returns: that is the back-pressure. Nothing depends on that PUBACK: a device keeps its record until our own Ack.
 *
 * The server's name is checked against the certificate by connecting to that name; so it must resolve to the broker.
 */
#ifndef SERVER_LINK_H
#define SERVER_LINK_H

#include "server/config.h"

struct link;

struct link_handler {
    void *ctx;
    /* topic[topic_len], bytes[size]: borrowed for the call. */
    void (*on_message)(void *ctx, const char *topic, size_t topic_len, const uint8_t *bytes, size_t size);
};

/* Returns NULL when the options cannot work (logged). Starts nothing. */
struct link *link_create(const struct config *cfg, const struct link_handler *handler);

/* Start connecting. Returns 0 or BMS_ERR_NOSPACE. */
int link_start(struct link *link);

/* No more messages are delivered (after the running one); publishing still works. */
void link_pause(struct link *link);

/* Disconnect, waiting at most wait_ms for what is under way, and free. */
void link_destroy(struct link *link, int wait_ms);

/* QoS 1, any thread, not blocking. BMS_ERR_STATE while not connected, BMS_ERR_NOSPACE when too much is under way. */
int link_publish(struct link *link, const char *topic, const uint8_t *bytes, size_t size);

bool link_is_up(struct link *link);

#endif
