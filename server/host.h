/* SPDX-License-Identifier: Apache-2.0 */
/* host.h -- HOST:PORT, and whether a name leads to an address. */
#ifndef SERVER_HOST_H
#define SERVER_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Split "HOST:PORT" or "[IPV6]:PORT" at the last colon. Returns the port, or BMS_ERR_RANGE; host[size] gets the host without brackets. */
int host_split(const char *text, char *host, size_t size);

/* True when the two names have an address in common. Asks the resolver. */
bool host_is_same(const char *a, const char *b);

#endif
