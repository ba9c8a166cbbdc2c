/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/jsonw.h"
#include "tests/unit/suite.h"

#include <string.h>

/* The text as one JSON string equals `want`. */
static bool writes(const char *text, size_t len, const char *want)
{
    struct jsonw j;

    jsonw_init(&j, 4096);
    jsonw_strn(&j, text, len);
    bool same = !j.failed && j.len == strlen(want) && memcmp(j.buf, want, j.len) == 0;

    jsonw_deinit(&j);
    return same;
}

#define WRITES(text, want) CU_ASSERT_TRUE(writes(text, sizeof(text) - 1, want))

static void test_text_is_escaped(void)
{
    WRITES("", "\"\"");
    WRITES("plain", "\"plain\"");
    WRITES("a\"b\\c", "\"a\\\"b\\\\c\"");
    WRITES("\n\t\x01\x1f", "\"\\u000a\\u0009\\u0001\\u001f\"");
    WRITES("nul\0nul", "\"nul\\u0000nul\"");
    WRITES("\x7f", "\"\\u007f\"");
}

static void test_markup_stays_text(void)
{
    WRITES("<b>&</b>", "\"\\u003cb\\u003e\\u0026\\u003c/b\\u003e\"");
    WRITES("\xE2\x80\xA8\xE2\x80\xA9", "\"\\u2028\\u2029\"");
}

static void test_utf8_passes_and_everything_else_is_replaced(void)
{
    WRITES("\xC3\xBC \xE6\xB1\x89 \xF0\x9F\x94\x8B", "\"\xC3\xBC \xE6\xB1\x89 \xF0\x9F\x94\x8B\"");
    WRITES("\x80", "\"\xEF\xBF\xBD\"");                                                 /* continuation without a lead */
    WRITES("\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                                 /* overlong */
    WRITES("\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");                 /* surrogate */
    WRITES("\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* beyond U+10FFFF */
    WRITES("a\xE6\xB1", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");                               /* cut off */
    WRITES("\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\"");                                 /* the last one there is */
}

static void test_integers_to_their_limits(void)
{
    struct jsonw j;
    static const char want[] = "[0,-1,9223372036854775807,-9223372036854775808,18446744073709551615]";

    jsonw_init(&j, 4096);
    jsonw_array(&j);
    jsonw_int(&j, 0);
    jsonw_int(&j, -1);
    jsonw_int(&j, INT64_MAX);
    jsonw_int(&j, INT64_MIN);
    jsonw_uint(&j, UINT64_MAX);
    jsonw_array_end(&j);
    CU_ASSERT_EQUAL(j.len, strlen(want));
    CU_ASSERT_NSTRING_EQUAL(j.buf, want, j.len);
    jsonw_deinit(&j);
}

static void test_commas_come_by_themselves(void)
{
    struct jsonw j;
    static const char want[] = "{\"a\":[],\"b\":{\"c\":null,\"d\":true},\"e\":[1,[2],{}],\"f\":null,\"g\":7}";

    jsonw_init(&j, 4096);
    jsonw_object(&j);
    jsonw_key(&j, "a");
    jsonw_array(&j);
    jsonw_array_end(&j);
    jsonw_key(&j, "b");
    jsonw_object(&j);
    jsonw_member_str(&j, "c", NULL);
    jsonw_member_bool(&j, "d", true);
    jsonw_object_end(&j);
    jsonw_key(&j, "e");
    jsonw_array(&j);
    jsonw_int(&j, 1);
    jsonw_array(&j);
    jsonw_int(&j, 2);
    jsonw_array_end(&j);
    jsonw_object(&j);
    jsonw_object_end(&j);
    jsonw_array_end(&j);
    jsonw_member_opt(&j, "f", false, 5);
    jsonw_member_opt(&j, "g", true, 7);
    jsonw_object_end(&j);
    CU_ASSERT_EQUAL(j.len, strlen(want));
    CU_ASSERT_NSTRING_EQUAL(j.buf, want, j.len);
    jsonw_deinit(&j);
}

static void test_document_beyond_its_limit_fails_as_a_whole(void)
{
    struct jsonw j;

    jsonw_init(&j, 10);
    jsonw_str(&j, "12345678"); /* 10 with the quotes */
    CU_ASSERT_FALSE(j.failed);
    CU_ASSERT_EQUAL(j.len, 10);
    jsonw_int(&j, 1);
    CU_ASSERT_TRUE(j.failed);
    jsonw_reset(&j);
    CU_ASSERT_FALSE(j.failed);
    jsonw_str(&j, "123456789");
    CU_ASSERT_TRUE(j.failed);
    jsonw_deinit(&j);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "text is escaped", test_text_is_escaped },
        { "markup stays text", test_markup_stays_text },
        { "UTF-8 passes and everything else is replaced", test_utf8_passes_and_everything_else_is_replaced },
        { "integers to their limits", test_integers_to_their_limits },
        { "commas come by themselves", test_commas_come_by_themselves },
        { "a document beyond its limit fails as a whole", test_document_beyond_its_limit_fails_as_a_whole },
        CU_TEST_INFO_NULL,
    };
    return suite_run("jsonw", tests);
}
