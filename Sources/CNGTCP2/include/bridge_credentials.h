/// Certificates and keys, and what keeps early data from being replayed.
#ifndef BRIDGE_CREDENTIALS_H
#define BRIDGE_CREDENTIALS_H

#include "bridge_base.h"

/// CA certificates, own certificate and key, key log: loaded once, then only read, so shared by any thread.
typedef struct bridge_quic_credentials bridge_quic_credentials;

/// Null where memory is out.
bridge_quic_credentials *bridge_quic_credentials_new(void);
void bridge_quic_credentials_free(bridge_quic_credentials *credentials);

/// The functions below return false with the reason, a text ending in NUL, in `why` (`BRIDGE_QUIC_WHY_CAPACITY` bytes).
bool bridge_quic_credentials_load_ca(bridge_quic_credentials *credentials, const char *path, char *why);
/// `key_at_fault` tells whether the reason is about the key file rather than the certificate file.
bool bridge_quic_credentials_load_key_pair(bridge_quic_credentials *credentials, const char *certificate_path,
                                           const char *key_path, bool *key_at_fault, char *why);
/// NSS key log format, appended to; created readable by its owner only.
bool bridge_quic_credentials_open_key_log(bridge_quic_credentials *credentials, const char *path, char *why);

/// SHA-256 over the CA files loaded, in order; zeros where there is none. `BRIDGE_QUIC_CA_DIGEST_LENGTH` bytes.
const uint8_t *bridge_quic_credentials_ca_digest(const bridge_quic_credentials *credentials);

typedef struct {
    char *subject;
    char *issuer;
    /// One a line.
    char *names;
    char *key;
    int64_t not_before;
    int64_t not_after;
} bridge_quic_certificate;

void bridge_quic_certificate_free(bridge_quic_certificate *certificate);

/// The certificates of a PEM file in its order, to be freed with the function below. Null where there are none, with the
/// reason in `why` (`BRIDGE_QUIC_WHY_CAPACITY` bytes).
bridge_quic_certificate *bridge_quic_certificates_of_file(const char *path, size_t *count, char *why);
void bridge_quic_certificates_free(bridge_quic_certificate *certificates, size_t count);

/// What one span of a server's life knows of early data. A ClientHello that GnuTLS takes for new and fresh is given to
/// `remember`, from any thread.
typedef struct bridge_quic_anti_replay bridge_quic_anti_replay;

/// False where the id (`BRIDGE_QUIC_HELLO_ID_LENGTH` bytes) was there already or there is no room: early data is refused.
typedef bool (*bridge_quic_remember)(void *context, const uint8_t *id);

/// GnuTLS refuses early data under tickets of before this call, and of clients whose idea of the ticket's age is off by
/// more than `window` (milliseconds): for so long an id has to be remembered. It must not be used for connections that
/// are made later than that, as GnuTLS would begin anew then. Null where memory is out.
bridge_quic_anti_replay *bridge_quic_anti_replay_new(uint32_t window, bridge_quic_remember remember, void *context);
void bridge_quic_anti_replay_free(bridge_quic_anti_replay *replay);

#endif
