# SPDX-License-Identifier: Apache-2.0
# lwIP and mbedTLS for the embedded DTU stack, from Debian's source packages (deploy/third-party.sh; fetched once, shared by all presets).
# Their sources are compiled as they are: without our warnings, without sanitizers.

option(CW_LWIP "build the lwIP stream (fetches lwIP and mbedTLS sources once)" ON)
set(CW_THIRD_PARTY ${CMAKE_BINARY_DIR}/../third-party CACHE PATH "where the sources of others are kept")

if(CW_LWIP)
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/deploy/third-party.sh ${CW_THIRD_PARTY} RESULT_VARIABLE result ERROR_VARIABLE error)
  if(result)
    message(FATAL_ERROR "The sources of lwIP and mbedTLS are missing and cannot be fetched now (-DCW_LWIP=OFF builds without them):\n${error}")
  endif()
  get_filename_component(CW_THIRD_PARTY_DIR ${CW_THIRD_PARTY} REALPATH)

  # cw_third_party(NAME SOURCES .. INCLUDES ..): objects of other people's code; INCLUDES are system folders to those who link it.
  function(cw_third_party name)
    cmake_parse_arguments(A "" "" "SOURCES;INCLUDES" ${ARGN})
    add_library(${name} OBJECT ${A_SOURCES})
    target_include_directories(${name} SYSTEM PUBLIC ${A_INCLUDES})
    target_compile_options(${name} PRIVATE -w -fno-sanitize=all)
    if(CW_COVERAGE)
      target_compile_options(${name} PRIVATE -fno-profile-arcs -fno-test-coverage)
    endif()
  endfunction()

  file(GLOB mbedtls_sources ${CW_THIRD_PARTY_DIR}/mbedtls/library/*.c) # what the configuration leaves out compiles to nothing
  cw_third_party(cw_mbedtls SOURCES ${mbedtls_sources} INCLUDES ${CMAKE_SOURCE_DIR}/dtu/port/lwip ${CW_THIRD_PARTY_DIR}/mbedtls/include)
  target_compile_definitions(cw_mbedtls PUBLIC MBEDTLS_CONFIG_FILE="mbedtls_config.h")

  set(lwip ${CW_THIRD_PARTY_DIR}/lwip/src) # its Filelists.cmake writes into the source tree, so it is not used
  file(GLOB lwip_sources ${lwip}/core/*.c ${lwip}/core/ipv4/*.c)
  list(APPEND lwip_sources ${lwip}/netif/ethernet.c ${lwip}/apps/altcp_tls/altcp_tls_mbedtls.c ${lwip}/apps/altcp_tls/altcp_tls_mbedtls_mem.c)
  cw_third_party(cw_lwip SOURCES ${lwip_sources} INCLUDES ${CMAKE_SOURCE_DIR}/dtu/port/lwip ${lwip}/include ${lwip}/apps/altcp_tls)
  target_include_directories(cw_lwip SYSTEM PRIVATE $<TARGET_PROPERTY:cw_mbedtls,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(cw_lwip PRIVATE MBEDTLS_CONFIG_FILE="mbedtls_config.h")
  # It keeps TLS errors to itself; dtu/port/lwip/tls_note.h listens.
  set_source_files_properties(${lwip}/apps/altcp_tls/altcp_tls_mbedtls.c PROPERTIES
    COMPILE_DEFINITIONS "mbedtls_ssl_handshake=tls_note_handshake;mbedtls_ssl_read=tls_note_read")
endif()
