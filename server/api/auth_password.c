/* SPDX-License-Identifier: Apache-2.0 */
/* auth_password.c -- see auth_password.h. */
#include "server/api/auth_password.h"

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define MEMORY (64u << 20) /* bytes of one hash */

_Static_assert(AUTH_PASSWORD_MIN == 12 && AUTH_PASSWORD_MAX == 256, "the words of auth_password_problem() say so");

enum { TURNS_MIN = 5, DIFFERENT_MIN = 5 };

/* What is long enough and has turns enough, and is still guessed first. */
static const char *const well_known[] = {
    "password1234",
    "password12345",
    "password123!",
    "passw0rd1234",
    "passwordpassword",
    "qwertyqwerty",
    "qwerty123456",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "q1w2e3r4t5y6",
    "administrator",
    "adminadmin123",
    "admin1234567",
    "changeme1234",
    "changemenow1",
    "letmein12345",
    "welcome12345",
    "iloveyou1234",
    "cellwarden12",
    "cellwarden123",
    "cellwarden1234",
    "batterymanagement",
    "correcthorsebatterystaple",
};

/* Places where the next byte is neither the same nor a neighbour: "aaaa", "1234" and "dcba" have none. */
static size_t turns_of(const char *text)
{
    size_t turns = 0;

    for (size_t i = 1; text[i - 1] != '\0' && text[i] != '\0'; i++) {
        int step = (unsigned char)text[i] - (unsigned char)text[i - 1];

        turns += step < -1 || step > 1;
    }
    return turns;
}

static size_t different_bytes(const char *text)
{
    bool seen[256] = { false };
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += !seen[(unsigned char)*text];
        seen[(unsigned char)*text] = true;
    }
    return count;
}

static bool is_well_known(const char *password)
{
    for (size_t i = 0; i < sizeof well_known / sizeof well_known[0]; i++) {
        if (strcasecmp(well_known[i], password) == 0)
            return true;
    }
    return false;
}

/* What is left of the password without the name in it, bytes. */
static size_t length_without(const char *password, const char *name)
{
    size_t len = strlen(password), part = strlen(name);

    for (size_t i = 0; part > 0 && i + part <= len; i++) {
        if (strncasecmp(password + i, name, part) == 0)
            return len - part;
    }
    return len;
}

const char *auth_password_problem(const char *name, const char *password)
{
    size_t len = strlen(password);

    if (len < AUTH_PASSWORD_MIN)
        return "must have at least 12 characters";
    if (len > AUTH_PASSWORD_MAX)
        return "may have at most 256 bytes";
    if (length_without(password, name) < AUTH_PASSWORD_MIN)
        return "must have 12 characters besides the user's name";
    if (different_bytes(password) < DIFFERENT_MIN || turns_of(password) < TURNS_MIN)
        return "must not repeat a few characters or a row of keys";
    return is_well_known(password) ? "is one of those that are tried first; choose another" : NULL;
}

int auth_password_hash(const char *password, char hash[crypto_pwhash_STRBYTES])
{
    return crypto_pwhash_str_alg(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE, MEMORY,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : BMS_ERR_NOSPACE;
}
