/// Certificates and keys, and the protection of early data against replay.
#ifndef BRIDGE_CREDENTIALS_H
#define BRIDGE_CREDENTIALS_H

#include "bridge_base.h"

/// CA certificates, own certificate and key, and key log. They are loaded once and then only read, so all threads may
/// share them.
typedef struct bridge_quic_credentials bridge_quic_credentials;

/// Null if there is not enough memory.
bridge_quic_credentials *bridge_quic_credentials_new(void);
void bridge_quic_credentials_free(bridge_quic_credentials *credentials);

/// On failure, the functions below return false and write the reason, a NUL-terminated text, to `why`
/// (`BRIDGE_QUIC_WHY_CAPACITY` bytes).
bool bridge_quic_credentials_load_ca(bridge_quic_credentials *credentials, const char *path, char *why);
/// The same with PEM text. GnuTLS reads a NUL behind it, which `length` does not count.
bool bridge_quic_credentials_add_ca_text(bridge_quic_credentials *credentials, const uint8_t *text, size_t length,
                                         char *why);
/// `key_at_fault` tells whether the reason concerns the key file rather than the certificate file.
bool bridge_quic_credentials_load_key_pair(bridge_quic_credentials *credentials, const char *certificate_path,
                                           const char *key_path, bool *key_at_fault, char *why);
/// Appends to the file, in the NSS key log format. A new file is readable by its owner only.
bool bridge_quic_credentials_open_key_log(bridge_quic_credentials *credentials, const char *path, char *why);

/// The SHA-256 digest of the CA files loaded, in order; zeros if there are none. `BRIDGE_QUIC_CA_DIGEST_LENGTH` bytes.
const uint8_t *bridge_quic_credentials_ca_digest(const bridge_quic_credentials *credentials);

typedef struct {
    char *subject;
    char *issuer;
    /// One name per line.
    char *names;
    char *key;
    /// The algorithm of the issuer's signature, for example "ECDSA-SHA256".
    char *signature;
    int64_t not_before;
    int64_t not_after;
    /// Whether it may sign other certificates: 1 or 0 as its basic constraints say, and -1 if it has none.
    int authority;
    /// Whether it has an extended key usage that does not include TLS servers.
    bool excludes_servers;
} bridge_quic_certificate;

void bridge_quic_certificate_free(bridge_quic_certificate *certificate);

/// The certificates of a PEM file in its order, to be freed with the function below. Null if there are none; `why`
/// (`BRIDGE_QUIC_WHY_CAPACITY` bytes) has the reason then.
bridge_quic_certificate *bridge_quic_certificates_of_file(const char *path, size_t *count, char *why);
void bridge_quic_certificates_free(bridge_quic_certificate *certificates, size_t count);

/// Protects a server's early data against replay for a span of time. GnuTLS gives each ClientHello that it considers
/// new and fresh to `remember`, from any thread.
typedef struct bridge_quic_anti_replay bridge_quic_anti_replay;

/// False if the ID (`BRIDGE_QUIC_HELLO_ID_LENGTH` bytes) is known already or there is no room for it. Early data is
/// refused then.
typedef bool (*bridge_quic_remember)(void *context, const uint8_t *id);

/// GnuTLS refuses early data under tickets that are older than this call, and from clients whose idea of the ticket's
/// age is wrong by more than `window` milliseconds; an ID has to be remembered for that long. The object must not be
/// used for connections that are made later than that, because GnuTLS would then restart it. Null if there is not
/// enough memory.
bridge_quic_anti_replay *bridge_quic_anti_replay_new(uint32_t window, bridge_quic_remember remember, void *context);
void bridge_quic_anti_replay_free(bridge_quic_anti_replay *replay);

#endif
