/* SPDX-License-Identifier: Apache-2.0 */
/* pages.h -- memory of whole pages, of which only those that were written take room; malloc() hands out pages that others have used, and calloc() writes all. */
#ifndef SIM_FLEET_PAGES_H
#define SIM_FLEET_PAGES_H

#include <stddef.h>

/* size bytes, all zero. NULL when there is no memory. */
void *pages_take(size_t size);

/* p of pages_take(size), or NULL. */
void pages_give(void *p, size_t size);

/* The whole pages inside of size bytes at p, which pages_take() gave: zero again, and no room taken. */
void pages_forget(void *p, size_t size);

/* Bytes of a page. */
size_t pages_size(void);

#endif
