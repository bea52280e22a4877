// Every difference between ngtcp2 0.12 and 1.x that is not worth a function of its own.
#ifndef BQ_COMPAT_H
#define BQ_COMPAT_H

#include <ngtcp2/ngtcp2.h>

#if NGTCP2_VERSION_NUM >= 0x010000
#define BQ_NGTCP2_1 1
typedef ngtcp2_ccerr bq_ccerr;
#define bq_ccerr_default ngtcp2_ccerr_default
#define bq_ccerr_set_liberr(e, liberr) ngtcp2_ccerr_set_liberr((e), (liberr), NULL, 0)
#define bq_ccerr_set_tls_alert(e, alert) ngtcp2_ccerr_set_tls_alert((e), (alert), NULL, 0)
#define bq_ccerr_set_application(e, code, reason, length) \
    ngtcp2_ccerr_set_application_error((e), (code), (reason), (length))
#define bq_conn_shutdown_stream(conn, stream, code) ngtcp2_conn_shutdown_stream((conn), 0, (stream), (code))
#define bq_in_closing_period ngtcp2_conn_in_closing_period
#define bq_in_draining_period ngtcp2_conn_in_draining_period
#define BQ_CCERR_APPLICATION NGTCP2_CCERR_TYPE_APPLICATION
#else
#define BQ_NGTCP2_1 0
typedef ngtcp2_connection_close_error bq_ccerr;
#define bq_ccerr_default ngtcp2_connection_close_error_default
#define bq_ccerr_set_liberr(e, liberr) \
    ngtcp2_connection_close_error_set_transport_error_liberr((e), (liberr), NULL, 0)
#define bq_ccerr_set_tls_alert(e, alert) \
    ngtcp2_connection_close_error_set_transport_error_tls_alert((e), (alert), NULL, 0)
#define bq_ccerr_set_application(e, code, reason, length) \
    ngtcp2_connection_close_error_set_application_error((e), (code), (reason), (length))
#define bq_conn_shutdown_stream(conn, stream, code) ngtcp2_conn_shutdown_stream((conn), (stream), (code))
#define bq_in_closing_period ngtcp2_conn_is_in_closing_period
#define bq_in_draining_period ngtcp2_conn_is_in_draining_period
#define BQ_CCERR_APPLICATION NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION
#endif

#endif
