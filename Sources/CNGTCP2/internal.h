/// What the source files of this target share.
#ifndef BRIDGE_QUIC_INTERNAL_H
#define BRIDGE_QUIC_INTERNAL_H

#include "CNGTCP2.h"
#include "compatibility.h"
#include "memory.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>

struct bridge_quic_credentials {
    gnutls_certificate_credentials_t certificates;
    gnutls_priority_t priorities;
    FILE *key_log;
    uint8_t ca_digest[BRIDGE_QUIC_CA_DIGEST_LENGTH];
};

/// The paths that a client has used and left.
typedef struct bridge_path_guard bridge_path_guard;

/// Which of the peer's connection IDs have been announced by NEW_CONNECTION_ID frames.
typedef struct {
    uint64_t retire_prior_to;
    /// The highest sequence number announced.
    uint64_t highest;
    /// A bit for each of the 64 sequence numbers up to `highest`, whose bit is the lowest.
    uint64_t seen;
} bridge_frame_guard;

/// More connection IDs of the peer's than ngtcp2 checks stateless resets for: those of the path in use, of the path that
/// is being validated and of the one to fall back to, and the last two retired ones.
#define BRIDGE_RESET_TOKENS 8

/// The tokens that ngtcp2 takes for stateless resets of the peer's; see reset_guard.c.
typedef struct {
    struct {
        /// That of the connection ID.
        uint64_t sequence;
        uint8_t bytes[NGTCP2_STATELESS_RESET_TOKENLEN];
        /// This side has told the peer that it no longer uses the ID.
        bool is_retired;
    } tokens[BRIDGE_RESET_TOKENS];
    uint8_t count;
    /// How many of them are retired.
    uint8_t retired;
} bridge_reset_guard;

/// This side's connection IDs, and the tokens of stateless resets under them.
typedef struct {
    /// The ID that this side began with.
    bridge_quic_cid first;
    /// What all of them begin with.
    bridge_quic_cid prefix;
    /// Servers only.
    bool has_secret;
    uint8_t secret[BRIDGE_QUIC_SECRET_LENGTH];
} bridge_own_ids;

/// The time that ngtcp2 is given.
typedef struct {
    /// The latest time given to ngtcp2, which aborts the process if its time goes backwards.
    uint64_t now;
    /// How far ngtcp2's time is ahead of the caller's.
    uint64_t ahead;
    /// When the peer's last packet came, in ngtcp2's time, and how far that was ahead then.
    uint64_t last_read;
    uint64_t ahead_at_read;
    /// When the idle timeout is really over, if ngtcp2 has reported it too early; otherwise 0.
    uint64_t idle_until;
} bridge_clock;

/// What pacing knows of the datagrams that went out.
typedef struct {
    /// How many bytes were written since ngtcp2 was last told that its datagrams have gone out, and when the first was.
    size_t burst;
    uint64_t burst_began;
    size_t datagram_capacity;
    /// Until when ngtcp2 lets nothing more out; 0 if there is no such pause.
    uint64_t pause_until;
    /// ngtcp2's next deadline apart from the end of the pause, if nothing waits for the latter; otherwise 0.
    uint64_t expiry_beside_pause;
} bridge_pacing;

/// The packet that is being written, and the next ones.
typedef struct {
    /// Whether a WRITE_MORE sequence is under way.
    bool is_packet_open;
    /// How many bytes of streams have gone into the packet that is open for the first time.
    uint64_t fresh_bytes;
    /// The same for all calls of a WRITE_MORE sequence.
    ngtcp2_pkt_info info;
    ngtcp2_path_storage path;
    /// The path of the last datagram that the owner was told about.
    ngtcp2_path_storage told_path;
    /// In nanoseconds; 0 if there is no keep-alive.
    uint64_t keep_alive;
    /// Whether the next packet has to be a PING if there is nothing else to send.
    bool pings;
} bridge_writing;

/// What the current call, or the last one, saw in packets.
typedef struct {
    /// A packet of the peer's was taken in.
    bool has_read_packet;
    /// A packet was written that the peer has to answer.
    bool has_written_eliciting;
    bool has_written_challenge;
    /// How many bytes of streams the packets of the written datagram carry.
    uint64_t stream_bytes;
} bridge_packet_watch;

/// What the peer has to be told; see acknowledgements.c.
typedef struct {
    /// When the oldest packet came that is not acknowledged yet; 0 if there is none.
    uint64_t since;
    /// How many bytes of such packets have come.
    uint64_t bytes;
    /// How many bytes of credit were granted since ngtcp2 was last asked for packets.
    uint64_t credit;
    /// Whether ngtcp2 may have something to send besides acknowledgements and credit.
    bool has_more;
    /// The number after the largest one that the peer has acknowledged. 0 if it has acknowledged none.
    uint64_t first_unacknowledged;
    /// The first number above the latest gap in what the peer has acknowledged. 0 if there was none yet.
    uint64_t above_gap;
    /// How far ACKs have to reach beyond that gap until ngtcp2 has certainly taken it for a loss.
    uint64_t threshold;
    /// The last bytes of the last packet's number, and the packet's length without header and tag.
    uint32_t last_number;
    size_t last_length;
    /// ngtcp2's next deadline when no acknowledgement waited. Packets that only add to what waits make it later.
    uint64_t other_expiry;
} bridge_acknowledgements;

/// Session tickets, and early data under them.
typedef struct {
    /// Servers only.
    bool sends_tickets;
    /// Whether a client tries to resume a session.
    bool has_session;
    bool offers_early_data;
    /// What the ticket says that GnuTLS is about to read; the lifetime is in seconds.
    bool ticket_allows_early_data;
    uint32_t ticket_lifetime;
    unsigned int tickets_received;
} bridge_resumption;

/// The secret of early data, which must be installed only once. A server keeps it until then.
typedef struct {
    bool is_known;
    uint8_t secret[64];
    size_t secret_length;
} bridge_early_key;

/// The check of the peer's certificate.
typedef struct {
    /// Whether a server demands a certificate from its client.
    bool verifies_client;
    /// The name to verify the certificate against: a host name, or the bytes of an address.
    char *host_name;
    uint8_t address[16];
    size_t address_length;
    /// GnuTLS's verification status; 0 if nothing is wrong so far.
    unsigned int status;
    bool certificate_missing;
} bridge_verification;

/// The end of the TLS session, and what is known of it from then on.
typedef struct {
    /// When the session is no longer needed; 0 before the handshake is confirmed.
    uint64_t due;
    gnutls_cipher_algorithm_t cipher;
    gnutls_group_t group;
    bool is_resumed;
    bool is_early_data_accepted;
    /// Whether `certificates` gets a copy of the peer's chain.
    bool keeps_certificates;
    gnutls_datum_t *certificates;
    unsigned int certificate_count;
    /// The header of the peer's message after the handshake, as far as it has come, or how much of its body is missing.
    uint8_t header[4];
    uint8_t header_length;
    uint32_t message_left;
} bridge_session_end;

/// Always on the heap, because GnuTLS and ngtcp2 keep pointers to it.
struct bridge_quic_connection {
    /// What GnuTLS's session pointer points to. It is the first member, so the pointer leads to the whole struct as
    /// well.
    ngtcp2_crypto_conn_ref reference;
    ngtcp2_conn *conn;
    /// All memory of `conn`, and that of this struct.
    bridge_memory *memory;
    /// Null once the handshake is over for good.
    gnutls_session_t session;
    const bridge_quic_credentials *credentials;
    bridge_quic_callbacks callbacks;
    void *owner;
    bool is_server;
    bool received_stateless_reset;
    /// Whether a packet was written after the handshake had completed.
    bool is_settled;
    int last_error;
    bridge_own_ids ids;
    bridge_clock clock;
    bridge_pacing pacing;
    bridge_writing writing;
    bridge_packet_watch watch;
    bridge_acknowledgements acknowledgements;
    bridge_resumption resumption;
    bridge_early_key early_key;
    bridge_verification verification;
    bridge_session_end end;
    /// Servers only; null on a client.
    bridge_path_guard *path_guard;
    bridge_frame_guard frame_guard;
    bridge_reset_guard reset_guard;
    FILE *qlog;
};

/// What the return code of an ngtcp2 call means for the connection, which remembers errors for
/// `bridge_quic_last_error`.
bridge_quic_status bridge_status_of(bridge_quic_connection *connection, int error);

/// Converts the caller's time to ngtcp2's. Every time that is given to ngtcp2 must come from this function, just
/// before.
uint64_t bridge_clock_advance(bridge_quic_connection *connection, uint64_t now);

/// Must be called before a packet is begun, and when a datagram was written.
void bridge_pacing_before_write(bridge_quic_connection *connection);
void bridge_pacing_wrote(bridge_quic_connection *connection, size_t length);
/// Must be called before ngtcp2's time reaches `now`.
void bridge_pacing_catch_up(bridge_quic_connection *connection, uint64_t now);
/// Must be called with everything that may make ngtcp2 send something, or change its deadlines.
void bridge_pacing_reveal(bridge_quic_connection *connection);
/// ngtcp2's next deadline, apart from the end of a pause that nothing waits for.
uint64_t bridge_pacing_expiry(const bridge_quic_connection *connection);

/// An object of the memory; null if there is not enough.
bridge_path_guard *bridge_path_guard_new(bridge_memory *memory, const ngtcp2_path *path, bool discovers_mtu);
/// Must be called when a datagram of this length was written that has a PATH_CHALLENGE.
void bridge_path_guard_challenged(bridge_path_guard *guard, ngtcp2_conn *conn, size_t length, uint64_t now);
/// Must be called when ngtcp2 has validated a path, failed to, or gave up.
void bridge_path_guard_validated(bridge_path_guard *guard, ngtcp2_conn *conn, ngtcp2_path_validation_result result,
                                 uint64_t now);
/// Whether a datagram must be kept from ngtcp2.
bool bridge_path_guard_stops(bridge_path_guard *guard, ngtcp2_conn *conn, const ngtcp2_path *path, const uint8_t *bytes,
                             size_t length, size_t id_length, uint64_t now);

#if NGTCP2_VERSION_NUM < 0x010000
/// Looks through the frames of a received packet. False if ngtcp2 must not get the packet now.
bool bridge_frame_guard_admits(bridge_quic_connection *connection, uint8_t *bytes, size_t length);
#else
static inline bool bridge_frame_guard_admits(bridge_quic_connection *connection, uint8_t *bytes, size_t length) {
    (void)connection;
    (void)bytes;
    (void)length;
    return true;
}
#endif

/// ngtcp2 checks this token from now on.
void bridge_reset_guard_add(bridge_reset_guard *guard, uint64_t sequence, const uint8_t *token);
/// The peer is told that this side no longer uses the connection ID.
void bridge_reset_guard_retire(bridge_reset_guard *guard, uint64_t sequence);
/// ngtcp2 no longer checks the token.
void bridge_reset_guard_remove(bridge_reset_guard *guard, uint64_t sequence);
/// Whether a datagram must be kept from ngtcp2.
bool bridge_reset_guard_stops(const bridge_reset_guard *guard, const uint8_t *bytes, size_t length);

/// Must be called with each packet of the peer's, without header protection and decrypted.
void bridge_acknowledgements_read(bridge_quic_connection *connection, const uint8_t *header, size_t header_length,
                                  const uint8_t *bytes, size_t length);
/// Must be called when a packet with an ACK frame was written.
void bridge_acknowledgements_wrote(bridge_quic_connection *connection);
/// Must be called when ngtcp2 was asked for packets and had no more. `was_paused` tells whether pacing may have been the
/// reason.
void bridge_acknowledgements_settle(bridge_quic_connection *connection, bool was_paused);
/// Must be called when the peer was granted credit.
void bridge_acknowledgements_credit(bridge_quic_connection *connection, uint64_t length);
/// The next deadline, given ngtcp2's. ngtcp2's own delay of an acknowledgement does not count.
uint64_t bridge_acknowledgements_expiry(bridge_quic_connection *connection, uint64_t expiry);

/// Must be called before every call that makes ngtcp2 read or write packets, and with null afterwards.
void bridge_packet_watch_enter(bridge_quic_connection *connection);
/// An `ngtcp2_encrypt`.
int bridge_packet_watch_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *aead_ctx,
                                const uint8_t *plaintext, size_t plaintext_length, const uint8_t *nonce,
                                size_t nonce_length, const uint8_t *aad, size_t aad_length);
/// An `ngtcp2_decrypt`.
int bridge_packet_watch_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *aead_ctx,
                                const uint8_t *ciphertext, size_t ciphertext_length, const uint8_t *nonce,
                                size_t nonce_length, const uint8_t *aad, size_t aad_length);

/// Must be called when the handshake has been confirmed, and when a ticket has come after that.
void bridge_session_confirmed(bridge_quic_connection *connection);
/// When `bridge_session_end_if_due` frees the session; `UINT64_MAX` if there is nothing to free.
uint64_t bridge_session_end_due(const bridge_quic_connection *connection);
/// Frees the session if its time has come. Must not be called from a callback.
void bridge_session_end_if_due(bridge_quic_connection *connection);

/// The peer's chain, its own certificate first; null if none is known, or no longer.
const gnutls_datum_t *bridge_peer_certificates(const bridge_quic_connection *connection, unsigned int *count);
void bridge_session_end_free(bridge_session_end *end);

/// Fills in what `bridge_quic_certificate_free` frees.
void bridge_quic_describe_certificate(gnutls_x509_crt_t certificate, bridge_quic_certificate *result);

/// Sets up the GnuTLS session. Returns 0 or a GnuTLS error; `bad_name` tells whether the server name is the reason.
int bridge_tls_session_new(bridge_quic_connection *connection, const bridge_quic_settings *settings, bool *bad_name);

#endif
