/* SPDX-License-Identifier: Apache-2.0 */
/* uds_service.h -- the handlers of uds.c that live in files of their own. For uds*.c alone.
 *
 * A handler writes the answer behind its first byte and returns its whole length, or a negative NRC. req[n], n >= 1; out[UDS_RESPONSE_MAX].
 */
#ifndef FIRMWARE_UDS_SERVICE_H
#define FIRMWARE_UDS_SERVICE_H

#include "firmware/core/talk/uds.h"

enum { UDS_SUPPRESS = 0x80, UDS_ANSWER = 0x40 }; /* bit 7 of a sub-function: no positive answer wanted; positive answer = service + 40 */

typedef int uds_handler(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

/* uds_session.c */
uds_handler uds_10_diagnostic_session_control, uds_27_security_access, uds_28_communication_control, uds_3E_tester_present;
/* uds_dtc.c */
uds_handler uds_14_clear_diagnostic_information, uds_19_read_dtc_information, uds_85_control_dtc_setting;

/* uds_routine.c */
uds_handler uds_31_routine_control;
/* uds_bench.c: routines of the test bench */
uds_handler uds_calibrate, uds_test_contactor, uds_tell_contactor, uds_stop_contactor, uds_simulate, uds_tell_simulated,
    uds_stop_simulation;
void uds_end_bench(struct uds *u);                              /* the session is over: nothing is tested or simulated any more */
int uds_set_soc(struct uds *u, const uint8_t *value, size_t n); /* two bytes, 0.01 %; 0 or a negative NRC */
/* uds_transfer.c */
uds_handler uds_34_request_download, uds_35_request_upload, uds_36_transfer_data, uds_37_request_transfer_exit;
uds_handler uds_erase, uds_check, uds_progress; /* the routines of 31 that go with them */

/* The answer waits for a memory: reply[n] is it when all goes well. Returns 0. */
int uds_wait(struct uds *u, enum uds_wait what, const uint8_t *reply, size_t n);

/* 0, or the negative NRC that keeps a tester from programming: session, key, contactors. */
int uds_may_program(const struct uds *u);

/* Change the running copy: 0, or a negative NRC: out of its row, or busy while it is being stored. */
int uds_set_param(struct uds *u, enum param param, int32_t value);

/* Back to the default session: locked, everything sent, everything noted. */
void uds_default_session(struct uds *u);

/* True when a write is refused for want of a key: the parameter write_needs_key is set and the tester has not unlocked. */
bool uds_is_locked(const struct uds *u);

#endif
