// Shared by the files of this target only.
#ifndef BQ_INTERNAL_H
#define BQ_INTERNAL_H

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "CNGTCP2.h"
#include "compat.h"

struct bq_tls {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    int is_server;
    int wants_client_certificate;
    void (*key_log)(void *owner, const char *line, size_t length);
    void *key_log_owner;
};

struct bq_conn {
    /// GnuTLS keeps the address of this, so it stays at the head of a heap object that never moves.
    ngtcp2_crypto_conn_ref ref;
    ngtcp2_conn *conn;
    gnutls_session_t session;
    bq_tls *tls;
    bq_events events;
    void *owner;
    /// GnuTLS keeps its address (`gnutls_session_set_verify_cert`).
    char *server_name;
    size_t cid_length;
    uint8_t *reset_secret;
    size_t reset_secret_length;
    /// The same throughout one packet: ngtcp2 asserts it.
    ngtcp2_pkt_info packet_info;
    int last_error;
    /// -1: none.
    int tls_alert;
};

/// A session for one connection; 0 on success.
int bq_session_new(bq_conn *conn, const uint8_t *alpn, size_t alpn_length);
bq_status bq_status_of(bq_conn *conn, int error);

#endif
