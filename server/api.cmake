# SPDX-License-Identifier: Apache-2.0
# cw_http: HTTP and JSON, without what the product is about. cw_api: the console's side of the server. Included by CMakeLists.txt.

cw_library(cw_http SOURCES jsonw.c http.c http_answer.c http_listen.c http_pool.c http_route.c static.c
  LIBS cw_server cw_common microhttpd pq z Threads::Threads)

cw_library(cw_api SOURCES
  api.c api_events.c api_fleet.c api_health.c api_history.c api_input.c api_ops.c api_render.c api_running.c api_session.c api_stream.c
  api_vehicle.c api_view.c
  auth.c auth_limit.c auth_role.c auth_session.c
  history.c history_db.c
  stream_hub.c stream_open.c stream_read.c stream_ring.c stream_tick.c stream_topic.c
  LIBS cw_http cw_server cw_proto cw_common jansson sodium pq Threads::Threads)
