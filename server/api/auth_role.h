/* SPDX-License-Identifier: Apache-2.0 */
/* auth_role.h -- roles by their names in the database and the API, and which vehicles a user may see. Pure. */
#ifndef SERVER_AUTH_ROLE_H
#define SERVER_AUTH_ROLE_H

#include "server/http/http.h"

#include <stdbool.h>

/* "viewer" .. "admin"; an unknown word gives ACCESS_PUBLIC, which is enough for nothing. */
enum access auth_role_access(const char *word);
const char *auth_role_word(enum access access);

/* Whether `device` ("<tenant>.<vehicle>") belongs to the user's tenant. "*" sees all. */
bool auth_role_sees(const struct http_user *user, const char *device);

/* The same for a tenant's name alone, as streams keep it. */
bool auth_tenant_sees(const char *tenant, const char *device);

#endif
