/* SPDX-License-Identifier: Apache-2.0 */
/* tls_files.h -- what a TLS stream needs to know who it is and whom to trust; PEM files, borrowed during create only. */
#ifndef DTU_PORT_TLS_FILES_H
#define DTU_PORT_TLS_FILES_H

struct tls_files {
    const char *ca_file;     /* the CAs trusted to sign the server's certificate */
    const char *cert_file;   /* this device's certificate, then its intermediates; NULL: none shown (tests only) */
    const char *key_file;    /* its private key, unencrypted, ECDSA P-256; NULL with cert_file NULL */
    const char *server_name; /* must be in the server's certificate; 1 to 253 characters */
};

#endif
