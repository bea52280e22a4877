/// The differences between ngtcp2 0.12.1 and 1.x, under the names of 1.x.
#ifndef BRIDGE_QUIC_COMPATIBILITY_H
#define BRIDGE_QUIC_COMPATIBILITY_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <stdbool.h>
#include <string.h>

#if NGTCP2_VERSION_NUM < 0x010000

typedef ngtcp2_connection_close_error ngtcp2_ccerr;

#define BRIDGE_COMPAT_CID_STATUS int

/* 0.12.1 has the first version of BBR besides, which takes nearly everything from a TCP flow on a link that is full. */
#define BRIDGE_COMPAT_BBR NGTCP2_CC_ALGO_BBR2

#define NGTCP2_CCERR_TYPE_APPLICATION NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION
#define ngtcp2_ccerr_default ngtcp2_connection_close_error_default
#define ngtcp2_ccerr_set_transport_error ngtcp2_connection_close_error_set_transport_error
#define ngtcp2_ccerr_set_application_error ngtcp2_connection_close_error_set_application_error
#define ngtcp2_ccerr_set_liberr ngtcp2_connection_close_error_set_transport_error_liberr
#define ngtcp2_ccerr_set_tls_alert ngtcp2_connection_close_error_set_transport_error_tls_alert

#else

#define BRIDGE_COMPAT_CID_STATUS ngtcp2_connection_id_status_type

#define BRIDGE_COMPAT_BBR NGTCP2_CC_ALGO_BBR

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

/// ngtcp2 writes the later request first, so STOP_SENDING comes before RESET_STREAM. In the other order, a peer with
/// 0.12.1 that has received nothing of the stream before would answer neither of them, and the stream would never
/// close.
static inline int bridge_compat_shutdown_stream(ngtcp2_conn *conn, int64_t stream, uint64_t code) {
#if NGTCP2_VERSION_NUM >= 0x010000
    int error = ngtcp2_conn_shutdown_stream_write(conn, 0, stream, code);
    return error == 0 ? ngtcp2_conn_shutdown_stream_read(conn, 0, stream, code) : error;
#else
    int error = ngtcp2_conn_shutdown_stream_write(conn, stream, code);
    return error == 0 ? ngtcp2_conn_shutdown_stream_read(conn, stream, code) : error;
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

/// Servers only: the token of the client's packet after a Retry.
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

/// A server repeats the client's first destination connection ID. From 1.0 on the field needs a flag beside it.
static inline void bridge_compat_set_original_dcid(ngtcp2_transport_params *params, const ngtcp2_cid *dcid) {
    params->original_dcid = *dcid;
#if NGTCP2_VERSION_NUM >= 0x010000
    params->original_dcid_present = 1;
#endif
}

static inline bool bridge_compat_has_preferred_address(const ngtcp2_transport_params *params) {
#if NGTCP2_VERSION_NUM >= 0x010000
    return params->preferred_addr_present != 0;
#else
    return params->preferred_address_present != 0;
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

/// Room for `bridge_compat_encode_early_parameters`.
#define BRIDGE_QUIC_EARLY_PARAMETERS_CAPACITY 256

#if NGTCP2_VERSION_NUM >= 0x010000

typedef ngtcp2_encryption_level bridge_compat_level;
#define BRIDGE_COMPAT_LEVEL_APPLICATION NGTCP2_ENCRYPTION_LEVEL_1RTT
#define bridge_compat_early_data_rejected ngtcp2_conn_tls_early_data_rejected

/// Encodes what a client has to remember of the server's transport parameters beside a ticket (RFC 9000 7.4.1). 0 if
/// they are not known.
static inline size_t bridge_compat_encode_early_parameters(ngtcp2_conn *conn, uint8_t *bytes, size_t capacity) {
    if (!ngtcp2_conn_get_remote_transport_params(conn)) {
        return 0;
    }
    ngtcp2_ssize length = ngtcp2_conn_encode_0rtt_transport_params(conn, bytes, capacity);
    return length > 0 ? (size_t)length : 0;
}

/// Only allowed on a client that has sent nothing yet.
static inline bool bridge_compat_set_early_parameters(ngtcp2_conn *conn, const uint8_t *bytes, size_t length) {
    return ngtcp2_conn_decode_and_set_0rtt_transport_params(conn, bytes, length) == 0;
}

#else

typedef ngtcp2_crypto_level bridge_compat_level;
#define BRIDGE_COMPAT_LEVEL_APPLICATION NGTCP2_CRYPTO_LEVEL_APPLICATION
#define bridge_compat_early_data_rejected ngtcp2_conn_early_data_rejected

/// There is no encoder, so these are the values as they are in memory, for the same version of the library.
typedef struct {
    uint64_t max_data;
    uint64_t max_stream_data_bidi_local;
    uint64_t max_stream_data_bidi_remote;
    uint64_t max_stream_data_uni;
    uint64_t max_streams_bidi;
    uint64_t max_streams_uni;
    uint64_t max_idle_timeout;
    uint64_t max_udp_payload_size;
    uint64_t active_connection_id_limit;
    uint64_t disable_active_migration;
} bridge_compat_early_parameters;

/// Encodes what a client has to remember of the server's transport parameters beside a ticket (RFC 9000 7.4.1). 0 if
/// they are not known.
static inline size_t bridge_compat_encode_early_parameters(ngtcp2_conn *conn, uint8_t *bytes, size_t capacity) {
    const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn);
    if (!params || capacity < sizeof(bridge_compat_early_parameters)) {
        return 0;
    }
    const bridge_compat_early_parameters early = {
        .max_data = params->initial_max_data,
        .max_stream_data_bidi_local = params->initial_max_stream_data_bidi_local,
        .max_stream_data_bidi_remote = params->initial_max_stream_data_bidi_remote,
        .max_stream_data_uni = params->initial_max_stream_data_uni,
        .max_streams_bidi = params->initial_max_streams_bidi,
        .max_streams_uni = params->initial_max_streams_uni,
        .max_idle_timeout = params->max_idle_timeout,
        .max_udp_payload_size = params->max_udp_payload_size,
        .active_connection_id_limit = params->active_connection_id_limit,
        .disable_active_migration = params->disable_active_migration,
    };
    memcpy(bytes, &early, sizeof(early));
    return sizeof(early);
}

/// Only allowed on a client that has sent nothing yet.
static inline bool bridge_compat_set_early_parameters(ngtcp2_conn *conn, const uint8_t *bytes, size_t length) {
    bridge_compat_early_parameters early;
    if (!bytes || length != sizeof(early)) {
        return false;
    }
    memcpy(&early, bytes, sizeof(early));
    const ngtcp2_transport_params params = {
        .initial_max_data = early.max_data,
        .initial_max_stream_data_bidi_local = early.max_stream_data_bidi_local,
        .initial_max_stream_data_bidi_remote = early.max_stream_data_bidi_remote,
        .initial_max_stream_data_uni = early.max_stream_data_uni,
        .initial_max_streams_bidi = early.max_streams_bidi,
        .initial_max_streams_uni = early.max_streams_uni,
        .max_idle_timeout = early.max_idle_timeout,
        .max_udp_payload_size = early.max_udp_payload_size,
        .active_connection_id_limit = early.active_connection_id_limit,
        .disable_active_migration = early.disable_active_migration != 0,
    };
    ngtcp2_conn_set_early_remote_transport_params(conn, &params);
    return true;
}

#endif

#endif
