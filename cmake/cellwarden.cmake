# SPDX-License-Identifier: Apache-2.0
# How everything here is compiled, and one function for each kind of target.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(CW_SANITIZE "address and undefined-behaviour sanitizers" OFF)
option(CW_COVERAGE "gcov instrumentation" OFF)
option(CW_FUZZ "libFuzzer targets (needs clang)" OFF)

set(CW_WARNINGS -Wall -Wextra -Werror -Wconversion -Wshadow -Wundef -Wmissing-prototypes -Wstrict-prototypes -Wvla)
if(CMAKE_C_COMPILER_ID MATCHES Clang)
  list(APPEND CW_WARNINGS -Wno-sign-conversion) # in C, gcc's -Wconversion leaves it out
endif()
add_compile_definitions(_POSIX_C_SOURCE=200809L)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})

if(CW_SANITIZE OR CW_FUZZ)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(CW_FUZZ)
  add_custom_target(fuzzers) # every target of cw_fuzz()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CW_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# cw_library(NAME SOURCES a.c b.c LIBS x y): a static library of our own code, warnings are errors.
function(cw_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_compile_options(${name} PRIVATE ${CW_WARNINGS})
  target_link_libraries(${name} PUBLIC ${A_LIBS})
endfunction()

# cw_program(NAME SOURCES main.c LIBS x y)
function(cw_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_compile_options(${name} PRIVATE ${CW_WARNINGS})
  target_link_libraries(${name} PRIVATE ${A_LIBS})
endfunction()

# cw_unit_test(test_x SOURCES test_x.c LIBS y): one CUnit program, one ctest of the same name, label "unit".
function(cw_unit_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  if(CW_FUZZ)
    return()
  endif()
  add_executable(${name} ${A_SOURCES})
  target_compile_options(${name} PRIVATE ${CW_WARNINGS})
  target_link_libraries(${name} PRIVATE ${A_LIBS} cunit)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT $<IF:$<BOOL:${CW_SANITIZE}>,240,60>)
endfunction()

# cw_fuzz(NAME SOURCES fuzz_name.c LIBS y): a libFuzzer target, run by `./cellwarden fuzz NAME`; corpus in tests/fuzz/corpus/NAME.
function(cw_fuzz name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  if(NOT CW_FUZZ)
    return()
  endif()
  add_executable(fuzz_${name} ${A_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ${A_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${name})
endfunction()
