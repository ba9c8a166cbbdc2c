/* SPDX-License-Identifier: Apache-2.0 */
/* test_serve.c -- who may ask the local program. */
#include "local/app/serve.h"

#include "tests/unit/suite.h"

static void test_only_this_computer(void)
{
    CU_ASSERT_TRUE(serve_is_loopback("127.0.0.1:8090"));
    CU_ASSERT_TRUE(serve_is_loopback("[::1]:0"));
    CU_ASSERT_TRUE(serve_is_loopback("localhost:80"));
    CU_ASSERT_FALSE(serve_is_loopback("0.0.0.0:8090"));
    CU_ASSERT_FALSE(serve_is_loopback(":8090"));
    CU_ASSERT_FALSE(serve_is_loopback("[::]:8090"));
    CU_ASSERT_FALSE(serve_is_loopback("192.0.2.7:8090"));
    CU_ASSERT_FALSE(serve_is_loopback("localhost.example:8090"));
    CU_ASSERT_FALSE(serve_is_loopback("127.attacker.example:8090"));
}

static void test_only_by_its_name(void)
{
    CU_ASSERT_TRUE(serve_is_our_host("127.0.0.1:8090", 8090));
    CU_ASSERT_TRUE(serve_is_our_host("localhost:8090", 8090));
    CU_ASSERT_TRUE(serve_is_our_host("[::1]:8090", 8090));
    CU_ASSERT_FALSE(serve_is_our_host("127.0.0.1:8091", 8090));
    CU_ASSERT_FALSE(serve_is_our_host("127.0.0.1", 8090));
    CU_ASSERT_FALSE(serve_is_our_host("attacker.example:8090", 8090));
    CU_ASSERT_FALSE(serve_is_our_host("localhost:8090.attacker.example", 8090));
    CU_ASSERT_FALSE(serve_is_our_host("", 8090));
    CU_ASSERT_FALSE(serve_is_our_host(NULL, 8090));
}

static void test_only_from_its_own_pages(void)
{
    CU_ASSERT_TRUE(serve_is_our_origin(NULL, 8090));
    CU_ASSERT_TRUE(serve_is_our_origin("http://127.0.0.1:8090", 8090));
    CU_ASSERT_TRUE(serve_is_our_origin("http://localhost:8090", 8090));
    CU_ASSERT_FALSE(serve_is_our_origin("http://127.0.0.1:8091", 8090));
    CU_ASSERT_FALSE(serve_is_our_origin("https://127.0.0.1:8090", 8090));
    CU_ASSERT_FALSE(serve_is_our_origin("http://attacker.example", 8090));
    CU_ASSERT_FALSE(serve_is_our_origin("null", 8090));
    CU_ASSERT_FALSE(serve_is_our_origin("", 8090));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "it listens on a loopback address and on no other", test_only_this_computer },
        { "a request that names another host is not ours, as after DNS rebinding", test_only_by_its_name },
        { "a request of another origin is not answered", test_only_from_its_own_pages },
        CU_TEST_INFO_NULL,
    };

    return suite_run("serve", tests);
}
