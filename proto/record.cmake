# SPDX-License-Identifier: Apache-2.0
# CW_RECORD_SOURCES: the sealed record and its body. For cw_proto, and for the PostgreSQL extension, which is a project of its own (server/pgext).
cw_program(cw_rice_steps SOURCES ${CMAKE_CURRENT_LIST_DIR}/rice_steps_make.c LIBS)
add_custom_command(OUTPUT rice_steps.c COMMAND cw_rice_steps > rice_steps.c.new COMMAND ${CMAKE_COMMAND} -E rename rice_steps.c.new rice_steps.c
                   DEPENDS cw_rice_steps VERBATIM)
set(CW_RECORD_SOURCES ${CMAKE_CURRENT_BINARY_DIR}/rice_steps.c)
foreach(part record body_write body_read body_column body_matrix_write body_matrix_read)
  list(APPEND CW_RECORD_SOURCES ${CMAKE_CURRENT_LIST_DIR}/${part}.c)
endforeach()
