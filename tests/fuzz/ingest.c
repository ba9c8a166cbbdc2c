/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on any topic: as they come, and, so that the fuzzer gets past CRC and names, sealed anew and on the topic of the device they name. */
#include "common/bytes.h"
#include "common/crc.h"
#include "server/ingest/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const int64_t now_ms = INT64_C(1800000000000), retention_ms = INT64_C(1800000000000);

static void decode(const char *topic, size_t topic_len, const uint8_t *data, size_t n)
{
    static struct decoded out;
    static struct poison poison;

    if (decode_record(topic, topic_len, data, n, now_ms, retention_ms, &out, &poison)) {
        if (out.count < 1 || out.count > RECORD_SAMPLES_MAX || out.run_count > ALARM_RUNS_MAX)
            abort();
        decoded_free(&out);
    } else if (poison.reason >= POISON_REASONS || strlen(poison.topic) >= sizeof poison.topic) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t sealed[RECORD_MAX];
    char topic[TOPIC_MAX];
    struct record r;
    size_t topic_len = n ? data[0] : 0;

    if (topic_len + 1 <= n)
        decode((const char *)data + 1, topic_len, data + 1 + topic_len, n - 1 - topic_len);
    if (n + 5 > sizeof sealed)
        return 0;
    if (n)
        memcpy(sealed, data, n);
    sealed[n] = 0x7D;
    put_le32(sealed + n + 1, crc32c(0, sealed, n));
    (void)record_open(sealed, n + 5, &r);
    snprintf(topic, sizeof topic, TOPIC_ROOT "%s" TOPIC_RECORD, r.device);
    decode(topic, strlen(topic), sealed, n + 5);
    return 0;
}
