/// What differs between ngtcp2 0.12.1 and 1.x, under the names of 1.x.
#ifndef BRIDGE_QUIC_COMPATIBILITY_H
#define BRIDGE_QUIC_COMPATIBILITY_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#if NGTCP2_VERSION_NUM < 0x010000

typedef ngtcp2_connection_close_error ngtcp2_ccerr;

#define BRIDGE_COMPAT_CID_STATUS int

#define NGTCP2_CCERR_TYPE_APPLICATION NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION
#define ngtcp2_ccerr_default ngtcp2_connection_close_error_default
#define ngtcp2_ccerr_set_transport_error ngtcp2_connection_close_error_set_transport_error
#define ngtcp2_ccerr_set_application_error ngtcp2_connection_close_error_set_application_error
#define ngtcp2_ccerr_set_liberr ngtcp2_connection_close_error_set_transport_error_liberr
#define ngtcp2_ccerr_set_tls_alert ngtcp2_connection_close_error_set_transport_error_tls_alert

#else

#define BRIDGE_COMPAT_CID_STATUS ngtcp2_connection_id_status_type

#endif

static inline ngtcp2_ccerr bridge_compat_get_ccerr(ngtcp2_conn *conn) {
    ngtcp2_ccerr error;
#if NGTCP2_VERSION_NUM >= 0x010000
    error = *ngtcp2_conn_get_ccerr(conn);
#else
    ngtcp2_conn_get_connection_close_error(conn, &error);
#endif
    return error;
}

static inline int bridge_compat_shutdown_stream(ngtcp2_conn *conn, int64_t stream, uint64_t code) {
#if NGTCP2_VERSION_NUM >= 0x010000
    return ngtcp2_conn_shutdown_stream(conn, 0, stream, code);
#else
    return ngtcp2_conn_shutdown_stream(conn, stream, code);
#endif
}

static inline void bridge_compat_set_qlog(ngtcp2_settings *settings, ngtcp2_qlog_write write, const ngtcp2_cid *odcid) {
#if NGTCP2_VERSION_NUM >= 0x010000
    (void)odcid;
    settings->qlog_write = write;
#else
    settings->qlog.write = write;
    if (odcid) {
        settings->qlog.odcid = *odcid;
    }
#endif
}

/// A server's, from the client's packet after a Retry.
static inline void bridge_compat_set_token(ngtcp2_settings *settings, const uint8_t *token, size_t length) {
#if NGTCP2_VERSION_NUM >= 0x010000
    settings->token = token;
    settings->tokenlen = length;
    settings->token_type = NGTCP2_TOKEN_TYPE_RETRY;
#else
    settings->token.base = (uint8_t *)token;
    settings->token.len = length;
#endif
}

/// A server names the client's first destination connection ID; from 1.0 on the field needs a flag beside it.
static inline void bridge_compat_set_original_dcid(ngtcp2_transport_params *params, const ngtcp2_cid *dcid) {
    params->original_dcid = *dcid;
#if NGTCP2_VERSION_NUM >= 0x010000
    params->original_dcid_present = 1;
#endif
}

static inline const uint8_t *bridge_compat_token(const ngtcp2_pkt_hd *header, size_t *length) {
#if NGTCP2_VERSION_NUM >= 0x010000
    *length = header->tokenlen;
    return header->token;
#else
    *length = header->token.len;
    return header->token.base;
#endif
}

#endif
