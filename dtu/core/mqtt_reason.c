/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_reason.c -- texts of MQTT 5 reason codes (table 2-6) and of the client's own reasons. */
#include "dtu/core/mqtt.h"

/* clang-format off */
static const struct {
    uint16_t code;
    const char *text;
} reasons[] = {
    { 0x00, "closed normally" },
    { 0x04, "closed, with the will" },
    { 0x10, "no subscriber" },
    { 0x80, "unspecified error" },
    { 0x81, "malformed packet" },
    { 0x82, "protocol error" },
    { 0x83, "refused by the receiver" },
    { 0x84, "protocol version not supported" },
    { 0x85, "client identifier not valid" },
    { 0x86, "bad user name or password" },
    { 0x87, "not authorized" },
    { 0x88, "server unavailable" },
    { 0x89, "server busy" },
    { 0x8A, "banned" },
    { 0x8B, "server shutting down" },
    { 0x8C, "bad authentication method" },
    { 0x8D, "keep-alive time-out at the broker" },
    { 0x8E, "session taken over by another client of this name" },
    { 0x8F, "topic filter invalid" },
    { 0x90, "topic name invalid" },
    { 0x91, "packet identifier in use" },
    { 0x93, "receive maximum exceeded" },
    { 0x94, "topic alias invalid" },
    { 0x95, "packet too large" },
    { 0x96, "message rate too high" },
    { 0x97, "quota exceeded" },
    { 0x98, "administrative action" },
    { 0x99, "payload format invalid" },
    { 0x9A, "retain not supported" },
    { 0x9B, "QoS not supported" },
    { 0x9C, "use another server" },
    { 0x9D, "server moved" },
    { 0x9F, "connection rate exceeded" },
    { 0xA0, "maximum connect time" },
    { MQTT_LOCAL_NO_CONNACK,   "no CONNACK in time" },
    { MQTT_LOCAL_NO_SUBACK,    "no SUBACK in time" },
    { MQTT_LOCAL_NO_PUBACK,    "no PUBACK in time" },
    { MQTT_LOCAL_NO_PINGRESP,  "no answer to PINGREQ in time" },
    { MQTT_LOCAL_STUCK,        "the stream takes no bytes" },
    { MQTT_LOCAL_NO_QOS1,      "the broker does not offer QoS 1" },
    { MQTT_LOCAL_CLOSED,       "closed by the broker" },
    { MQTT_LOCAL_SUBSCRIPTION, "a subscription was refused" },
};
/* clang-format on */

const char *mqtt_reason_text(unsigned reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == reason)
            return reasons[i].text;
    return "unknown reason";
}
