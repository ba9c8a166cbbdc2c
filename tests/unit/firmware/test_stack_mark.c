/* SPDX-License-Identifier: Apache-2.0 */
/* The paint on a made-up stack, and on the real one of a thread. */
#include <pthread.h>

#include "firmware/core/diagnosis/stack_mark.h"
#include "tests/unit/suite.h"

enum { WORDS = 64, STACK_BYTES = 256 * 1024, DEEP_BYTES = 64 * 1024 };

static uint32_t stack[WORDS];

static void test_counts_what_was_never_written(void)
{
    stack_mark_paint(stack, WORDS);
    CU_ASSERT_EQUAL(stack_mark_free(stack, WORDS), WORDS * 4);
    for (int deepest = WORDS - 1; deepest >= 0; deepest--) {
        stack[deepest] = 0;
        CU_ASSERT_EQUAL(stack_mark_free(stack, WORDS), deepest * 4);
    }
    CU_ASSERT_EQUAL(stack_mark_free(stack, 0), 0);
}

/* It does not come back when the stack is used less. */
static void test_the_deepest_use_counts(void)
{
    stack_mark_paint(stack, WORDS);
    stack[10] = 1;
    stack[40] = 1;
    CU_ASSERT_EQUAL(stack_mark_free(stack, WORDS), 40);
    stack[40] = STACK_MARK_PAINT;
    CU_ASSERT_EQUAL(stack_mark_free(stack, WORDS), 40);
}

static void *use_little(void *arg)
{
    return arg;
}

static void *use_much(void *arg)
{
    volatile uint8_t deep[DEEP_BYTES];

    for (size_t i = 0; i < sizeof(deep); i++)
        deep[i] = (uint8_t)i;
    return deep[1] == 1 ? arg : NULL;
}

static int32_t free_after(void *(*run)(void *))
{
    static _Alignas(4096) uint32_t memory[STACK_BYTES / 4];
    pthread_attr_t attr;
    pthread_t thread;

    stack_mark_paint(memory, STACK_BYTES / 4);
    pthread_attr_init(&attr);
    CU_ASSERT_EQUAL_FATAL(pthread_attr_setstack(&attr, memory, STACK_BYTES), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, &attr, run, memory), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    return stack_mark_free(memory, STACK_BYTES / 4);
}

static void test_the_stack_of_a_thread(void)
{
    int32_t little = free_after(use_little), much = free_after(use_much);

    CU_ASSERT(little > STACK_BYTES / 2 && little < STACK_BYTES);
#ifndef __SANITIZE_ADDRESS__ /* which puts large arrays elsewhere */
    CU_ASSERT(little - much >= DEEP_BYTES - 1024);
#endif
    CU_ASSERT(much > 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "counts the words that were never written, from the end of the stack [ME-13]", test_counts_what_was_never_written },
        { "the deepest use counts, for ever [ME-13]", test_the_deepest_use_counts },
        { "the stack of a thread: what a deep call takes is missing [ME-13]", test_the_stack_of_a_thread },
        CU_TEST_INFO_NULL,
    };

    return suite_run("stack_mark", tests);
}
