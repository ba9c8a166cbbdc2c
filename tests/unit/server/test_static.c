/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/static.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static void test_names_stay_below_the_folder(void)
{
    static const struct {
        const char *path, *name; /* NULL = refused */
    } rows[] = {
        { "/", "index.html" },
        { "/index.html", "index.html" },
        { "/assets/app-BxQ3f_9a.js", "assets/app-BxQ3f_9a.js" },
        { "/..", NULL },
        { "/../etc/passwd", NULL },
        { "/assets/../../etc/passwd", NULL },
        { "/assets/..", NULL },
        { "/./index.html", NULL },
        { "/.env", NULL },
        { "/assets/.git/config", NULL },
        { "//etc/passwd", NULL },
        { "/assets//x.js", NULL },
        { "/assets/", NULL },
        { "/a\\..\\b", NULL },
        { "/a%2e%2e/b", NULL }, /* decoded twice it would climb */
        { "/a\nb", NULL },
        { "/\xC3\xBC.js", NULL },
        { "index.html", NULL },
        { "", NULL },
    };
    char name[STATIC_NAME_MAX + 1];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool ok = static_name(rows[i].path, name);

        CU_ASSERT_EQUAL(ok, rows[i].name != NULL);
        if (ok && rows[i].name != NULL)
            CU_ASSERT_STRING_EQUAL(name, rows[i].name);
    }
}

static void test_longest_name_is_taken_and_one_more_is_not(void)
{
    char path[STATIC_NAME_MAX + 3], name[STATIC_NAME_MAX + 1];

    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[STATIC_NAME_MAX + 1] = '\0';
    CU_ASSERT_TRUE(static_name(path, name));
    path[STATIC_NAME_MAX + 1] = 'a';
    path[STATIC_NAME_MAX + 2] = '\0';
    CU_ASSERT_FALSE(static_name(path, name));
}

static void test_only_hashed_names_are_kept_for_ever(void)
{
    CU_ASSERT_TRUE(static_is_immutable("assets/index-BbiK58Dx.js"));
    CU_ASSERT_TRUE(static_is_immutable("assets/index-BxQ3f_9a.css"));
    CU_ASSERT_TRUE(static_is_immutable("index-12345678.js"));
    CU_ASSERT_FALSE(static_is_immutable("index-1234567.js")); /* one short */
    CU_ASSERT_FALSE(static_is_immutable("index.html"));
    CU_ASSERT_FALSE(static_is_immutable("service-worker.js"));
    CU_ASSERT_FALSE(static_is_immutable("apple-touchicons.png")); /* a word, no hash */
    CU_ASSERT_FALSE(static_is_immutable("12345678.js"));
    CU_ASSERT_FALSE(static_is_immutable("-12345678"));
}

static void test_encodings_are_taken_as_the_browser_says(void)
{
    CU_ASSERT_TRUE(static_accepts("gzip, deflate, br", "br"));
    CU_ASSERT_TRUE(static_accepts("gzip, deflate, br", "gzip"));
    CU_ASSERT_FALSE(static_accepts("gzip, deflate", "br"));
    CU_ASSERT_FALSE(static_accepts("br;q=0, gzip", "br"));
    CU_ASSERT_TRUE(static_accepts("br;q=0, gzip", "gzip"));
    CU_ASSERT_TRUE(static_accepts("br ; q=0.5", "br"));
    CU_ASSERT_TRUE(static_accepts("br, gzip;q=0", "br"));
    CU_ASSERT_FALSE(static_accepts("brotli", "br"));
    CU_ASSERT_FALSE(static_accepts("", "br"));
    CU_ASSERT_FALSE(static_accepts(NULL, "br"));
}

static void test_types_are_known(void)
{
    CU_ASSERT_STRING_EQUAL(static_type("index.html"), "text/html; charset=utf-8");
    CU_ASSERT_STRING_EQUAL(static_type("a.b.js"), "text/javascript; charset=utf-8");
    CU_ASSERT_STRING_EQUAL(static_type("icon.svg"), "image/svg+xml");
    CU_ASSERT_STRING_EQUAL(static_type("strange"), "application/octet-stream");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "names stay below the folder", test_names_stay_below_the_folder },
        { "the longest name is taken and one more is not", test_longest_name_is_taken_and_one_more_is_not },
        { "only hashed names are kept for ever", test_only_hashed_names_are_kept_for_ever },
        { "encodings are taken as the browser says", test_encodings_are_taken_as_the_browser_says },
        { "types are known", test_types_are_known },
        CU_TEST_INFO_NULL,
    };
    return suite_run("static", tests);
}
