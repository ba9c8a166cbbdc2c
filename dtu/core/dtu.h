/* SPDX-License-Identifier: Apache-2.0 */
/* dtu.h -- the whole DTU but for its ports: frames of CAN0 and MQTT in, frames and MQTT out, time as data.
 *
 *   CAN0 ──> assembler ──> recorder ──> journal ──> uplink ──> mqtt      up/rec
 *     ^          │                         ^                    │
 *     │       resend                       └──── down/ack ──────┤
 *     └── UDS channel <── downlink <──────────── down/cmd ──────┘        up/res, state
 *
 * The caller runs dtu_step() when frames wait and at least every 20 ms while dtu_is_busy(), every 100 ms else, and moves the bytes of
 * `mqtt` (dtu/app/net.h). No heap, no clock, no I/O but through the journal's flash. About 450 kB, most of it buffers for whole records.
 */
#ifndef DTU_CORE_DTU_H
#define DTU_CORE_DTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/can.h"
#include "dtu/core/assembler.h"
#include "dtu/core/downlink.h"
#include "dtu/core/mqtt.h"
#include "dtu/core/recorder.h"
#include "dtu/core/state.h"
#include "dtu/core/uds_client.h"
#include "dtu/core/uplink.h"

enum { DTU_OUT_MAX = 64, DTU_RX = 8192, DTU_BUFFERS = 12, DTU_SYNC_MS = 200, DTU_CLOCK_MS = 1000, DTU_KEEP_ALIVE_S = 30 };

struct dtu_config {          /* borrowed, must outlive the dtu */
    const char *device;      /* <tenant>.<vehicle>, at most DEVICE_NAME_MAX characters */
    const char *version;     /* of this software */
    unsigned batch;          /* samples of a record, 1 to 60 */
    struct journal *journal; /* mounted */
};

struct dtu_in {
    uint32_t now_ms; /* monotonic, may wrap */
    uint64_t utc_ms; /* since 1970, 0 = not known */
    bool can_up;     /* there is a bus */
    const struct can_frame *frames;
    size_t n;
};

struct dtu_out { /* frames for the bus; the caller takes what it has sent from the front */
    struct can_frame frames[DTU_OUT_MAX];
    size_t n;
};

enum dtu_asker { DTU_NOBODY, DTU_ASSEMBLER, DTU_DOWNLINK }; /* whose request is on the UDS channel */

struct dtu { /* allocated by the caller; read the parts, change nothing */
    struct dtu_config config;
    struct assembler assembler;
    struct recorder recorder;
    struct uplink uplink;
    struct downlink downlink;
    struct uds_client uds;
    enum dtu_asker asker;
    bool command_first; /* the last request was for samples */
    struct mqtt mqtt;
    struct mqtt_config mqtt_config;
    struct state state;
    int32_t self_check; /* of the last sample: sample scalar */
    bool can_up, state_borrowed;
    uint32_t boot, now_ms, synced_ms, clock_ms;
    uint64_t utc_ms;
    uint8_t clock_counter;
    char topic_record[TOPIC_MAX], topic_result[TOPIC_MAX], topic_state[TOPIC_MAX], topic_down[TOPIC_MAX];
    const char *filters[1];
    size_t will_n;
    uint8_t will[STATE_MAX], state_bytes[STATE_MAX], rx[DTU_RX];
    uint8_t buffer[DTU_BUFFERS][RECORD_MAX];
};

/* Returns 0 or BMS_ERR_RANGE. */
int dtu_init(struct dtu *d, const struct dtu_config *config, uint32_t now_ms);

/* Take the frames, do what is due, add frames to out (up to DTU_OUT_MAX; what has no room waits). */
void dtu_step(struct dtu *d, const struct dtu_in *in, struct dtu_out *out);

/* A request to the board is under way. */
bool dtu_is_busy(const struct dtu *d);

/* The last act before the end: what is in RAM goes into the journal. 0 or its error; then the board is asked for it after the next start. */
int dtu_flush(struct dtu *d);

/* <tenant>.<vehicle>: letters, digits, '-', '_', one dot, at most DEVICE_NAME_MAX characters. */
bool dtu_is_name(const char *device);

#endif
