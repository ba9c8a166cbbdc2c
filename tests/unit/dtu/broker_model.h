/* SPDX-License-Identifier: Apache-2.0 */
/* broker_model.h -- a small MQTT 5 broker with the server behind it, for one DTU: counts every sample that it gets, acknowledges records. */
#ifndef TESTS_UNIT_DTU_BROKER_MODEL_H
#define TESTS_UNIT_DTU_BROKER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtu/core/mqtt.h"
#include "proto/record.h"

enum { BROKER_BOOTS = 4, BROKER_SAMPLES = 2000, BROKER_SEQS = 4000, BROKER_IN = 65536 };

struct broker {
    struct mqtt *client;
    struct mqtt_frame frame;
    uint8_t in[BROKER_IN];
    bool lossy;                                    /* records and acknowledgements are lost between broker and server, one in four */
    bool silent;                                   /* the server is away */
    uint16_t stored[BROKER_BOOTS][BROKER_SAMPLES]; /* how often sample no of a boot was stored */
    bool known[BROKER_SEQS];                       /* records stored, by seq */
    uint32_t records, mismatched, states, results, connects;
    unsigned last_count; /* samples of the newest record */
    uint8_t state[1024], result[4096];
    size_t state_n, result_n;
    bool state_retained;
    uint8_t will[1024];
    size_t will_n;
    uint16_t next_id;
};

void broker_init(struct broker *b, struct mqtt *client);

/* A stream is open: the client connects. */
void broker_open(struct broker *b, uint32_t now_ms);

/* Move all bytes both ways until nothing moves. */
void broker_run(struct broker *b);

/* Send a command's bytes. */
void broker_command(struct broker *b, const char *device, const uint8_t *bytes, size_t n);

#endif
