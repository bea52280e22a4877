// Packets that belong to no connection: version negotiation, Retry, stateless reset.
#include <string.h>

#include "internal.h"

static socklen_t address_length(const struct sockaddr *address) {
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void copy_cid(uint8_t *to, size_t *to_length, const uint8_t *from, size_t length) {
    *to_length = length > 20 ? 20 : length;
    memcpy(to, from, *to_length);
}

bq_initial_kind bq_accept(const uint8_t *data, size_t length, bq_initial *initial) {
    memset(initial, 0, sizeof(*initial));
    // RFC 9000 14.1: a server drops an Initial in a smaller datagram.
    if (length < 1200 || !(data[0] & 0x80)) return BQ_NOT_INITIAL;
    ngtcp2_version_cid header;
    int code = ngtcp2_pkt_decode_version_cid(&header, data, length, 0);
    if (code != 0 && code != NGTCP2_ERR_VERSION_NEGOTIATION) return BQ_NOT_INITIAL;
    if (header.dcidlen > 20 || header.scidlen > 20) return BQ_NOT_INITIAL;
    initial->version = header.version;
    copy_cid(initial->dcid, &initial->dcid_length, header.dcid, header.dcidlen);
    copy_cid(initial->scid, &initial->scid_length, header.scid, header.scidlen);
    if (code == NGTCP2_ERR_VERSION_NEGOTIATION) return BQ_OTHER_VERSION;
    ngtcp2_pkt_hd packet;
    memset(&packet, 0, sizeof(packet));
    if (ngtcp2_accept(&packet, data, length) != 0) return BQ_NOT_INITIAL;
    copy_cid(initial->original_dcid, &initial->original_dcid_length, header.dcid, header.dcidlen);
#if BQ_NGTCP2_1
    initial->token = packet.token;
    initial->token_length = packet.tokenlen;
#else
    initial->token = packet.token.base;
    initial->token_length = packet.token.len;
#endif
    return BQ_INITIAL;
}

size_t bq_write_version_negotiation(uint8_t *buffer, size_t size, const bq_initial *initial) {
    uint8_t random = 0;
    uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
    bq_random(&random, 1);
    // The client's ids, exchanged (RFC 9000 17.2.1).
    ngtcp2_ssize length =
        ngtcp2_pkt_write_version_negotiation(buffer, size, random, initial->scid, initial->scid_length, initial->dcid,
                                             initial->dcid_length, versions, 1);
    return length < 0 ? 0 : (size_t)length;
}

size_t bq_write_retry(uint8_t *buffer, size_t size, const bq_initial *initial, const struct sockaddr *remote,
                      const uint8_t *secret, size_t secret_length, const uint8_t *scid, size_t scid_length, bq_time now) {
    ngtcp2_cid retry, client, original;
    uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
    ngtcp2_cid_init(&retry, scid, scid_length);
    ngtcp2_cid_init(&client, initial->scid, initial->scid_length);
    ngtcp2_cid_init(&original, initial->dcid, initial->dcid_length);
    ngtcp2_ssize token_length =
        ngtcp2_crypto_generate_retry_token(token, secret, secret_length, initial->version, remote,
                                           address_length(remote), &retry, &original, now);
    if (token_length < 0) return 0;
    ngtcp2_ssize length = ngtcp2_crypto_write_retry(buffer, size, initial->version, &client, &retry, &original, token,
                                                    (size_t)token_length);
    return length < 0 ? 0 : (size_t)length;
}

int bq_is_retry_token(const bq_initial *initial) {
    return initial->token_length > 0 && initial->token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY;
}

int bq_verify_retry(bq_initial *initial, const struct sockaddr *remote, const uint8_t *secret, size_t secret_length,
                    bq_time timeout, bq_time now) {
    ngtcp2_cid original, dcid;
    if (!bq_is_retry_token(initial)) return 0;
    ngtcp2_cid_init(&dcid, initial->dcid, initial->dcid_length);
    if (ngtcp2_crypto_verify_retry_token(&original, initial->token, initial->token_length, secret, secret_length,
                                         initial->version, remote, address_length(remote), &dcid, timeout, now) != 0) {
        return 0;
    }
    copy_cid(initial->original_dcid, &initial->original_dcid_length, original.data, original.datalen);
    initial->after_retry = 1;
    return 1;
}

size_t bq_write_stateless_reset(uint8_t *buffer, size_t size, const uint8_t *secret, size_t secret_length,
                                const uint8_t *cid, size_t cid_length, size_t trigger_length) {
    // RFC 9000 10.3: shorter than what it answers, so that two endpoints never answer each other for ever.
    const size_t shortest = NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN;
    if (trigger_length <= shortest || cid_length > 20) return 0;
    size_t random_length = trigger_length - 1 - NGTCP2_STATELESS_RESET_TOKENLEN;
    uint8_t random[38], token[NGTCP2_STATELESS_RESET_TOKENLEN];
    ngtcp2_cid id;
    if (random_length > sizeof(random)) random_length = sizeof(random);
    if (bq_random(random, random_length) != 0) return 0;
    ngtcp2_cid_init(&id, cid, cid_length);
    if (ngtcp2_crypto_generate_stateless_reset_token(token, secret, secret_length, &id) != 0) return 0;
    ngtcp2_ssize length = ngtcp2_pkt_write_stateless_reset(buffer, size, token, random, random_length);
    return length < 0 ? 0 : (size_t)length;
}

int bq_random(uint8_t *bytes, size_t length) { return gnutls_rnd(GNUTLS_RND_RANDOM, bytes, length); }

const char *bq_library_version(void) { return ngtcp2_version(0)->version_str; }
