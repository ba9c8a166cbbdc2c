# SPDX-License-Identifier: Apache-2.0
# What the BIU says to testers and displays, beside the first services in core/talk/uds.c.
target_sources(cw_firmware PRIVATE core/talk/modbus.c core/talk/modbus_input.c core/talk/program.c core/talk/rs485.c core/talk/uds_bench.c core/talk/uds_routine.c core/talk/uds_transfer.c)
target_link_libraries(cw_firmware PUBLIC cw_catalogue)
set_source_files_properties(core/talk/modbus.c PROPERTIES COMPILE_DEFINITIONS "CW_VERSION=\"${PROJECT_VERSION}\"")
