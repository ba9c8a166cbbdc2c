/* SPDX-License-Identifier: Apache-2.0 */
/* uds_service.h -- the handlers of uds.c that live in files of their own. For uds*.c alone.
 *
 * A handler writes the answer behind its first byte and returns its whole length, or a negative NRC. req[n], n >= 1; out[UDS_RESPONSE_MAX].
 */
#ifndef FIRMWARE_UDS_SERVICE_H
#define FIRMWARE_UDS_SERVICE_H

#include "firmware/core/uds.h"

enum { UDS_SUPPRESS = 0x80 }; /* bit 7 of a sub-function: no positive answer wanted */

typedef int uds_handler(struct uds *u, const uint8_t *req, size_t n, uint8_t *out);

/* uds_session.c */
uds_handler uds_10_diagnostic_session_control, uds_27_security_access, uds_28_communication_control, uds_3E_tester_present;
/* uds_dtc.c */
uds_handler uds_14_clear_diagnostic_information, uds_19_read_dtc_information, uds_85_control_dtc_setting;

/* Back to the default session: locked, everything sent, everything noted. */
void uds_default_session(struct uds *u);

/* True when a write is refused for want of a key: the parameter write_needs_key is set and the tester has not unlocked. */
bool uds_is_locked(const struct uds *u);

#endif
