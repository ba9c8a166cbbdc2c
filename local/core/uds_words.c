/* SPDX-License-Identifier: Apache-2.0 */
#include "local/core/uds_words.h"

#include <string.h>

#include "proto/uds.h"

static const struct {
    uint8_t nrc;
    const char *words;
} rows[] = {
    { UDS_NRC_SERVICE, "this board does not know the service" },
    { UDS_NRC_SUBFUNCTION, "this board does not know the function" },
    { UDS_NRC_LENGTH, "wrong length of the request" },
    { UDS_NRC_TOO_LONG, "the answer would be too long" },
    { UDS_NRC_BUSY, "the board is busy, try again" },
    { UDS_NRC_CONDITIONS, "conditions not correct: the contactors must be open and nothing asked for" },
    { UDS_NRC_SEQUENCE, "out of order" },
    { UDS_NRC_RANGE, "unknown, or outside its range" },
    { UDS_NRC_SECURITY, "the board is locked" },
    { UDS_NRC_KEY, "wrong key" },
    { UDS_NRC_ATTEMPTS, "too many wrong keys" },
    { UDS_NRC_DELAY, "locked for 10 s after wrong keys" },
    { UDS_NRC_NOT_ACCEPTED, "the download is not accepted" },
    { UDS_NRC_SUSPENDED, "the transfer was suspended" },
    { UDS_NRC_PROGRAMMING, "the memory could not be written, or the check failed" },
    { UDS_NRC_BLOCK_COUNTER, "wrong block number" },
    { UDS_NRC_SUBFUNCTION_NOT_IN_SESSION, "not in this session" },
    { UDS_NRC_NOT_IN_SESSION, "not in this session" },
};

const char *uds_nrc_words(uint8_t nrc)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].nrc == nrc)
            return rows[i].words;
    return "refused";
}

static void append(char *out, size_t n, const char *word)
{
    size_t at = strlen(out), k = strlen(word), comma = at ? 2 : 0;

    if (at + comma + k + 1 > n)
        return;
    memcpy(out + at, ", ", comma);
    memcpy(out + at + comma, word, k + 1);
}

void uds_status_words(uint8_t status, char *out, size_t n)
{
    static const char *const bits[8] = {
        "failed now",         "failed this cycle",     "pending",     "confirmed", "not tested since clear",
        "failed since clear", "not tested this cycle", "warning lamp"
    };

    if (n == 0)
        return;
    out[0] = '\0';
    for (unsigned i = 0; i < 8; i++)
        if ((unsigned)status >> i & 1u)
            append(out, n, bits[i]);
    if (out[0] == '\0')
        append(out, n, "no result");
}
