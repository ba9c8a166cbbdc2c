/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "firmware/core/diagnosis/dtc_image.h"
#include "tests/unit/suite.h"

enum { AGEING_CYCLES = 40 };

static struct dtc_memory d;
static const struct sample_alarm warning = { 9, ALARM_WARNING, 3, -7 }, major = { 2, ALARM_MAJOR, 17, 4251 };
static const struct dtc_snapshot moment = { .pack_mV = 380000, .pack_mA = -1000, .soc_permyriad = 5000, .utc_ms = 0x0000019A00000001u };

static struct dtc_row *row_of(const struct sample_alarm *alarm)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarm_rows[i].id == alarm->alarm)
            return &d.row[i];
    return NULL;
}

/* The power goes and comes back: what the image holds is all that is left. */
static void restart(int32_t ageing_cycles)
{
    uint8_t image[DTC_IMAGE_MAX];
    size_t n = dtc_pack(&d, image);

    dtc_init(&d);
    CU_ASSERT_EQUAL_FATAL(dtc_unpack(&d, image, n), BMS_ERR_OK);
    dtc_begin_cycle(&d, ageing_cycles);
}

static void fails(const struct sample_alarm *alarm)
{
    dtc_step(&d, alarm, 1, true, &moment);
}

static void passes(void)
{
    dtc_step(&d, NULL, 0, true, &moment);
}

static void start_failed(void)
{
    dtc_init(&d);
    dtc_begin_cycle(&d, AGEING_CYCLES);
    fails(&warning);
    passes();
}

static void test_status_over_a_restart(void)
{
    const struct dtc_row *row = row_of(&warning);

    dtc_init(&d);
    dtc_begin_cycle(&d, AGEING_CYCLES);
    CU_ASSERT_EQUAL(row->status, DTC_NOT_TESTED_SINCE_CLEAR | DTC_NOT_TESTED_THIS_CYCLE);
    fails(&warning);
    CU_ASSERT_EQUAL(row->status, 0x2F);
    restart(AGEING_CYCLES); /* while it is active */
    CU_ASSERT_EQUAL(row->status, DTC_PENDING | DTC_CONFIRMED | DTC_FAILED_SINCE_CLEAR | DTC_NOT_TESTED_THIS_CYCLE);
    CU_ASSERT_EQUAL(row->occurrences, 1);
    CU_ASSERT_EQUAL(memcmp(&row->snapshot.alarm, &warning, sizeof(warning)), 0);
    CU_ASSERT(row->snapshot.pack_mV == 380000 && row->snapshot.pack_mA == -1000);
    CU_ASSERT(row->snapshot.soc_permyriad == 5000 && row->snapshot.utc_ms == 0x0000019A00000001u);
    passes();
    CU_ASSERT_EQUAL(row->status, DTC_PENDING | DTC_CONFIRMED | DTC_FAILED_SINCE_CLEAR);
    restart(AGEING_CYCLES); /* a whole cycle without failure */
    CU_ASSERT_EQUAL(row->status, DTC_CONFIRMED | DTC_FAILED_SINCE_CLEAR | DTC_NOT_TESTED_THIS_CYCLE);
    fails(&warning);
    CU_ASSERT_EQUAL(row->status, 0x2F);
    CU_ASSERT_EQUAL(row->occurrences, 2);
    CU_ASSERT_EQUAL(row_of(&major)->status, 0); /* tested since the last clear, which a start does not forget either */
    restart(AGEING_CYCLES);
    CU_ASSERT_EQUAL(row_of(&major)->status, DTC_NOT_TESTED_THIS_CYCLE);
    fails(&major);
    CU_ASSERT_EQUAL(row_of(&major)->status, 0xAF);
    restart(AGEING_CYCLES);
    CU_ASSERT_EQUAL(row_of(&major)->status & DTC_WARNING, 0);
}

static void test_ages_out_after_exactly_so_many_cycles(void)
{
    static const int32_t limits[] = { 1, 2, AGEING_CYCLES, 255 };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const struct dtc_row *row = row_of(&warning);

        start_failed();
        restart(limits[i]); /* ends the cycle with the failure, which does not count */
        for (int32_t cycle = 1; cycle < limits[i]; cycle++) {
            passes();
            restart(limits[i]);
            CU_ASSERT_EQUAL(row->ageing, cycle);
        }
        CU_ASSERT(row->status & DTC_CONFIRMED); /* one short */
        passes();
        CU_ASSERT(row->status & DTC_CONFIRMED); /* and until the cycle ends */
        restart(limits[i]);
        CU_ASSERT_EQUAL(row->status, DTC_FAILED_SINCE_CLEAR | DTC_NOT_TESTED_THIS_CYCLE);
        CU_ASSERT(row->occurrences == 0 && row->ageing == 0 && row->snapshot.utc_ms == 0);
        passes();
        restart(limits[i]); /* one past */
        CU_ASSERT(row->ageing == 0 && !(row->status & DTC_CONFIRMED));
        fails(&warning);
        CU_ASSERT(row->occurrences == 1 && row->status == 0x2F);
    }
}

static void test_a_failure_begins_the_ageing_again(void)
{
    struct dtc_row *row = row_of(&warning);

    start_failed();
    restart(3);
    passes();
    restart(3);
    passes();
    restart(3);
    CU_ASSERT_EQUAL(row->ageing, 2);
    passes();
    fails(&warning); /* late in its last cycle */
    CU_ASSERT_EQUAL(row->ageing, 0);
    restart(3);
    CU_ASSERT(row->ageing == 0 && row->occurrences == 2 && (row->status & DTC_CONFIRMED));
}

static void test_a_start_without_a_test_does_not_count(void)
{
    struct dtc_row *row = row_of(&warning);

    start_failed();
    for (int i = 0; i < 10; i++) {
        restart(3);
        dtc_step(&d, NULL, 0, false, &moment); /* the power went before all was measured */
    }
    CU_ASSERT(row->ageing == 0 && (row->status & DTC_PENDING));
    passes();
    restart(3);
    restart(3);
    CU_ASSERT(row->ageing == 1 && !(row->status & DTC_PENDING));
}

static void test_clearing_forgets_what_is_kept(void)
{
    start_failed();
    CU_ASSERT_EQUAL(dtc_clear(&d, DTC_ALL), BMS_ERR_OK);
    restart(AGEING_CYCLES);
    CU_ASSERT_EQUAL(row_of(&warning)->status, DTC_NOT_TESTED_SINCE_CLEAR | DTC_NOT_TESTED_THIS_CYCLE);
    CU_ASSERT_EQUAL(row_of(&warning)->occurrences, 0);
}

static bool is_news(void (*what)(void))
{
    uint32_t was = d.changes;

    what();
    return d.changes != was;
}

static void warns(void)
{
    fails(&warning);
}

static void test_the_memory_is_written_only_for_news(void)
{
    dtc_init(&d);
    CU_ASSERT(is_news(passes)); /* tested since clear */
    CU_ASSERT_FALSE(is_news(passes));
    CU_ASSERT(is_news(warns));
    CU_ASSERT_FALSE(is_news(warns)); /* still there */
    CU_ASSERT_FALSE(is_news(passes));
    CU_ASSERT(is_news(warns)); /* one more */
    restart(AGEING_CYCLES);
    CU_ASSERT(is_news(passes)); /* ages */
    CU_ASSERT_FALSE(is_news(passes));
    for (int i = 0; i < 2 * DTC_OCCURRENCES_MAX; i++) {
        warns();
        passes();
    }
    CU_ASSERT_EQUAL(row_of(&warning)->occurrences, DTC_OCCURRENCES_MAX);
    CU_ASSERT_FALSE(is_news(warns)); /* a flickering alarm does not wear the memory out */
}

static void test_full_image_and_what_is_no_image(void)
{
    static struct sample_alarm all[SAMPLE_ALARMS_MAX];
    uint8_t image[DTC_IMAGE_MAX + 1] = { 0 };

    dtc_init(&d);
    for (int i = 0; i < ALARMS; i++) {
        all[0] = (struct sample_alarm) { (uint8_t)alarm_rows[i].id, ALARM_MAJOR, (uint16_t)(i + 1), (int16_t)-i };
        fails(&all[0]);
    }
    struct dtc_memory want = d;
    size_t n = dtc_pack(&d, image);

    CU_ASSERT_EQUAL(n, DTC_IMAGE_HEAD + (size_t)ALARMS * DTC_IMAGE_ROW);
    dtc_init(&d);
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, n - 1), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, n + 1), BMS_ERR_CORRUPT);
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, 0), BMS_ERR_CORRUPT);
    CU_ASSERT_FALSE(dtc_is_kept(&d.row[0]));
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, n), BMS_ERR_OK);
    for (int i = 0; i < ALARMS; i++)
        CU_ASSERT(memcmp(&d.row[i].snapshot.alarm, &want.row[i].snapshot.alarm, sizeof(all[0])) == 0 && d.row[i].occurrences == 1);
    image[0] = DTC_IMAGE_VERSION + 1;
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, n), BMS_ERR_CORRUPT);
    image[0] = DTC_IMAGE_VERSION;
    image[9] = 1;
    image[DTC_IMAGE_HEAD] = 255; /* an alarm of another firmware */
    dtc_init(&d);
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, DTC_IMAGE_HEAD + DTC_IMAGE_ROW), BMS_ERR_OK);
    for (int i = 0; i < ALARMS; i++)
        CU_ASSERT_FALSE(dtc_is_kept(&d.row[i]));
    image[9] = DTC_IMAGE_CODES_MAX + 1;
    CU_ASSERT_EQUAL(dtc_unpack(&d, image, DTC_IMAGE_HEAD + (DTC_IMAGE_CODES_MAX + 1) * (size_t)DTC_IMAGE_ROW), BMS_ERR_CORRUPT);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "status bits over a start of the board, bit by bit", test_status_over_a_restart },
        { "a code ages out after exactly so many cycles without failure", test_ages_out_after_exactly_so_many_cycles },
        { "a failure begins the ageing again", test_a_failure_begins_the_ageing_again },
        { "a start in which nothing was tested does not count", test_a_start_without_a_test_does_not_count },
        { "clearing forgets what is kept", test_clearing_forgets_what_is_kept },
        { "the memory is written only when there is something new", test_the_memory_is_written_only_for_news },
        { "an image of all codes comes back; other bytes are refused", test_full_image_and_what_is_no_image },
        CU_TEST_INFO_NULL,
    };

    return suite_run("dtc", tests);
}
