/// What a server answers to datagrams that belong to no connection.
#include "connection_ids.h"

void bridge_quic_random(uint8_t *bytes, size_t length) {
    if (gnutls_rnd(GNUTLS_RND_KEY, bytes, length) != 0) {
        __builtin_trap();
    }
}

static bridge_quic_acceptance accept_long(const uint8_t *bytes, size_t length, bridge_quic_initial *initial) {
    ngtcp2_pkt_hd header;
    if (ngtcp2_accept(&header, bytes, length) != 0 || header.version != NGTCP2_PROTO_VER_V1) {
        return BRIDGE_QUIC_ACCEPT_IGNORE;
    }
    *initial = (bridge_quic_initial){
        .version = header.version,
        .dcid = bridge_id_of(&header.dcid),
        .scid = bridge_id_of(&header.scid),
        .original_dcid = bridge_id_of(&header.dcid),
    };
    initial->token = bridge_compat_token(&header, &initial->token_length);
    return BRIDGE_QUIC_ACCEPT_INITIAL;
}

bridge_quic_acceptance bridge_quic_accept(const uint8_t *bytes, size_t length, bridge_quic_initial *initial,
                                          bridge_quic_long_ids *ids) {
    if (length == 0) {
        return BRIDGE_QUIC_ACCEPT_IGNORE;
    }
    if (!(bytes[0] & 0x80)) {
        return BRIDGE_QUIC_ACCEPT_SHORT;
    }
    /* These fields have the same place in all versions of QUIC (RFC 8999 5.1). */
    if (length < 7) {
        return BRIDGE_QUIC_ACCEPT_IGNORE;
    }
    uint32_t version = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
    if (version == NGTCP2_PROTO_VER_V1) {
        return accept_long(bytes, length, initial);
    }
    size_t dcid_length = bytes[5];
    if (version == 0 || length < NGTCP2_MAX_UDP_PAYLOAD_SIZE || length < 7 + dcid_length) {
        return BRIDGE_QUIC_ACCEPT_IGNORE;
    }
    size_t scid_length = bytes[6 + dcid_length];
    if (length < 7 + dcid_length + scid_length) {
        return BRIDGE_QUIC_ACCEPT_IGNORE;
    }
    *ids = (bridge_quic_long_ids){
        .dcid = bytes + 6,
        .dcid_length = dcid_length,
        .scid = bytes + 7 + dcid_length,
        .scid_length = scid_length,
    };
    return BRIDGE_QUIC_ACCEPT_OTHER_VERSION;
}

bridge_quic_token bridge_quic_check_token(bridge_quic_initial *initial, const uint8_t *secret,
                                          const struct sockaddr *remote, socklen_t remote_length, uint64_t timeout,
                                          uint64_t now) {
    if (initial->token_length == 0 || initial->token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) {
        return BRIDGE_QUIC_TOKEN_ABSENT;
    }
    ngtcp2_cid dcid = bridge_cid_of(&initial->dcid);
    ngtcp2_cid original_dcid;
    int error = ngtcp2_crypto_verify_retry_token(&original_dcid, initial->token, initial->token_length, secret,
                                                 BRIDGE_QUIC_SECRET_LENGTH, initial->version, remote, remote_length,
                                                 &dcid, timeout, now);
    if (error != 0) {
        return BRIDGE_QUIC_TOKEN_INVALID;
    }
    initial->original_dcid = bridge_id_of(&original_dcid);
    initial->after_retry = true;
    return BRIDGE_QUIC_TOKEN_VALID;
}

size_t bridge_quic_write_version_negotiation(uint8_t *buffer, size_t capacity, const bridge_quic_long_ids *ids) {
    uint8_t unused;
    if (gnutls_rnd(GNUTLS_RND_NONCE, &unused, 1) != 0) {
        return 0;
    }
    /* A reserved version beside the real one keeps clients from relying on a fixed list (RFC 9000 15). */
    const uint32_t versions[] = {0x0a0a0a0a | ((uint32_t)unused & 0xf0) << 24, NGTCP2_PROTO_VER_V1};
    ngtcp2_ssize length =
        ngtcp2_pkt_write_version_negotiation(buffer, capacity, unused, ids->scid, ids->scid_length, ids->dcid,
                                             ids->dcid_length, versions, sizeof(versions) / sizeof(versions[0]));
    return length > 0 ? (size_t)length : 0;
}

size_t bridge_quic_write_retry(uint8_t *buffer, size_t capacity, const bridge_quic_initial *initial,
                               size_t connection_id_length, const uint8_t *prefix, size_t prefix_length,
                               const uint8_t *secret, const struct sockaddr *remote, socklen_t remote_length,
                               uint64_t now) {
    ngtcp2_cid retry_scid;
    if (!bridge_new_connection_id(&retry_scid, connection_id_length, prefix, prefix_length)) {
        return 0;
    }
    ngtcp2_cid client_id = bridge_cid_of(&initial->scid);
    ngtcp2_cid original_dcid = bridge_cid_of(&initial->dcid);
    uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
    ngtcp2_ssize token_length =
        ngtcp2_crypto_generate_retry_token(token, secret, BRIDGE_QUIC_SECRET_LENGTH, initial->version, remote,
                                           remote_length, &retry_scid, &original_dcid, now);
    if (token_length < 0) {
        return 0;
    }
    ngtcp2_ssize length = ngtcp2_crypto_write_retry(buffer, capacity, initial->version, &client_id, &retry_scid,
                                                    &original_dcid, token, (size_t)token_length);
    return length > 0 ? (size_t)length : 0;
}

size_t bridge_quic_write_refusal(uint8_t *buffer, size_t capacity, const bridge_quic_initial *initial, uint64_t code) {
    ngtcp2_cid client_id = bridge_cid_of(&initial->scid);
    ngtcp2_cid dcid = bridge_cid_of(&initial->dcid);
    ngtcp2_ssize length = ngtcp2_crypto_write_connection_close(buffer, capacity, initial->version, &client_id, &dcid,
                                                               code, NULL, 0);
    return length > 0 ? (size_t)length : 0;
}

size_t bridge_quic_write_stateless_reset(uint8_t *buffer, size_t length, const uint8_t *secret, const uint8_t *id,
                                         size_t id_length) {
    ngtcp2_cid cid;
    uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
    uint8_t noise[128];
    if (id_length > NGTCP2_MAX_CIDLEN ||
        length < NGTCP2_STATELESS_RESET_TOKENLEN + NGTCP2_MIN_STATELESS_RESET_RANDLEN ||
        length - NGTCP2_STATELESS_RESET_TOKENLEN > sizeof(noise)) {
        return 0;
    }
    ngtcp2_cid_init(&cid, id, id_length);
    size_t noise_length = length - NGTCP2_STATELESS_RESET_TOKENLEN;
    if (ngtcp2_crypto_generate_stateless_reset_token(token, secret, BRIDGE_QUIC_SECRET_LENGTH, &cid) != 0 ||
        gnutls_rnd(GNUTLS_RND_NONCE, noise, noise_length) != 0) {
        return 0;
    }
    ngtcp2_ssize written = ngtcp2_pkt_write_stateless_reset(buffer, length, token, noise, noise_length);
    return written > 0 ? (size_t)written : 0;
}
