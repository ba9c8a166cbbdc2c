# SPDX-License-Identifier: Apache-2.0
# Tests of the DTU from the frames of the board to the broker.
cw_unit_test(test_journal SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_journal.c ${CMAKE_CURRENT_LIST_DIR}/flash_ram.c LIBS cw_dtu_core)
