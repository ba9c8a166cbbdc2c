/* SPDX-License-Identifier: Apache-2.0 */
/* The receive framer: any portions in, whole packets out, hard bounds. */
#include <string.h>

#include "common/err.h"
#include "dtu/core/mqtt_frame.h"
#include "tests/unit/suite.h"

static uint8_t body[300];
static struct mqtt_frame frame;

static void setup(size_t size)
{
    memset(body, 0xEE, sizeof body);
    mqtt_frame_init(&frame, body, size);
}

static void test_packet_split_at_every_byte(void)
{
    uint8_t bytes[3 + 200] = { 0x30, 0xC8, 0x01 };

    for (size_t i = 0; i < 200; i++)
        bytes[3 + i] = (uint8_t)i;
    for (size_t cut = 1; cut < sizeof bytes; cut++) {
        int done;

        setup(200);
        CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, bytes, cut, &done), (int)cut);
        CU_ASSERT_EQUAL(done, 0);
        CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, bytes + cut, sizeof bytes - cut, &done), (int)(sizeof bytes - cut));
        CU_ASSERT_EQUAL(done, 1);
        CU_ASSERT(frame.first == 0x30 && frame.want == 200 && memcmp(body, bytes + 3, 200) == 0 && body[200] == 0xEE);
    }
}

static void test_packets_one_after_another(void)
{
    static const uint8_t bytes[] = { 0xD0, 0x00, 0x40, 0x02, 0x00, 0x07, 0xD0 };
    int done;

    setup(sizeof body);
    CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, bytes, sizeof bytes, &done), 2);
    CU_ASSERT(done == 1 && frame.first == 0xD0 && frame.want == 0);
    CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, bytes + 2, sizeof bytes - 2, &done), 4);
    CU_ASSERT(done == 1 && frame.first == 0x40 && body[1] == 7);
    CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, bytes + 6, 1, &done), 1);
    CU_ASSERT_EQUAL(done, 0);
}

static void test_length_limits(void)
{
    static const uint8_t fits[] = { 0x30, 0xC8, 0x01 }, over[] = { 0x30, 0xC9, 0x01 }, five[] = { 0x30, 0xFF, 0xFF, 0xFF, 0x80 };
    int done;

    setup(200);
    CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, fits, 3, &done), 3);
    setup(200);
    CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, over, 3, &done), BMS_ERR_NOSPACE);
    setup(200);
    CU_ASSERT_EQUAL(mqtt_frame_feed(&frame, five, 5, &done), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(body[0], 0xEE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a packet may be split at every byte [FL-2]", test_packet_split_at_every_byte },
        { "packets may come in one portion", test_packets_one_after_another },
        { "a length is refused one past the buffer and with five bytes", test_length_limits },
        CU_TEST_INFO_NULL,
    };

    return suite_run("mqtt_frame", tests);
}
