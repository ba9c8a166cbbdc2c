/* SPDX-License-Identifier: Apache-2.0 */
/* auth_role.c -- see auth_role.h. */
#include "server/api/auth_role.h"

#include <string.h>

static const char *const words[] = {
    [ACCESS_PUBLIC] = "public",     [ACCESS_VIEWER] = "viewer", [ACCESS_OPERATOR] = "operator",
    [ACCESS_ENGINEER] = "engineer", [ACCESS_ADMIN] = "admin",
};

enum access auth_role_access(const char *word)
{
    for (int i = ACCESS_VIEWER; i <= ACCESS_ADMIN; i++) {
        if (strcmp(words[i], word) == 0)
            return (enum access)i;
    }
    return ACCESS_PUBLIC;
}

const char *auth_role_word(enum access access)
{
    return words[access];
}

bool auth_tenant_sees(const char *tenant, const char *device)
{
    size_t len = strlen(tenant);

    return strcmp(tenant, "*") == 0 || (len > 0 && strncmp(tenant, device, len) == 0 && device[len] == '.');
}

bool auth_role_sees(const struct http_user *user, const char *device)
{
    return auth_tenant_sees(user->tenant, device);
}
