# SPDX-License-Identifier: Apache-2.0
# The HTTP side of the server. Included by server/CMakeLists.txt, which makes the rest (cw_server) and the program.
find_package(Threads REQUIRED)
find_path(PQ_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)

# HTTP and JSON, without what the product is about.
cw_library(cw_http SOURCES json.c http.c http_answer.c http_listen.c http_pool.c http_route.c
  LIBS cw_server microhttpd pq z Threads::Threads)
target_include_directories(cw_http SYSTEM PUBLIC ${PQ_INCLUDE})
