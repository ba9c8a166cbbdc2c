/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "proto/downlink.pb-c.h"
#include "proto/tables.h"
#include "server/downlink/op_command.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct op_problem problems[OP_VALUES_MAX];
static struct op op;

static size_t check(enum op_kind kind, const struct op_value *values, size_t count)
{
    struct op_request request = { .device = "demo.a", .kind = kind, .values = values, .count = count, .by = "x" };

    memset(problems, 0, sizeof problems);
    return op_check(&request, problems, OP_VALUES_MAX);
}

static void test_each_parameter_is_taken_at_its_limits_and_not_past_them(void)
{
    for (size_t i = 0; i < PARAMS; i++) {
        const struct param_row *row = &param_rows[i];
        struct op_value v = { .id = row->id, .value = row->min };

        CU_ASSERT_EQUAL(check(OP_CALIBRATE, &v, 1), 0);
        v.value = row->max;
        CU_ASSERT_EQUAL(check(OP_CALIBRATE, &v, 1), 0);
        v.value = (int64_t)row->min - 1;
        CU_ASSERT_EQUAL(check(OP_CALIBRATE, &v, 1), 1);
        v.value = (int64_t)row->max + 1;
        CU_ASSERT_EQUAL(check(OP_FLASH, &v, 1), 1);
        CU_ASSERT_STRING_EQUAL(problems[0].code, "out_of_range");
        CU_ASSERT_STRING_EQUAL(problems[0].field, row->name);
    }
}

static void test_all_problems_are_told_at_once(void)
{
    const struct op_value values[] = { { 104, 99999 }, { 9999, 1 },   { -1, 1 },
                                       { 105, 4200 },  { 105, 4200 }, { INT64_C(1) << 32 | 104, 4200 } };

    CU_ASSERT_EQUAL(check(OP_CALIBRATE, values, 6), 5);
    CU_ASSERT_STRING_EQUAL(problems[0].field, "cell_over_voltage_limit");
    CU_ASSERT_STRING_EQUAL(problems[1].code, "unknown_param");
    CU_ASSERT_STRING_EQUAL(problems[1].field, "9999");
    CU_ASSERT_STRING_EQUAL(problems[3].code, "duplicate");
    CU_ASSERT_STRING_EQUAL(problems[4].code, "unknown_param"); /* not cut to 104 */
}

static void test_kinds_take_the_values_they_need(void)
{
    const struct op_value one = { 104, 4200 };

    CU_ASSERT_EQUAL(check(OP_CALIBRATE, NULL, 0), 1);
    CU_ASSERT_EQUAL(check(OP_FLASH, NULL, 0), 0); /* store what runs now */
    CU_ASSERT_EQUAL(check(OP_RESTART, NULL, 0), 0);
    CU_ASSERT_EQUAL(check(OP_READ, NULL, 0), 0);
    CU_ASSERT_EQUAL(check(OP_RESTART, &one, 1), 1);
    CU_ASSERT_EQUAL(check(OP_READ, &one, 1), 1);
    CU_ASSERT_EQUAL(check(OP_CALIBRATE, &one, OP_VALUES_MAX + 1), 1); /* not even looked at */
}

static void make(enum op_kind kind)
{
    memset(&op, 0, sizeof op);
    strcpy(op.id, "00000000000000ff");
    strcpy(op.device, "demo.a");
    op.kind = kind;
    if (kind != OP_CALIBRATE && kind != OP_FLASH)
        return;
    op.readback[0] = (struct op_readback) { .id = 104, .has_wanted = true, .wanted = 4200 };
    op.readback[1] = (struct op_readback) { .id = 128, .has_wanted = true, .wanted = -200 };
    op.readback_count = 2;
}

static Cw__Command *packed(void)
{
    static uint8_t bytes[COMMAND_BYTES_MAX];
    size_t n = op_pack(&op, 1234, bytes);

    CU_ASSERT_TRUE_FATAL(n <= sizeof bytes);
    Cw__Command *c = cw__command__unpack(NULL, n, bytes);

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static void test_an_operation_becomes_its_command(void)
{
    make(OP_FLASH);
    Cw__Command *c = packed();

    CU_ASSERT_EQUAL(c->schema, 1);
    CU_ASSERT_EQUAL(c->id, 0xFF);
    CU_ASSERT_STRING_EQUAL(c->device, "demo.a");
    CU_ASSERT_EQUAL(c->expires_utc_ms, 1234);
    CU_ASSERT_EQUAL_FATAL(c->act_case, CW__COMMAND__ACT_WRITE_PARAMS);
    CU_ASSERT_TRUE(c->write_params->store);
    CU_ASSERT_EQUAL_FATAL(c->write_params->n_writes, 2);
    CU_ASSERT_EQUAL(c->write_params->writes[1]->id, 128);
    CU_ASSERT_EQUAL(c->write_params->writes[1]->value, -200);
    cw__command__free_unpacked(c, NULL);
    make(OP_CALIBRATE);
    c = packed();
    CU_ASSERT_FALSE(c->write_params->store);
    cw__command__free_unpacked(c, NULL);
    make(OP_READ);
    c = packed();
    CU_ASSERT_EQUAL(c->act_case, CW__COMMAND__ACT_READ_PARAMS);
    cw__command__free_unpacked(c, NULL);
    make(OP_RESTART);
    c = packed();
    CU_ASSERT_EQUAL(c->act_case, CW__COMMAND__ACT_RESTART);
    cw__command__free_unpacked(c, NULL);
}

static void test_the_largest_operation_fits(void)
{
    make(OP_FLASH);
    memset(op.device, 'd', DEVICE_NAME_MAX);
    strcpy(op.id, "ffffffffffffffff");
    for (size_t i = 0; i < OP_VALUES_MAX; i++)
        op.readback[i] = (struct op_readback) { .id = UINT16_MAX, .has_wanted = true, .wanted = INT32_MIN };
    op.readback_count = OP_VALUES_MAX;
    Cw__Command *c = packed();

    CU_ASSERT_EQUAL(c->write_params->n_writes, OP_VALUES_MAX);
    cw__command__free_unpacked(c, NULL);
}

/* Judge a result with these two values: running, stored, nrc each. */
static void judge(Cw__Status status, int32_t running0, int32_t stored0, uint32_t nrc0, int32_t running1, int32_t stored1, bool has1)
{
    Cw__Result result = CW__RESULT__INIT;
    Cw__ParamValue a = CW__PARAM_VALUE__INIT, b = CW__PARAM_VALUE__INIT;
    Cw__ParamValue *values[] = { &a, &b };

    a.id = 104;
    a.has_running = a.has_stored = true;
    a.running = running0;
    a.stored = stored0;
    a.nrc = nrc0;
    b.id = 128;
    b.has_running = b.has_stored = true;
    b.running = running1;
    b.stored = stored1;
    result.status = status;
    result.values = values;
    result.n_values = has1 ? 2 : 1;
    op_judge(&op, &result, 777);
}

static void test_done_is_what_was_read_back(void)
{
    make(OP_CALIBRATE);
    judge(CW__STATUS__STATUS_OK, 4200, 4250, 0, -200, -150, true);
    CU_ASSERT_EQUAL(op.state, OP_DONE);
    CU_ASSERT_TRUE(op.readback[0].ok && op.readback[1].ok);
    CU_ASSERT_EQUAL(op.readback[0].stored, 4250);
    CU_ASSERT_EQUAL(op.changed_at_ms, 777);
    make(OP_FLASH);
    judge(CW__STATUS__STATUS_OK, 4200, 4200, 0, -200, -200, true);
    CU_ASSERT_EQUAL(op.state, OP_DONE);
}

static void test_what_does_not_read_back_failed_with_its_name(void)
{
    make(OP_CALIBRATE);
    judge(CW__STATUS__STATUS_OK, 4201, 4200, 0, -200, -200, true);
    CU_ASSERT_EQUAL(op.state, OP_FAILED);
    CU_ASSERT_FALSE(op.readback[0].ok);
    CU_ASSERT_TRUE(op.readback[1].ok);
    CU_ASSERT_PTR_NOT_NULL(strstr(op.detail, "cell_over_voltage_limit"));
    make(OP_FLASH);
    judge(CW__STATUS__STATUS_OK, 4200, 4250, 0, -200, -200, true); /* runs, but is not stored */
    CU_ASSERT_EQUAL(op.state, OP_FAILED);
    make(OP_CALIBRATE);
    judge(CW__STATUS__STATUS_OK, 4200, 4200, 0, 0, 0, false); /* the second was not read back at all */
    CU_ASSERT_EQUAL(op.state, OP_FAILED);
    CU_ASSERT_FALSE(op.readback[1].ok);
    make(OP_CALIBRATE);
    judge(CW__STATUS__STATUS_REJECTED, 4250, 4250, 0x31, -200, -200, true);
    CU_ASSERT_EQUAL(op.state, OP_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(op.detail, "NRC 0x31"));
}

static void test_a_status_alone_fails_too(void)
{
    Cw__Result result = CW__RESULT__INIT;

    make(OP_RESTART);
    result.status = CW__STATUS__STATUS_TIMEOUT;
    op_judge(&op, &result, 1);
    CU_ASSERT_EQUAL(op.state, OP_FAILED);
    CU_ASSERT_STRING_EQUAL(op.detail, "the board did not answer");
    make(OP_RESTART);
    result.status = CW__STATUS__STATUS_OK;
    op_judge(&op, &result, 1);
    CU_ASSERT_EQUAL(op.state, OP_DONE);
    make(OP_RESTART);
    result.status = CW__STATUS__STATUS_UNSPECIFIED;
    op_judge(&op, &result, 1);
    CU_ASSERT_EQUAL(op.state, OP_FAILED);
}

static void test_ids_are_sixteen_digits(void)
{
    char text[OP_ID_LEN + 1];
    uint64_t id = 0;

    op_id_print(UINT64_C(0x0123456789ABCDEF), text);
    CU_ASSERT_STRING_EQUAL(text, "0123456789abcdef");
    CU_ASSERT_TRUE(op_id_read(text, &id));
    CU_ASSERT_EQUAL(id, UINT64_C(0x0123456789ABCDEF));
    CU_ASSERT_FALSE(op_id_read("0123456789abcde", &id));
    CU_ASSERT_FALSE(op_id_read("0123456789abcdeg", &id));
    CU_ASSERT_FALSE(op_id_read("", &id));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "each parameter is taken at its limits and not past them [FL-4]", test_each_parameter_is_taken_at_its_limits_and_not_past_them },
        { "all problems are told at once", test_all_problems_are_told_at_once },
        { "kinds take the values they need", test_kinds_take_the_values_they_need },
        { "an operation becomes its command [FL-4]", test_an_operation_becomes_its_command },
        { "the largest operation fits", test_the_largest_operation_fits },
        { "done is what was read back [FL-4] [UC-5]", test_done_is_what_was_read_back },
        { "what does not read back failed, with its name [FL-4]", test_what_does_not_read_back_failed_with_its_name },
        { "a status alone fails too", test_a_status_alone_fails_too },
        { "ids are sixteen digits", test_ids_are_sixteen_digits },
        CU_TEST_INFO_NULL,
    };
    return suite_run("op", tests);
}
