/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: sessions, and what needs a key. */
#include "tests/unit/firmware/uds_rig.h"

static void test_sessions(void)
{
    start();
    ASK(0x10, 0x03);
    CU_ASSERT_EQUAL(n, 6);
    CU_ASSERT_EQUAL(memcmp(out, (const uint8_t[]) { 0x50, 0x03, 0x00, 0x32, 0x01, 0xF4 }, 6), 0);
    ASK(0x22, 0xF1, 0x86);
    CU_ASSERT(n == 4 && out[3] == UDS_SESSION_EXTENDED);
    pass_ms(UDS_S3_MS);
    ASK(0x22, 0xF1, 0x86, 0x20, 0x01); /* which starts S3 again */
    CU_ASSERT(n == 10 && out[3] == UDS_SESSION_EXTENDED);
    pass_ms(UDS_S3_MS);
    CU_ASSERT_EQUAL(u.session, UDS_SESSION_EXTENDED);
    pass_ms(1);
    ASK(0x22, 0xF1, 0x86);
    CU_ASSERT_EQUAL(out[3], UDS_SESSION_DEFAULT);
    ASK(0x10, 0x04);
    CU_ASSERT(refused(0x10, UDS_NRC_SUBFUNCTION));
    ASK(0x10, 0x00);
    CU_ASSERT(refused(0x10, UDS_NRC_SUBFUNCTION));
    ASK(0x10);
    CU_ASSERT(refused(0x10, UDS_NRC_LENGTH));
    ASK(0x10, 0x03, 0x00);
    CU_ASSERT(refused(0x10, UDS_NRC_LENGTH));
    CU_ASSERT_EQUAL(u.session, UDS_SESSION_DEFAULT);
    ASK(0x10, 0x83);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_EQUAL(u.session, UDS_SESSION_EXTENDED);
}

static void test_services_of_the_extended_session(void)
{
    start();
    ASK(0x27, 0x01);
    CU_ASSERT(refused(0x27, UDS_NRC_NOT_IN_SESSION));
    ASK(0x28, 0x01, 0x01);
    CU_ASSERT(refused(0x28, UDS_NRC_NOT_IN_SESSION));
    ASK(0x85, 0x02);
    CU_ASSERT(refused(0x85, UDS_NRC_NOT_IN_SESSION));
    ASK(0x10, 0x03);
    ASK(0x28, 0x01, 0x01);
    CU_ASSERT(n == 2 && get_be16(out) == 0x6801 && u.silent);
    ASK(0x85, 0x02);
    CU_ASSERT(n == 2 && get_be16(out) == 0xC502 && dtc.held);
    pass_ms(UDS_S3_MS + 1); /* all of it ends with the session */
    CU_ASSERT(!u.silent && !dtc.held);
    ASK(0x10, 0x03);
    ASK(0x28, 0x02, 0x01); /* we do not stop listening */
    CU_ASSERT(refused(0x28, UDS_NRC_SUBFUNCTION));
    ASK(0x28, 0x01, 0x02);
    CU_ASSERT(refused(0x28, UDS_NRC_RANGE));
    ASK(0x28, 0x01, 0x11);
    CU_ASSERT(refused(0x28, UDS_NRC_RANGE));
    ASK(0x28, 0x01);
    CU_ASSERT(refused(0x28, UDS_NRC_LENGTH));
    ASK(0x85, 0x03);
    CU_ASSERT(refused(0x85, UDS_NRC_SUBFUNCTION));
    ASK(0x85, 0x01, 0x00);
    CU_ASSERT(refused(0x85, UDS_NRC_LENGTH));
}

static uint32_t seed_of_answer(void)
{
    ASK(0x27, 0x01);
    CU_ASSERT(n == 6 && get_be16(out) == 0x6701);
    return get_be32(out + 2);
}

static void send_key(uint32_t key)
{
    uint8_t req[6] = { 0x27, 0x02 };

    put_be32(req + 2, key);
    ask(req, sizeof(req));
}

static void test_security(void)
{
    start();
    ASK(0x10, 0x03);
    send_key(1);
    CU_ASSERT(refused(0x27, UDS_NRC_SEQUENCE));
    uint32_t seed = seed_of_answer();

    CU_ASSERT(seed != 0);
    CU_ASSERT_EQUAL(seed_of_answer(), seed); /* asked again: the same */
    send_key(uds_key(seed) ^ 1);
    CU_ASSERT(refused(0x27, UDS_NRC_KEY));
    send_key(uds_key(seed)); /* that seed is spent */
    CU_ASSERT(refused(0x27, UDS_NRC_SEQUENCE));
    CU_ASSERT(seed_of_answer() != seed);
    send_key(0);
    CU_ASSERT(refused(0x27, UDS_NRC_KEY));
    seed_of_answer();
    send_key(0);
    CU_ASSERT(refused(0x27, UDS_NRC_ATTEMPTS));
    ASK(0x27, 0x01);
    CU_ASSERT(refused(0x27, UDS_NRC_DELAY));
    for (int i = 0; i < UDS_KEY_DELAY_MS / 1000; i++) {
        ASK(0x27, 0x01);
        CU_ASSERT(refused(0x27, UDS_NRC_DELAY));
        pass_ms(1000);
    }
    seed = seed_of_answer();
    send_key(uds_key(seed));
    CU_ASSERT(n == 2 && get_be16(out) == 0x6702);
    CU_ASSERT_EQUAL(seed_of_answer(), 0); /* unlocked */
    ASK(0x27, 0x03);
    CU_ASSERT(refused(0x27, UDS_NRC_SUBFUNCTION));
    ASK(0x27, 0x02, 0, 0, 0);
    CU_ASSERT(refused(0x27, UDS_NRC_LENGTH));
    ASK(0x27, 0x01, 0);
    CU_ASSERT(refused(0x27, UDS_NRC_LENGTH));
    ASK(0x10, 0x03); /* a change of session locks */
    CU_ASSERT_FALSE(u.unlocked);
}

static void test_writes_that_need_a_key(void)
{
    start();
    ASK(0x2E, 0x20, 98, 0, 0, 0, 1); /* open until now */
    CU_ASSERT_EQUAL(n, 3);
    ASK(0x2E, 0x20, 80, 0, 0, 0, 77);
    CU_ASSERT(refused(0x2E, UDS_NRC_SECURITY));
    ASK(0x31, 0x01, 0x02, 0x01);
    CU_ASSERT(refused(0x31, UDS_NRC_SECURITY));
    ASK(0x14, 0xFF, 0xFF, 0xFF);
    CU_ASSERT(refused(0x14, UDS_NRC_SECURITY));
    CU_ASSERT_EQUAL(params.running[PARAM_balance_start_mV], 50);
    ASK(0x10, 0x03);
    send_key(uds_key(seed_of_answer()));
    ASK(0x2E, 0x20, 80, 0, 0, 0, 77);
    CU_ASSERT_EQUAL(n, 3);
    ASK(0x14, 0xFF, 0xFF, 0xFF);
    CU_ASSERT_EQUAL(n, 1);
    ASK(0x31, 0x01, 0x02, 0x01);
    CU_ASSERT(uds_is_busy(&u));
    uds_poll(&u, 10, BIU_NVM_DONE, out);
    pass_ms(UDS_S3_MS + 1);
    ASK(0x2E, 0x20, 80, 0, 0, 0, 78);
    CU_ASSERT(refused(0x2E, UDS_NRC_SECURITY));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "10 changes the session, S3 ends it after 5 s", test_sessions },
        { "27, 28 and 85 need the extended session, and what they did ends with it", test_services_of_the_extended_session },
        { "27 wants the key to its seed, once; after three wrong keys it waits 10 s", test_security },
        { "writes need a key when the parameter says so, not otherwise [UC-5]", test_writes_that_need_a_key },
        CU_TEST_INFO_NULL,
    };

    return suite_run("uds_access", tests);
}
