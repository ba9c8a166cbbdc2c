# SPDX-License-Identifier: Apache-2.0
# What the BIU says to testers and displays, beside the first services in core/uds.c.
target_sources(cw_firmware PRIVATE core/modbus.c core/program.c core/rs485.c core/uds_bench.c core/uds_routine.c core/uds_transfer.c)
target_link_libraries(cw_firmware PUBLIC cw_catalogue)
set_source_files_properties(core/modbus.c PROPERTIES COMPILE_DEFINITIONS "CW_VERSION=\"${PROJECT_VERSION}\"")
