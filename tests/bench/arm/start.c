/* SPDX-License-Identifier: Apache-2.0 */
/* start.c -- vectors and reset of the AN386 under QEMU: FPU on, .bss to 0, semihosting, main(). */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t __bss_start__, __bss_end__;
int main(void);
void initialise_monitor_handles(void);
void reset(void);
void fault(void);

void reset(void)
{
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: CP10, CP11 */
    __asm volatile("dsb\n isb");
    for (uint32_t *p = &__bss_start__; p < &__bss_end__; p++)
        *p = 0;
    initialise_monitor_handles();
    exit(main());
}

void fault(void)
{
    for (;;)
        ;
}

__attribute__((section(".vectors"), used)) static const void *vectors[] = { (void *)0x20400000, (void *)reset, (void *)fault, (void *)fault,
                                                                            (void *)fault,      (void *)fault, (void *)fault };
