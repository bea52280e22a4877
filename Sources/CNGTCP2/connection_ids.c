/// Connection IDs of this side, and the tokens that go with them.
#include "connection_ids.h"

#include <string.h>

bool bridge_new_connection_id(ngtcp2_cid *cid, size_t length, const uint8_t *prefix, size_t prefix_length) {
    if (length > NGTCP2_MAX_CIDLEN || prefix_length > length ||
        gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, length) != 0) {
        return false;
    }
    cid->datalen = length;
    if (prefix_length > 0) {
        memcpy(cid->data, prefix, prefix_length);
    }
    return true;
}

bool bridge_issue_connection_id(const bridge_quic_connection *connection, ngtcp2_cid *cid, size_t length) {
    return bridge_new_connection_id(cid, length, connection->ids.prefix.bytes, connection->ids.prefix.length);
}

bool bridge_stateless_reset_token(const bridge_quic_connection *connection, uint8_t *token, const ngtcp2_cid *cid) {
    if (connection->ids.has_secret) {
        return ngtcp2_crypto_generate_stateless_reset_token(token, connection->ids.secret,
                                                            sizeof(connection->ids.secret), cid) == 0;
    }
    return gnutls_rnd(GNUTLS_RND_RANDOM, token, NGTCP2_STATELESS_RESET_TOKENLEN) == 0;
}

ngtcp2_cid bridge_cid_of(const bridge_quic_cid *id) {
    ngtcp2_cid cid;
    ngtcp2_cid_init(&cid, id->bytes, id->length);
    return cid;
}

bridge_quic_cid bridge_id_of(const ngtcp2_cid *cid) {
    bridge_quic_cid id = {.length = cid->datalen};
    memcpy(id.bytes, cid->data, cid->datalen);
    return id;
}
