/* SPDX-License-Identifier: Apache-2.0 */
/* tls_setup.h -- the TLS configuration of the lwIP stream: keys, certificates, and everything that altcp_tls leaves unsafe by default. */
#ifndef DTU_PORT_LWIP_TLS_SETUP_H
#define DTU_PORT_LWIP_TLS_SETUP_H

#include <stddef.h>
#include <stdint.h>

#include "dtu/port/tls_files.h"

struct altcp_tls_config;

/* Read the files and make a configuration. The errors of each certificate check are added to *verify_flags (MBEDTLS_X509_BADCERT_*), which
 * must live as long. Returns 0, BMS_ERR_IO or BMS_ERR_RANGE with a sentence in why[why_n]. */
int tls_setup(struct altcp_tls_config **out, const struct tls_files *files, uint32_t *verify_flags, char *why, size_t why_n);

#endif
