# SPDX-License-Identifier: Apache-2.0
# Tests of the DTU from the frames of the board to the broker.
cw_unit_test(test_journal SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_journal.c ${CMAKE_CURRENT_LIST_DIR}/flash_ram.c LIBS cw_dtu_core)

add_library(cw_dtu_board_model STATIC ${CMAKE_CURRENT_LIST_DIR}/board_model.c)
target_link_libraries(cw_dtu_board_model PUBLIC cw_dtu_core)
cw_unit_test(test_assembler SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_assembler.c LIBS cw_dtu_board_model)
cw_unit_test(test_recorder SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_recorder.c ${CMAKE_CURRENT_LIST_DIR}/flash_ram.c LIBS cw_dtu_board_model)
cw_unit_test(test_uplink SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_uplink.c ${CMAKE_CURRENT_LIST_DIR}/flash_ram.c LIBS cw_dtu_core)
cw_unit_test(test_downlink SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_downlink.c LIBS cw_dtu_board_model)
cw_unit_test(test_dtu
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_dtu.c ${CMAKE_CURRENT_LIST_DIR}/broker_model.c ${CMAKE_CURRENT_LIST_DIR}/flash_ram.c
  LIBS cw_dtu_board_model)
cw_unit_test(test_flash_file SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_flash_file.c LIBS cw_dtu_core cw_dtu_files)
cw_unit_test(test_options SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_options.c LIBS cw_dtu_options)
