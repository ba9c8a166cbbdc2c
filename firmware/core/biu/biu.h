/* SPDX-License-Identifier: Apache-2.0 */
/* biu.h -- one battery integrated-management unit: what it measures, judges, switches and tells, in one step of 10 ms.
 *
 * Pure and deterministic: the same inputs give the same outputs, so a recorded input log plays an incident again. No pins, no clock, no
 * heap, no globals: one process hosts as many as memory allows. A step judges the alarms and commands the contactors before all else:
 *
 *   AFE bytes, CAN frames ──> values ──> alarms ──> contactors ──> SOC, balancing ──> sample ──> requests (UDS), frames
 */
#ifndef FIRMWARE_BIU_H
#define FIRMWARE_BIU_H

#include "common/isotp.h"
#include "firmware/core/actuators/balance.h"
#include "firmware/core/actuators/contactor.h"
#include "firmware/core/actuators/outputs.h"
#include "firmware/core/actuators/power_mode.h"
#include "firmware/core/actuators/thermal.h"
#include "firmware/core/biu/biu_io.h"
#include "firmware/core/charge/charge.h"
#include "firmware/core/charge/fast_charge.h"
#include "firmware/core/charge/plug.h"
#include "firmware/core/diagnosis/dtc.h"
#include "firmware/core/diagnosis/self_check.h"
#include "firmware/core/estimation/soc.h"
#include "firmware/core/estimation/sop.h"
#include "firmware/core/measure/afe.h"
#include "firmware/core/measure/current.h"
#include "firmware/core/measure/insulation.h"
#include "firmware/core/measure/measure.h"
#include "firmware/core/measure/topology.h"
#include "firmware/core/protection/alarm.h"
#include "firmware/core/protection/limits.h"
#include "firmware/core/protection/runaway.h"
#include "firmware/core/protection/trend.h"
#include "firmware/core/store/key_data.h"
#include "firmware/core/store/params.h"
#include "firmware/core/talk/rs485.h"
#include "firmware/core/talk/sampler.h"
#include "firmware/core/talk/stream.h"
#include "firmware/core/talk/uds.h"
#include "firmware/core/talk/vehicle_bus.h"

struct biu_config {
    const int32_t *params;      /* PARAMS values of the stored copy; copied; one outside its row becomes its chemistry's default */
    uint32_t boot;              /* board starts since production, this one included */
    struct sample *ring;        /* memory for samples that are kept for a resend; borrowed, must outlive the BIU */
    size_t ring_size;           /* in samples, 2 or more */
    const struct key_data *key; /* what was saved before the power went; copied; NULL = nothing */
    const uint8_t *codes;       /* trouble codes of the starts before (dtc_image.h); copied; NULL = none */
    size_t codes_n;             /* bytes */
};

struct biu { /* allocated by the caller; holds pointers into itself, so it must stay where it was initialised */
    uint32_t boot;
    uint32_t last_ms;    /* now_ms of the last step */
    uint64_t dtu_utc_ms; /* from DTU_Clock, kept going; 0 = not known */
    uint32_t idle_ms;    /* neither KeyOn nor charger for so long */
    uint32_t can_errors; /* CAN0 frames rejected since the start */
    enum pack_mode mode;
    bool sync;      /* SYNC was received in this step */
    uint8_t relays; /* energised now */
    enum topology_error topology_error;
    struct topology topology;
    struct params params;
    struct afe afe;
    struct measure measure;
    struct current current;
    struct plug plug;
    struct insulation insulation;
    struct self_check self;
    int32_t inlet_ddegC[SENSE_INLETS]; /* charging interface: sample scalars */
    struct alarms alarms;
    struct contactor contactor;
    struct charge_slow slow; /* what the plug and the charger say: set before the charge is stepped */
    struct charge_fast fast;
    struct charge charge;
    struct fast_charge session; /* CAN2 */
    struct limits limits;
    struct trend trend;
    struct runaway runaway;
    struct thermal thermal;
    struct outputs outputs;
    struct sop sop;
    struct power_mode power_mode;
    struct soc soc;
    struct key_data key;
    struct key_saving key_saving;
    struct balance balance;
    struct sampler sampler;
    struct stream stream;
    struct vehicle_bus vehicle; /* CAN1 */
    struct uds uds;
    struct dtc_memory dtc;
    uint8_t to_all[8], to_all_n; /* a functional request that waits for its turn */
    struct isotp isotp;
    struct rs485 rs485;
    bool asked_by_rs485;              /* who gets the answer of a request that waits */
    enum biu_nvm nvm;                 /* a result that the tester has not been told yet */
    uint8_t answer[UDS_RESPONSE_MAX]; /* and where ISO-TP sends it from */
    uint8_t request[UDS_REQUEST_MAX];
};

/* Start. Returns 0, or BMS_ERR_RANGE: the parameters describe a pack that cannot be. The BIU then runs all the same, without cells and
 * with open contactors, so that a tester can set it right; topology_text(biu->topology_error) says what is wrong. Also BMS_ERR_RANGE for a
 * ring of fewer than 2 samples; then it must not be stepped. */
int biu_init(struct biu *biu, const struct biu_config *cfg, uint32_t now_ms);

/* Every 10 ms. `out` is filled afresh. Cannot fail. */
void biu_step(struct biu *biu, const struct biu_in *in, struct biu_out *out);

/* After a sleep in which no steps ran: every value is "never" until it has been measured again, the contactors start open, and for the
 * timers no time has passed. Active alarms stay until a new value clears them. */
void biu_wake(struct biu *biu, uint32_t now_ms);

#endif
