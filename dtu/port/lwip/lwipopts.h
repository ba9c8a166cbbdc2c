/* SPDX-License-Identifier: Apache-2.0 */
/* lwipopts.h -- lwIP as the DTU uses it: one TCP connection with TLS, DNS, no operating system, fixed memory.
 *
 * All TLS contexts and all packets out live in lwIP's heap (MEM_SIZE); its pools are fixed arrays. Nothing else is allocated.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS                  1
#define SYS_LIGHTWEIGHT_PROT    0
#define LWIP_SOCKET             0
#define LWIP_NETCONN            0
#define LWIP_IPV4               1
#define LWIP_IPV6               0
#define LWIP_DHCP               0
#define LWIP_DNS                1
#define LWIP_ICMP               1
#define LWIP_RAW                0
#define LWIP_UDP                1
#define LWIP_TCP                1
#define LWIP_ALTCP              1
#define LWIP_ALTCP_TLS          1
#define LWIP_ALTCP_TLS_MBEDTLS  1

#define DNS_TABLE_SIZE          2
#define DNS_MAX_NAME_LENGTH     254

#define MEM_ALIGNMENT           8
#define MEM_SIZE                (44 * 1024)
#define MEMP_NUM_UDP_PCB        3
#define MEMP_NUM_TCP_PCB        4
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG        24
#define MEMP_NUM_ALTCP_PCB      6
#define MEMP_NUM_PBUF           16
#define PBUF_POOL_SIZE          20
#define PBUF_POOL_BUFSIZE       1536

#define TCP_MSS                 1460
#define TCP_WND                 (4 * TCP_MSS)
#define TCP_SND_BUF             (4 * TCP_MSS)
#define TCP_SND_QUEUELEN        16

#define LWIP_STATS              1
#define LWIP_STATS_DISPLAY      0
#define MEM_STATS               1
#define MEMP_STATS              1
#define LINK_STATS              0
#define ETHARP_STATS            0
#define IP_STATS                0
#define IPFRAG_STATS            0
#define ICMP_STATS              0
#define UDP_STATS               0
#define TCP_STATS               0

#endif
