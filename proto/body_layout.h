/* SPDX-License-Identifier: Apache-2.0 */
/* body_layout.h -- the numbers that both halves of the body share; record-body.md says what they mean. */
#ifndef PROTO_BODY_LAYOUT_H
#define PROTO_BODY_LAYOUT_H

enum { BODY_LAYOUT = 2, BODY_HEAD = 2, ALARM_COUNT_BITS = 5, ALARM_HALF_BITS = 24 };

#endif
