/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"
#include "common/crc.h"
#include "server/ingest/decode.h"
#include "tests/unit/server/make_record.h"
#include "tests/unit/suite.h"

#include <string.h>

#define DEVICE "demo.bus-048"
#define TOPIC  "cw/v1/" DEVICE "/up/rec"

static const int64_t now = INT64_C(1800000000000);
static const int64_t day = 86400000, retention = INT64_C(400) * 86400000;

static uint8_t bytes[RECORD_MAX + 1];
static struct decoded out;
static struct poison poison;

static bool decode_on(const char *topic, size_t n)
{
    return decode_record(topic, strlen(topic), bytes, n, now, retention, &out, &poison);
}

static size_t make(const char *device, int64_t utc_ms)
{
    struct sample s[3];

    for (uint32_t i = 0; i < 3; i++)
        s[i] = make_sample(7, 100 + i, (uint64_t)utc_ms + i * 1000, 48, 12);
    return make_record(device, 0xA1B2C3D4E5F60718, 42, s, 3, bytes);
}

static void test_a_good_record_is_taken_whole(void)
{
    size_t n = make(DEVICE, now - 5000);

    CU_ASSERT_TRUE_FATAL(decode_on(TOPIC, n));
    CU_ASSERT_STRING_EQUAL(out.device, DEVICE);
    CU_ASSERT_EQUAL(out.epoch, 0xA1B2C3D4E5F60718);
    CU_ASSERT_EQUAL(out.seq, 42);
    CU_ASSERT_EQUAL(out.boot, 7);
    CU_ASSERT_EQUAL(out.first_no, 100);
    CU_ASSERT_EQUAL(out.count, 3);
    CU_ASSERT_EQUAL(out.first_ms, now - 5000);
    CU_ASSERT_EQUAL(out.last_ms, now - 3000);
    CU_ASSERT_EQUAL(out.last.no, 102);
    CU_ASSERT_PTR_EQUAL(out.bytes, bytes);
    CU_ASSERT_EQUAL(out.size, n);
    CU_ASSERT_EQUAL(out.summary.cell_min_mV, 3701);
    CU_ASSERT_EQUAL(out.summary.cell_max_mV, 3748);
}

static void test_every_flipped_bit_is_poison(void)
{
    size_t n = make(DEVICE, now);

    for (size_t bit = 0; bit < n * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(decode_on(TOPIC, n));
        CU_ASSERT_EQUAL(poison.reason, POISON_CORRUPT);
        CU_ASSERT_FALSE(poison.named);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_TRUE(decode_on(TOPIC, n));
}

static void test_every_truncation_is_poison(void)
{
    size_t n = make(DEVICE, now);

    for (size_t len = 0; len < n; len++)
        CU_ASSERT_FALSE(decode_on(TOPIC, len));
}

static void test_the_clock_is_judged_at_its_limits(void)
{
    const struct {
        int64_t first_ms;
        enum poison_reason reason; /* POISON_REASONS = good */
    } rows[] = {
        { now - retention, POISON_REASONS },       { now - retention - 1, POISON_CLOCK_PAST }, { 0, POISON_CLOCK_PAST },
        { now + day - 2000, POISON_REASONS }, /* its last sample is 2 s younger */
        { now + day - 1999, POISON_CLOCK_FUTURE }, { now + day + 1, POISON_CLOCK_FUTURE },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = make(DEVICE, rows[i].first_ms);
        bool good = decode_on(TOPIC, n);

        CU_ASSERT_EQUAL(good, rows[i].reason == POISON_REASONS);
        if (!good) {
            CU_ASSERT_EQUAL(poison.reason, rows[i].reason);
            CU_ASSERT_TRUE(poison.named);
            CU_ASSERT_EQUAL(poison.seq, 42);
        }
    }
}

static void test_another_name_inside_is_poison(void)
{
    static const struct {
        const char *inside;
        enum poison_reason reason;
    } rows[] = {
        { "other.bus-048", POISON_TENANT }, { "demo.bus-049", POISON_DEVICE },  { "demo.bus-04", POISON_DEVICE },
        { "dem.bus-048", POISON_TENANT },   { "demos.bus-048", POISON_TENANT }, { "demo.bus-0488", POISON_DEVICE },
        { "nonsense", POISON_TENANT },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_FALSE(decode_on(TOPIC, make(rows[i].inside, now)));
        CU_ASSERT_EQUAL(poison.reason, rows[i].reason);
        CU_ASSERT_STRING_EQUAL(poison.device, DEVICE);
        CU_ASSERT_TRUE(poison.named);
    }
}

/* Change one byte of the envelope and seal it anew. */
static size_t reseal(size_t n, size_t at, uint8_t value)
{
    bytes[at] = value;
    put_le32(bytes + n - 4, crc32c(0, bytes, n - 5));
    return n;
}

static void test_schema_body_and_size_have_their_reasons(void)
{
    size_t n = make(DEVICE, now);

    CU_ASSERT_EQUAL_FATAL(bytes[1], 1); /* the schema's value follows its tag */
    CU_ASSERT_FALSE(decode_on(TOPIC, reseal(n, 1, 2)));
    CU_ASSERT_EQUAL(poison.reason, POISON_SCHEMA);
    CU_ASSERT_TRUE(poison.named);
    n = make(DEVICE, now);
    CU_ASSERT_FALSE(decode_on(TOPIC, reseal(n, n - 6, (uint8_t)(bytes[n - 6] ^ 0xFF)))); /* last byte of the body */
    CU_ASSERT_EQUAL(poison.reason, POISON_BODY);
    CU_ASSERT_FALSE(decode_on(TOPIC, 0));
    CU_ASSERT_EQUAL(poison.reason, POISON_SIZE);
    CU_ASSERT_FALSE(decode_on(TOPIC, RECORD_MAX + 1));
    CU_ASSERT_EQUAL(poison.reason, POISON_SIZE);
    CU_ASSERT_FALSE(poison.named);
}

static void test_topics_lead_where_they_belong(void)
{
    static const struct {
        const char *topic;
        enum topic_kind kind;
    } rows[] = {
        { "cw/v1/demo.bus-048/up/rec", TOPIC_IS_RECORD },
        { "cw/v1/demo.bus-048/up/res", TOPIC_IS_RESULT },
        { "cw/v1/demo.bus-048/state", TOPIC_IS_STATE },
        { "cw/v1/demo.bus-048/up/recx", TOPIC_IS_OTHER },
        { "cw/v1/demo.bus-048/up/re", TOPIC_IS_OTHER },
        { "cw/v1/demobus/up/rec", TOPIC_IS_OTHER },
        { "cw/v1/demo./up/rec", TOPIC_IS_OTHER },
        { "cw/v1/.bus/up/rec", TOPIC_IS_OTHER },
        { "cw/v1/a.b.c/up/rec", TOPIC_IS_OTHER },
        { "cw/v1//up/rec", TOPIC_IS_OTHER },
        { "cw/v2/demo.bus-048/up/rec", TOPIC_IS_OTHER },
        { "cw/v1/", TOPIC_IS_OTHER },
        { "", TOPIC_IS_OTHER },
        { "cw/v1/demo.b us/up/rec", TOPIC_IS_OTHER },
    };
    char device[DEVICE_NAME_MAX + 1];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(topic_parse(rows[i].topic, strlen(rows[i].topic), device), rows[i].kind);
}

static void test_a_name_is_taken_up_to_its_longest(void)
{
    char name[DEVICE_NAME_MAX + 2];

    memset(name, 'a', sizeof name);
    name[1] = '.';
    CU_ASSERT_TRUE(device_name_is_valid(name, DEVICE_NAME_MAX));
    CU_ASSERT_FALSE(device_name_is_valid(name, DEVICE_NAME_MAX + 1));
    CU_ASSERT_FALSE(device_name_is_valid("", 0));
    CU_ASSERT_FALSE(device_name_is_valid("\xC3\xA4.b", 4));
}

static void test_a_strange_topic_is_kept_printable(void)
{
    CU_ASSERT_FALSE(decode_on("cw/v1/x\n\x01/up/rec", make(DEVICE, now)));
    CU_ASSERT_EQUAL(poison.reason, POISON_TOPIC);
    CU_ASSERT_STRING_EQUAL(poison.topic, "cw/v1/x?"
                                         "?/up/rec");
    CU_ASSERT_STRING_EQUAL(poison.device, "");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a good record is taken whole [FL-3]", test_a_good_record_is_taken_whole },
        { "every flipped bit is poison", test_every_flipped_bit_is_poison },
        { "every truncation is poison", test_every_truncation_is_poison },
        { "the clock is judged at its limits", test_the_clock_is_judged_at_its_limits },
        { "another name inside is poison", test_another_name_inside_is_poison },
        { "schema, body and size have their reasons", test_schema_body_and_size_have_their_reasons },
        { "topics lead where they belong", test_topics_lead_where_they_belong },
        { "a name is taken up to its longest", test_a_name_is_taken_up_to_its_longest },
        { "a strange topic is kept printable", test_a_strange_topic_is_kept_printable },
        CU_TEST_INFO_NULL,
    };
    return suite_run("decode", tests);
}
