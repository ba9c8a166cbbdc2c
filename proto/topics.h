/* SPDX-License-Identifier: Apache-2.0 */
/* topics.h -- MQTT topics, the one place where they are spelt. <device> is `<tenant>.<vehicle>`, at most 64 characters. */
#ifndef PROTO_TOPICS_H
#define PROTO_TOPICS_H

#define TOPIC_ROOT       "cw/v1/"
#define TOPIC_RECORD     "/up/rec"
#define TOPIC_RESULT     "/up/res"
#define TOPIC_STATE      "/state"
#define TOPIC_ACK        "/down/ack"
#define TOPIC_COMMAND    "/down/cmd"
#define TOPIC_DOWN_ALL   "/down/#"
#define TOPIC_SHARED_UP  "$share/ingest/" TOPIC_ROOT "+/up/#"
#define TOPIC_ALL_STATES TOPIC_ROOT "+" TOPIC_STATE

enum { DEVICE_NAME_MAX = 64, TOPIC_MAX = 6 + DEVICE_NAME_MAX + 16 };

#endif
