/* SPDX-License-Identifier: Apache-2.0 */
/* mbedtls_small.h -- the mbedTLS of the embedded DTU, with buffers of 4 kB and not of 16 kB, for a process with thousands of connections (sim/fleet);
 * keys and certificates come from files as on a gateway (tls_small.c). */
#ifndef DTU_PORT_POSIX_MBEDTLS_SMALL_H
#define DTU_PORT_POSIX_MBEDTLS_SMALL_H

#include "dtu/port/lwip/mbedtls_config.h"

#define MBEDTLS_FS_IO

#endif
