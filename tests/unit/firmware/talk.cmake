# SPDX-License-Identifier: Apache-2.0
cw_unit_test(test_uds_transfer SOURCES test_uds_transfer.c LIBS cw_firmware z)
cw_unit_test(test_modbus SOURCES test_modbus.c LIBS cw_firmware m)
cw_unit_test(test_rs485 SOURCES test_rs485.c LIBS cw_firmware m)
cw_unit_test(test_uds_bench SOURCES test_uds_bench.c LIBS cw_firmware m)
if(NOT CW_FUZZ)
  cw_program(bench_program SOURCES ${CMAKE_SOURCE_DIR}/tests/bench/bench_program.c LIBS cw_firmware_rig m)
endif()
