/// The check of the peer's certificate.
#include "verification.h"

#include <time.h>

int bridge_verify_peer(gnutls_session_t session) {
    bridge_quic_connection *connection = gnutls_session_get_ptr(session);
    gnutls_typed_vdata_st data[2];
    unsigned int count = 0;
    const char *purpose = connection->is_server ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
    data[count++] = (gnutls_typed_vdata_st){.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose};
    if (connection->verification.address_length > 0) {
        data[count++] = (gnutls_typed_vdata_st){.type = GNUTLS_DT_IP_ADDRESS,
                                                .data = connection->verification.address,
                                                .size = (unsigned int)connection->verification.address_length};
    } else if (connection->verification.host_name) {
        data[count++] = (gnutls_typed_vdata_st){.type = GNUTLS_DT_DNS_HOSTNAME,
                                                .data = (unsigned char *)connection->verification.host_name};
    }
    unsigned int status = 0;
    int error = gnutls_certificate_verify_peers(session, data, count, &status);
    if (error == GNUTLS_E_NO_CERTIFICATE_FOUND) {
        connection->verification.certificate_missing = true;
        return error;
    }
    connection->verification.status = error < 0 ? GNUTLS_CERT_INVALID : status;
    return connection->verification.status == 0 ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

/// Checks the certificates from a ticket. GnuTLS itself does not, because to it the session is based on a pre-shared
/// key.
static unsigned int status_of_stored(const bridge_quic_connection *connection) {
    unsigned int count = 0;
    const gnutls_datum_t *stored = gnutls_certificate_get_peers(connection->session, &count);
    gnutls_x509_trust_list_t trusted;
    gnutls_x509_crt_t chain[8];
    unsigned int length = 0;
    while (stored && length < count && length < sizeof(chain) / sizeof(chain[0]) &&
           gnutls_x509_crt_init(&chain[length]) == 0) {
        int error = gnutls_x509_crt_import(chain[length], &stored[length], GNUTLS_X509_FMT_DER);
        length++;
        if (error != 0) {
            break;
        }
    }
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned int status = GNUTLS_CERT_INVALID;
    gnutls_certificate_get_trust_list(connection->credentials->certificates, &trusted);
    if (length == 0 ||
        gnutls_x509_trust_list_verify_crt2(trusted, chain, length, &purpose, 1, 0, &status, NULL) != 0) {
        status = GNUTLS_CERT_INVALID;
    }
    for (unsigned int i = 0; i < length; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    return status;
}

bool bridge_is_resumed_client_welcome(bridge_quic_connection *connection) {
    if (connection->verification.verifies_client && gnutls_session_is_resumed(connection->session)) {
        connection->verification.status = status_of_stored(connection);
    }
    return connection->verification.status == 0;
}

static bridge_quic_verdict verdict_of_status(unsigned int status) {
    const unsigned int untrusted = GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_REVOKED |
                                   GNUTLS_CERT_SIGNATURE_FAILURE;
    if (status == 0) {
        return BRIDGE_QUIC_VERDICT_NONE;
    }
    if (status & untrusted) {
        return BRIDGE_QUIC_VERDICT_NOT_TRUSTED;
    }
    if (status & GNUTLS_CERT_EXPIRED) {
        return BRIDGE_QUIC_VERDICT_EXPIRED;
    }
    if (status & GNUTLS_CERT_NOT_ACTIVATED) {
        return BRIDGE_QUIC_VERDICT_NOT_YET_VALID;
    }
    return status & GNUTLS_CERT_UNEXPECTED_OWNER ? BRIDGE_QUIC_VERDICT_WRONG_NAME : BRIDGE_QUIC_VERDICT_UNACCEPTABLE;
}

/// The index in the peer's chain of the certificate that is not valid at this time; the length of the chain if that is
/// the trusted one to which the chain leads.
static size_t out_of_time(const bridge_quic_connection *connection, bridge_quic_verdict verdict) {
    int64_t now = (int64_t)time(NULL);
    size_t index = 0;
    bridge_quic_certificate certificate;
    while (bridge_quic_peer_certificate(connection, index, &certificate)) {
        bool is_late = certificate.not_after < now;
        bool found = verdict == BRIDGE_QUIC_VERDICT_EXPIRED ? is_late : certificate.not_before > now;
        bridge_quic_certificate_free(&certificate);
        if (found) {
            return index;
        }
        index++;
    }
    return index;
}

bool bridge_quic_trusted_issuer(const bridge_quic_connection *connection, bridge_quic_certificate *result) {
    unsigned int count = 0;
    const gnutls_datum_t *chain = bridge_peer_certificates(connection, &count);
    gnutls_x509_crt_t last;
    if (!chain || count == 0 || gnutls_x509_crt_init(&last) != 0) {
        return false;
    }
    gnutls_x509_trust_list_t trusted;
    gnutls_x509_crt_t issuer = NULL;
    gnutls_certificate_get_trust_list(connection->credentials->certificates, &trusted);
    bool found = gnutls_x509_crt_import(last, &chain[count - 1], GNUTLS_X509_FMT_DER) == 0 &&
                 gnutls_x509_trust_list_get_issuer(trusted, last, &issuer, GNUTLS_TL_GET_COPY) == 0;
    if (found) {
        bridge_quic_describe_certificate(issuer, result);
        gnutls_x509_crt_deinit(issuer);
    }
    gnutls_x509_crt_deinit(last);
    return found;
}

bridge_quic_verdict bridge_quic_verdict_of(const bridge_quic_connection *connection, size_t *at_fault, char *why) {
    why[0] = 0;
    *at_fault = 0;
    if (connection->verification.certificate_missing) {
        return BRIDGE_QUIC_VERDICT_NO_CERTIFICATE;
    }
    bridge_quic_verdict verdict = verdict_of_status(connection->verification.status);
    if (verdict == BRIDGE_QUIC_VERDICT_NONE) {
        return verdict;
    }
    if (verdict == BRIDGE_QUIC_VERDICT_EXPIRED || verdict == BRIDGE_QUIC_VERDICT_NOT_YET_VALID) {
        *at_fault = out_of_time(connection, verdict);
    }
    gnutls_datum_t text;
    if (gnutls_certificate_verification_status_print(connection->verification.status, GNUTLS_CRT_X509, &text, 0) == 0) {
        snprintf(why, BRIDGE_QUIC_WHY_CAPACITY, "%.*s", (int)text.size, (const char *)text.data);
        gnutls_free(text.data);
    }
    return verdict;
}
