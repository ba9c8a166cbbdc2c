/* SPDX-License-Identifier: Apache-2.0 */
/* io_layout.h -- bytes of the structs of a step that belong to a field which has no row in firmware/core/biu/biu_io.def. Padding does not count. */
#ifndef TESTS_IO_LAYOUT_H
#define TESTS_IO_LAYOUT_H

#include <stddef.h>

/* How many: 0 when every field has its row. Always 0 with a compiler that cannot tell padding from a field (clang). */
size_t io_layout_forgotten_in(void);
size_t io_layout_forgotten_out(void);
size_t io_layout_forgotten_config(void);

#endif
