/* SPDX-License-Identifier: Apache-2.0 */
/* uds_words.h -- negative response codes and trouble code status in words (ISO 14229-1 table A.1 and D.2). Pure. */
#ifndef LOCAL_CORE_UDS_WORDS_H
#define LOCAL_CORE_UDS_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* What a person can do with it: "conditions not correct: the contactors are closed, ...". Never NULL. */
const char *uds_nrc_words(uint8_t nrc);

/* "failed now, confirmed, pending" of a status byte into out[n], always terminated; "no result" for 0. */
void uds_status_words(uint8_t status, char *out, size_t n);

#endif
