/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/api_input.h"

#include "common/err.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static struct input_problem problem;

static int op(const char *body)
{
    static struct input_op in;

    return input_op(body, strlen(body), &in, &problem);
}

static void test_sign_in_takes_its_two_members_and_nothing_else(void)
{
    static const struct {
        const char *body, *code, *field;
    } bad[] = {
        { "", "bad_json", "" },
        { "{", "bad_json", "" },
        { "[]", "bad_json", "" },
        { "\"admin\"", "bad_json", "" },
        { "{\"user\":\"a\",\"user\":\"b\",\"password\":\"c\"}", "bad_json", "" },
        { "{\"user\":\"\xFF\",\"password\":\"c\"}", "bad_json", "" },
        { "{\"user\":\"a\\u0000b\",\"password\":\"c\"}", "bad_json", "" },
        { "{\"user\":\"a\"}", "bad_field", "password" },
        { "{\"user\":1,\"password\":\"c\"}", "bad_field", "user" },
        { "{\"user\":\"a\",\"password\":\"c\",\"role\":\"admin\"}", "bad_field", "role" },
    };
    struct input_sign_in in;

    CU_ASSERT_EQUAL(input_sign_in("{\"user\":\"a\",\"password\":\"b c\"}", 30, &in, &problem),
                    BMS_ERR_RANGE); /* one byte of it is missing */
    CU_ASSERT_EQUAL(input_sign_in("{\"user\":\"a\",\"password\":\"b c\"}", 31 - 2, &in, &problem), 0);
    CU_ASSERT_STRING_EQUAL(in.user, "a");
    CU_ASSERT_STRING_EQUAL(in.password, "b c");
    CU_ASSERT_EQUAL(input_sign_in(NULL, 0, &in, &problem), BMS_ERR_RANGE);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(input_sign_in(bad[i].body, strlen(bad[i].body), &in, &problem), BMS_ERR_RANGE);
        CU_ASSERT_STRING_EQUAL(problem.code, bad[i].code);
        CU_ASSERT_STRING_EQUAL(problem.field, bad[i].field);
        CU_ASSERT(strlen(problem.detail) > 0);
    }
}

static void test_longest_user_name_is_taken_and_one_more_is_not(void)
{
    struct input_sign_in in;
    char body[200];

    snprintf(body, sizeof body, "{\"user\":\"%064d\",\"password\":\"p\"}", 0);
    CU_ASSERT_EQUAL(input_sign_in(body, strlen(body), &in, &problem), 0);
    snprintf(body, sizeof body, "{\"user\":\"%065d\",\"password\":\"p\"}", 0);
    CU_ASSERT_EQUAL(input_sign_in(body, strlen(body), &in, &problem), BMS_ERR_RANGE);
    CU_ASSERT_STRING_EQUAL(problem.field, "user");
}

static void test_values_of_an_operation_are_whole_numbers(void)
{
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100,\"value\":-4200}]}"), 0);
    CU_ASSERT_EQUAL(op("{\"kind\":\"read\"}"), 0);
    CU_ASSERT_EQUAL(op("{\"kind\":\"flash\",\"values\":[],\"reason\":\"why\",\"confirm\":\"-048\"}"), 0);
    CU_ASSERT_EQUAL(op("{\"kind\":\"explode\"}"), BMS_ERR_RANGE);
    CU_ASSERT_STRING_EQUAL(problem.field, "kind");
    CU_ASSERT_EQUAL(op("{\"values\":[]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100,\"value\":\"4200\"}]}"), BMS_ERR_RANGE);
    CU_ASSERT_STRING_EQUAL(problem.field, "values[0].value");
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100,\"value\":4200.5}]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100,\"value\":4.2e3}]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100,\"value\":99999999999999999999}]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100}]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[{\"id\":100,\"value\":1,\"force\":true}]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":[100]}"), BMS_ERR_RANGE);
    CU_ASSERT_EQUAL(op("{\"kind\":\"calibrate\",\"values\":{}}"), BMS_ERR_RANGE);
}

static void test_as_many_values_as_there_is_room_for_are_taken(void)
{
    static char body[16384];

    for (int count = OP_VALUES_MAX; count <= OP_VALUES_MAX + 1; count++) {
        size_t len = (size_t)snprintf(body, sizeof body, "{\"kind\":\"calibrate\",\"values\":[");

        for (int i = 0; i < count; i++)
            len += (size_t)snprintf(body + len, sizeof body - len, "%s{\"id\":%d,\"value\":1}", i ? "," : "", i);
        snprintf(body + len, sizeof body - len, "]}");
        CU_ASSERT_EQUAL(op(body), count == OP_VALUES_MAX ? 0 : BMS_ERR_RANGE);
    }
}

static void test_topics_are_fleet_or_a_vehicle(void)
{
    static const struct {
        const char *body;
        int err;
    } rows[] = {
        { "{\"topics\":[]}", 0 },
        { "{\"topics\":[\"fleet\",\"v:demo.bus-048\"]}", 0 },
        { "{\"topics\":[\"v:demo\"]}", BMS_ERR_RANGE },
        { "{\"topics\":[\"v:\"]}", BMS_ERR_RANGE },
        { "{\"topics\":[\"v:a.b.c\"]}", BMS_ERR_RANGE },
        { "{\"topics\":[\"v:a.<b>\"]}", BMS_ERR_RANGE },
        { "{\"topics\":[\"everything\"]}", BMS_ERR_RANGE },
        { "{\"topics\":[1]}", BMS_ERR_RANGE },
        { "{\"topics\":\"fleet\"}", BMS_ERR_RANGE },
        { "{}", BMS_ERR_RANGE },
    };
    static struct input_topics in;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(input_topics(rows[i].body, strlen(rows[i].body), &in, &problem), rows[i].err);
}

static void test_a_user_is_said_in_full_when_new_and_in_parts_when_changed(void)
{
    static const struct {
        bool add;
        const char *body, *field; /* field: of the problem, NULL = taken */
    } rows[] = {
        { true, "{\"name\":\"vera.k@fleet-1\",\"role\":\"viewer\",\"tenant\":\"demo_A\",\"password\":\"x\"}", NULL },
        { true, "{\"name\":\"0\",\"role\":\"admin\",\"tenant\":\"*\",\"password\":\"x\"}", NULL },
        { true, "{\"role\":\"viewer\",\"tenant\":\"demo\",\"password\":\"x\"}", "name" },
        { true, "{\"name\":\"vera\",\"tenant\":\"demo\",\"password\":\"x\"}", "role" },
        { true, "{\"name\":\"vera\",\"role\":\"viewer\",\"password\":\"x\"}", "tenant" },
        { true, "{\"name\":\"vera\",\"role\":\"viewer\",\"tenant\":\"demo\"}", "password" },
        { true, "{\"name\":\"\",\"role\":\"viewer\",\"tenant\":\"demo\",\"password\":\"x\"}", "name" },
        { true, "{\"name\":\"Vera\",\"role\":\"viewer\",\"tenant\":\"demo\",\"password\":\"x\"}", "name" },
        { true, "{\"name\":\".vera\",\"role\":\"viewer\",\"tenant\":\"demo\",\"password\":\"x\"}", "name" },
        { true, "{\"name\":\"ve/ra\",\"role\":\"viewer\",\"tenant\":\"demo\",\"password\":\"x\"}", "name" },
        { true, "{\"name\":\"vera\",\"role\":\"public\",\"tenant\":\"demo\",\"password\":\"x\"}", "role" },
        { true, "{\"name\":\"vera\",\"role\":\"root\",\"tenant\":\"demo\",\"password\":\"x\"}", "role" },
        { true, "{\"name\":\"vera\",\"role\":\"viewer\",\"tenant\":\"de.mo\",\"password\":\"x\"}", "tenant" },
        { true, "{\"name\":\"vera\",\"role\":\"viewer\",\"tenant\":\"**\",\"password\":\"x\"}", "tenant" },
        { true, "{\"name\":\"vera\",\"role\":\"viewer\",\"tenant\":\"demo\",\"password\":\"x\",\"disabled\":true}", "disabled" },
        { false, "{}", "" },
        { false, "{\"role\":\"admin\"}", NULL },
        { false, "{\"role\":\"\"}", "role" },
        { false, "{\"tenant\":\"\"}", "tenant" },
        { false, "{\"disabled\":false}", NULL },
        { false, "{\"disabled\":0}", "disabled" },
        { false, "{\"password\":\"\"}", NULL }, /* the rules of passwords speak, not this */
        { false, "{\"name\":\"vera\"}", "name" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct input_user in;
        int err = input_user(rows[i].body, strlen(rows[i].body), rows[i].add, &in, &problem);

        CU_ASSERT_EQUAL(err, rows[i].field == NULL ? 0 : BMS_ERR_RANGE);
        if (rows[i].field != NULL)
            CU_ASSERT_STRING_EQUAL(problem.field, rows[i].field);
    }
}

static void test_a_new_password_comes_with_the_old_one_and_nothing_else(void)
{
    static const struct {
        const char *body, *field; /* field: of the problem, NULL = taken */
    } rows[] = {
        { "{\"password\":\"a\",\"new_password\":\"b\"}", NULL },
        { "{\"password\":\"a\"}", "new_password" },
        { "{\"new_password\":\"b\"}", "password" },
        { "{\"password\":\"a\",\"new_password\":7}", "new_password" },
        { "{\"password\":\"a\",\"new_password\":\"b\",\"user\":\"c\"}", "user" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct input_password in;

        CU_ASSERT_EQUAL(input_password(rows[i].body, strlen(rows[i].body), &in, &problem), rows[i].field == NULL ? 0 : BMS_ERR_RANGE);
        if (rows[i].field != NULL)
            CU_ASSERT_STRING_EQUAL(problem.field, rows[i].field);
    }
}

static void test_a_tenants_name_is_as_long_as_its_column(void)
{
    struct input_user in;
    char body[200];

    for (int len = 62; len <= 63; len++) {
        snprintf(body, sizeof body, "{\"tenant\":\"%0*d\"}", len, 0);
        CU_ASSERT_EQUAL(input_user(body, strlen(body), false, &in, &problem), len == 62 ? 0 : BMS_ERR_RANGE);
    }
}

static void test_deep_nesting_is_refused(void)
{
    static char body[60000];
    struct input_sign_in in;

    memset(body, '[', sizeof body);
    CU_ASSERT_EQUAL(input_sign_in(body, sizeof body, &in, &problem), BMS_ERR_RANGE);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "sign-in takes its two members and nothing else", test_sign_in_takes_its_two_members_and_nothing_else },
        { "the longest user name is taken and one more is not", test_longest_user_name_is_taken_and_one_more_is_not },
        { "values of an operation are whole numbers", test_values_of_an_operation_are_whole_numbers },
        { "as many values as there is room for are taken and one more is not", test_as_many_values_as_there_is_room_for_are_taken },
        { "topics are fleet or a vehicle", test_topics_are_fleet_or_a_vehicle },
        { "a user is said in full when new, and in parts when changed", test_a_user_is_said_in_full_when_new_and_in_parts_when_changed },
        { "a new password comes with the old one, and nothing else", test_a_new_password_comes_with_the_old_one_and_nothing_else },
        { "a tenant's name is as long as its column", test_a_tenants_name_is_as_long_as_its_column },
        { "deep nesting is refused", test_deep_nesting_is_refused },
        CU_TEST_INFO_NULL,
    };
    return suite_run("api_input", tests);
}
