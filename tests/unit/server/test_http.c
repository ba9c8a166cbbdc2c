/* SPDX-License-Identifier: Apache-2.0 */
/* The real listener on a free port of the loopback, and no database behind it. */
#include "server/http/http_pool.h"

#include "common/err.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct http *http;
static char answer[65536];

static void say_hello(struct http_exchange *ex)
{
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "name", ex->match.param[0]);
    jsonw_member_str(&ex->out, "q", http_query(ex, "q"));
    jsonw_object_end(&ex->out);
}

static void echo(struct http_exchange *ex)
{
    ex->status = 200;
    jsonw_strn(&ex->out, ex->body == NULL ? "" : ex->body, ex->body_len);
}

static void say_nothing(struct http_exchange *ex)
{
    (void)ex;
}

static void write_much(struct http_exchange *ex)
{
    ex->status = 200;
    jsonw_array(&ex->out);
    for (int i = 0; i < 5000; i++)
        jsonw_int(&ex->out, 3300);
    jsonw_array_end(&ex->out);
}

static enum http_guard guard(struct http_exchange *ex)
{
    if (ex->match.route->access == ACCESS_PUBLIC)
        return HTTP_PASS;
    if (ex->match.route->access == ACCESS_VIEWER && ex->db == NULL)
        return HTTP_ASK_DATABASE;
    http_problem(ex, 401, "no", NULL, "not you");
    return HTTP_REFUSED;
}

static void fall_back(struct http_exchange *ex)
{
    ex->status = 200;
    ex->content_type = "text/plain";
    jsonw_raw(&ex->out, "page", 4);
}

static const struct http_route routes[] = {
    { "GET", "/api/hello/{name}", ACCESS_PUBLIC, false, false, say_hello },
    { "POST", "/api/echo", ACCESS_PUBLIC, false, false, echo },
    { "GET", "/api/nothing", ACCESS_PUBLIC, false, false, say_nothing },
    { "GET", "/api/much", ACCESS_PUBLIC, false, false, write_much },
    { "GET", "/api/database", ACCESS_PUBLIC, false, true, say_hello },
    { "GET", "/api/viewer", ACCESS_VIEWER, false, false, say_hello },
    { "POST", "/api/admin", ACCESS_ADMIN, false, false, echo },
};

static int setup(void)
{
    static const struct http_config config = {
        .listen = "127.0.0.1:0",
        .pool = &http_pool_workers,
        .database = "host=/nonexistent dbname=none",
        .workers = 2,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .guard = guard,
        .fallback = fall_back,
    };

    return http_start(&http, &config);
}

static int dial(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(http)) };
    struct timeval limit = { .tv_sec = 5 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Send, then read until the peer closes or the answer's body is whole. Returns the status. */
static int converse(int fd, const char *request, size_t len)
{
    size_t got = 0;
    ssize_t n = send(fd, request, len, MSG_NOSIGNAL);

    answer[0] = '\0';
    while ((n = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0) {
        got += (size_t)n;
        answer[got] = '\0';
        const char *body = strstr(answer, "\r\n\r\n");
        const char *length = strstr(answer, "Content-Length: ");

        if (body != NULL && length != NULL && got - (size_t)(body + 4 - answer) >= strtoul(length + 16, NULL, 10))
            break;
    }
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static int ask(const char *request)
{
    int fd = dial();
    int status = converse(fd, request, strlen(request));

    close(fd);
    return status;
}

static bool has(const char *text)
{
    return strstr(answer, text) != NULL;
}

static void test_route_gets_its_parameter_and_query(void)
{
    CU_ASSERT_EQUAL(ask("GET /api/hello/w%C3%B6rld?q=a%26b HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    CU_ASSERT_TRUE(has("{\"name\":\"w\xC3\xB6rld\",\"q\":\"a\\u0026b\"}"));
    CU_ASSERT_TRUE(has("Content-Type: application/json\r\n") && has("X-Request-Id: ") && has("X-Content-Type-Options: nosniff"));
}

static void test_problems_say_what_is_wrong(void)
{
    CU_ASSERT_EQUAL(ask("GET /api/unknown HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
    CU_ASSERT_TRUE(has("Content-Type: application/problem+json") && has("\"code\":\"not_found\""));
    CU_ASSERT_EQUAL(ask("DELETE /api/echo HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    CU_ASSERT_TRUE(has("Allow: POST\r\n"));
    CU_ASSERT_EQUAL(ask("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), 405);
    CU_ASSERT_TRUE(has("Allow: GET, HEAD\r\n"));
    CU_ASSERT_EQUAL(ask("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    CU_ASSERT_TRUE(has("page"));
    CU_ASSERT_EQUAL(ask("GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 500); /* a handler that forgot to answer */
    CU_ASSERT_EQUAL(ask("POST /api/admin HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), 401);
}

static void test_body_of_64_kB_is_taken_and_one_byte_more_is_not(void)
{
    size_t size = HTTP_BODY_MAX + 512;
    char *request = malloc(size);

    for (unsigned extra = 0; extra <= 1; extra++) {
        size_t head = (size_t)snprintf(request, size,
                                       "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %u\r\n\r\n",
                                       HTTP_BODY_MAX + extra);
        int fd = dial();

        memset(request + head, ' ', HTTP_BODY_MAX + extra);
        CU_ASSERT_EQUAL(converse(fd, request, head + HTTP_BODY_MAX + extra), extra == 0 ? 200 : 413);
        close(fd);
    }
    free(request);
}

static void test_body_must_say_that_it_is_json(void)
{
    CU_ASSERT_EQUAL(
        ask("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"), 200);
    CU_ASSERT_EQUAL(ask("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), 415);
    CU_ASSERT_EQUAL(ask("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"), 415);
}

static void test_connection_stays_open_after_a_refusal(void)
{
    static const char refused[] = "GET /api/unknown HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char good[] = "GET /api/hello/again HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = dial();

    CU_ASSERT_EQUAL(converse(fd, refused, sizeof refused - 1), 404);
    CU_ASSERT_EQUAL(converse(fd, good, sizeof good - 1), 200);
    close(fd);
}

static void test_database_that_is_away_is_503_and_the_rest_goes_on(void)
{
    CU_ASSERT_EQUAL(ask("GET /api/database HTTP/1.1\r\nHost: x\r\n\r\n"), 503);
    CU_ASSERT_TRUE(has("\"code\":\"database_away\"") && has("Retry-After: 2\r\n"));
    CU_ASSERT_EQUAL(ask("GET /api/viewer HTTP/1.1\r\nHost: x\r\n\r\n"), 503); /* the guard had to ask */
    CU_ASSERT_EQUAL(ask("GET /api/hello/still HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
}

static void test_long_answers_are_packed_for_those_who_can_read_it(void)
{
    CU_ASSERT_EQUAL(ask("GET /api/much HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"), 200);
    CU_ASSERT_TRUE(has("Content-Encoding: gzip\r\n"));
    CU_ASSERT_EQUAL(ask("GET /api/much HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    CU_ASSERT_FALSE(has("Content-Encoding"));
    CU_ASSERT_TRUE(has("Content-Length: 25001\r\n"));
    CU_ASSERT_EQUAL(ask("GET /api/hello/short HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"), 200);
    CU_ASSERT_FALSE(has("Content-Encoding"));
}

static void test_bad_addresses_and_taken_ports_are_told_apart(void)
{
    static const char *const bad[] = { "", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http!", "no such host.invalid:1" };
    struct http *other = NULL;
    char taken[32];
    struct http_config config = {
        .pool = &http_pool_workers, .database = "host=/nonexistent", .workers = 1, .routes = routes, .route_count = 1
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config.listen = bad[i];
        CU_ASSERT_EQUAL(http_start(&other, &config), BMS_ERR_RANGE);
    }
    snprintf(taken, sizeof taken, "127.0.0.1:%u", http_port(http));
    config.listen = taken;
    CU_ASSERT_EQUAL(http_start(&other, &config), BMS_ERR_IO);
}

static void test_stops_while_somebody_is_connected(void)
{
    int fd = dial();

    http_stop(http);
    close(fd);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "a route gets its parameter and query", test_route_gets_its_parameter_and_query },
        { "problems say what is wrong", test_problems_say_what_is_wrong },
        { "a body of 64 kB is taken and one byte more is not", test_body_of_64_kB_is_taken_and_one_byte_more_is_not },
        { "a body must say that it is JSON", test_body_must_say_that_it_is_json },
        { "the connection stays open after a refusal", test_connection_stays_open_after_a_refusal },
        { "a database that is away is 503, and the rest goes on", test_database_that_is_away_is_503_and_the_rest_goes_on },
        { "long answers are packed for those who can read it", test_long_answers_are_packed_for_those_who_can_read_it },
        { "bad addresses and taken ports are told apart", test_bad_addresses_and_taken_ports_are_told_apart },
        { "stops while somebody is connected", test_stops_while_somebody_is_connected },
        CU_TEST_INFO_NULL,
    };

    return setup() != 0 ? 2 : suite_run("http", tests);
}
