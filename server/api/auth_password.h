/* SPDX-License-Identifier: Apache-2.0 */
/* auth_password.h -- which passwords a user may have, and their Argon2id hashes (libsodium, 64 MiB).
 *
 * Length counts, not the kinds of characters: a rule that asks for a digit gets a 1 at the end (NIST SP 800-63B-4, 3.1.1.2). Refused is what a
 * guesser tries first: well-known ones, one key or one row of keys over and over, the user's own name. */
#ifndef SERVER_AUTH_PASSWORD_H
#define SERVER_AUTH_PASSWORD_H

#include <sodium.h>

enum { AUTH_PASSWORD_MIN = 12, AUTH_PASSWORD_MAX = 256 }; /* bytes */

/* What is wrong with `password` for the user `name`, in words for people; NULL when nothing is. Pure. */
const char *auth_password_problem(const char *name, const char *password);

/* Takes about 0.1 s and 64 MiB. Returns 0 or BMS_ERR_NOSPACE. */
int auth_password_hash(const char *password, char hash[crypto_pwhash_STRBYTES]);

#endif
