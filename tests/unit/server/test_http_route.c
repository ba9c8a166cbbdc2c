/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/http_route.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static const struct http_route routes[] = {
    { "GET", "/api/v1/vehicles/{id}", ACCESS_VIEWER, false, true, NULL },
    { "GET", "/api/v1/vehicles/{id}/ops", ACCESS_VIEWER, false, true, NULL },
    { "POST", "/api/v1/vehicles/{id}/ops", ACCESS_OPERATOR, true, true, NULL },
    { "GET", "/a/{x}/{y}", ACCESS_PUBLIC, false, false, NULL },
    { "GET", "/healthz", ACCESS_PUBLIC, false, false, NULL },
};
#define COUNT (sizeof routes / sizeof routes[0])

static const struct row {
    const char *method, *path;
    int route; /* -1 = none */
    bool path_known;
} rows[] = {
    { "GET", "/healthz", 4, true },
    { "HEAD", "/healthz", 4, true },
    { "POST", "/healthz", -1, true },
    { "GET", "/healthz/", -1, false },
    { "GET", "/health", -1, false },
    { "GET", "healthz", -1, false },
    { "GET", "", -1, false },
    { "GET", "/", -1, false },
    { "GET", "/api/v1/vehicles/demo.bus-1", 0, true },
    { "GET", "/api/v1/vehicles/", -1, false },
    { "GET", "/api/v1/vehicles//ops", -1, false },
    { "GET", "/api/v1/vehicles/demo.bus-1/ops", 1, true },
    { "POST", "/api/v1/vehicles/demo.bus-1/ops", 2, true },
    { "HEAD", "/api/v1/vehicles/demo.bus-1/ops", 1, true },
    { "DELETE", "/api/v1/vehicles/demo.bus-1/ops", -1, true },
    { "get", "/healthz", -1, true },
    { "GET", "/a/1/2", 3, true },
    { "GET", "/a/1", -1, false },
    { "GET", "/a/1/2/3", -1, false },
};

static void test_path_and_method_find_their_row(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_match match;

        http_route_find(routes, COUNT, rows[i].method, rows[i].path, &match);
        CU_ASSERT_EQUAL(match.route == NULL ? -1 : (int)(match.route - routes), rows[i].route);
        CU_ASSERT_EQUAL(match.path_known, rows[i].path_known);
    }
}

static void test_parameters_are_copied_in_order(void)
{
    struct http_match match;

    http_route_find(routes, COUNT, "GET", "/a/first/second", &match);
    CU_ASSERT_STRING_EQUAL(match.param[0], "first");
    CU_ASSERT_STRING_EQUAL(match.param[1], "second");
}

static void test_parameter_that_is_too_long_matches_nothing(void)
{
    struct http_match match;
    char path[HTTP_PARAM_SIZE + 32];

    snprintf(path, sizeof path, "/a/%0*d/2", HTTP_PARAM_SIZE - 1, 0);
    http_route_find(routes, COUNT, "GET", path, &match);
    CU_ASSERT_PTR_NOT_NULL(match.route);
    snprintf(path, sizeof path, "/a/%0*d/2", HTTP_PARAM_SIZE, 0);
    http_route_find(routes, COUNT, "GET", path, &match);
    CU_ASSERT_PTR_NULL(match.route);
}

static void test_allow_names_every_method_of_the_path(void)
{
    char allow[32];

    http_route_allow(routes, COUNT, "/api/v1/vehicles/demo.bus-1/ops", allow, sizeof allow);
    CU_ASSERT_STRING_EQUAL(allow, "GET, POST");
    http_route_allow(routes, COUNT, "/healthz", allow, sizeof allow);
    CU_ASSERT_STRING_EQUAL(allow, "GET");
    http_route_allow(routes, COUNT, "/nowhere", allow, sizeof allow);
    CU_ASSERT_STRING_EQUAL(allow, "");
    http_route_allow(routes, COUNT, "/api/v1/vehicles/demo.bus-1/ops", allow, 8); /* no room for both */
    CU_ASSERT_STRING_EQUAL(allow, "GET");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "path and method find their row", test_path_and_method_find_their_row },
        { "parameters are copied in order", test_parameters_are_copied_in_order },
        { "a parameter that is too long matches nothing", test_parameter_that_is_too_long_matches_nothing },
        { "Allow names every method of the path", test_allow_names_every_method_of_the_path },
        CU_TEST_INFO_NULL,
    };
    return suite_run("http_route", tests);
}
