/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h -- a BIU on a bench: the fake chain, a current sensor, and what a tester on CAN0 sees. Time is a number. */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "firmware/core/biu/biu.h"
#include "tests/unit/firmware/fake_chain.h"

enum { RIG_RING = 16, RIG_FRAMES = 1024 };

struct rig {
    struct biu biu;
    struct fake_chain chain;
    struct biu_in in;
    struct biu_out out;
    struct sample ring[RIG_RING];
    int32_t params[PARAMS]; /* what the board started with */
    uint8_t afe_rx[4096];
    int32_t current_mA;
    int32_t pack_mV; /* what the pack has, when its reading is not valid */
    bool csu_silent, csu_stuck;
    double pos_kohm, neg_kohm; /* insulation of each rail */
    uint8_t csu_counter;
    uint8_t welded, jammed; /* BIU_RELAY_* that do not open, do not close */
    bool short_link;        /* nothing charges it */
    bool hold_link;         /* something keeps it at the pack's voltage */
    bool no_link;           /* nothing has to be charged */
    struct can_frame rx[4]; /* given to the BIU in the next step, with the sensor's frame */
    size_t rx_count;
    struct can_frame seen[RIG_FRAMES]; /* all that the BIU has sent since the caller last set seen_count to 0 */
    size_t seen_count;
    unsigned samples;   /* taken since the start */
    struct sample last; /* the newest of them */
};

/* The link behind the contactors has a time constant of 100 ms through RL2 and of 1 s when open; relays follow in one step.
 * A pack of `cells` NMC cells at 3,700 mV and 25 degC with default parameters, at time now_ms. Change r->params before rig_start(). */
void rig_init(struct rig *r, int cells, uint32_t now_ms);
int rig_start(struct rig *r);

/* What comes before and after biu_step(&r->biu, &r->in, &r->out) in a step of 10 ms; a whole step; many of them. */
void rig_before(struct rig *r);
void rig_after(struct rig *r);
void rig_step(struct rig *r);
void rig_run(struct rig *r, uint32_t ms);

/* Steps until fewer than max_ms have passed and the condition holds; returns the ms it took, or max_ms. */
uint32_t rig_until(struct rig *r, bool (*done)(const struct rig *), uint32_t max_ms);

void rig_set_cell(struct rig *r, unsigned cell, int mV); /* from 1 */
bool rig_has_alarm(const struct rig *r, enum alarm alarm);

/* Send a request over ISO-TP and run until the answer is in: its length, into out[size]; 0 after 2 s without one. */
size_t rig_ask(struct rig *r, const uint8_t *req, size_t n, uint8_t *out, size_t size);

#endif
