import CNGTCP2
import NIOCore

/// Decides about datagrams of a server's socket that belong to no connection (RFC 9000 5.2.2). Pure: no sockets.
/// Look a datagram's `QUICPacketHeader.destinationConnectionID` up first; only what is not found comes here.
///
/// Anyone can send such datagrams under anyone's address. So no answer is longer than what it answers by more than a
/// Retry's few bytes to 1200 received, and answers are limited in number over time.
package struct QUICServerAcceptor {
    package enum Retry: Sendable, Equatable {
        case never
        /// A client must show that it receives at its address before a connection is made for it: one round trip more.
        case always
    }

    package enum Decision {
        /// Make a connection of it with `QUICConnection.server` (which takes the datagram in, too), or drop it.
        case accept(QUICIncomingConnection)
        /// Send this: version negotiation, Retry, refusal of a bad token, or stateless reset.
        case reply(QUICDatagram)
        case ignore
    }

    /// Within which a client must come back with a Retry's token.
    private static let tokenLifetime: Duration = .seconds(10)
    /// A stateless reset looks like a short packet of this length, or is a byte shorter than what it answers.
    private static let resetLength = 43
    /// The least a packet must have for a reset to be sent: a byte more than the smallest reset. Two endpoints that
    /// have both forgotten do not answer each other for ever, because resets get shorter (RFC 9000 10.3.3). A silent
    /// client's PING, of about 30 bytes, is answered: it is all that comes of an idle connection.
    private static let leastLengthForReset = 22

    package var retry: Retry
    /// What the next connections are made with; those that are made keep theirs.
    package var tls: QUICTLSContext
    private let configuration: QUICConfiguration
    private let secret: [UInt8]
    private var budget: ReplyBudget

    /// - Parameters:
    ///   - secret: 32 bytes from which tokens are made. The same secret after a restart lets the server reset
    ///     connections of before. Random where nil.
    ///   - repliesPerSecond: how many datagrams are answered at most.
    package init(
        configuration: QUICConfiguration,
        tls: QUICTLSContext,
        retry: Retry = .never,
        secret: [UInt8]? = nil,
        repliesPerSecond: Int = 1000
    ) {
        self.configuration = configuration
        self.tls = tls
        self.retry = retry
        let length = Int(BRIDGE_QUIC_SECRET_LENGTH)
        if let secret, secret.count == length {
            self.secret = secret
        } else {
            var random = [UInt8](repeating: 0, count: length)
            bridge_quic_random(&random, length)
            self.secret = random
        }
        budget = ReplyBudget(perSecond: repliesPerSecond)
    }

    package mutating func decide(
        _ datagram: ByteBuffer,
        from remote: SocketAddress,
        to local: SocketAddress,
        ecn: NIOExplicitCongestionNotificationState = .transportNotCapable,
        at now: NIODeadline
    ) -> Decision {
        guard remote.isIP, local.isIP else { return .ignore }
        var initial = bridge_quic_initial()
        var answer: ByteBuffer?
        var isAccepted = false
        var token: [UInt8] = []
        datagram.withUnsafeReadableBytes { bytes in
            var ids = bridge_quic_long_ids()
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            switch bridge_quic_accept(start, bytes.count, &initial, &ids) {
            case .initial:
                (isAccepted, answer) = admit(&initial, from: remote, at: now)
                token = Array(UnsafeBufferPointer(start: initial.token, count: initial.token_length))
            case .otherVersion:
                answer = written { bridge_quic_write_version_negotiation($0, $1, &ids) }
            case .short:
                answer = statelessReset(for: datagram)
            case .ignore:
                break
            }
        }
        if isAccepted {
            return .accept(
                QUICIncomingConnection(
                    remote: remote, local: local, datagram: datagram, ecn: ecn, configuration: configuration, tls: tls,
                    receivedAt: now, secret: secret, initial: initial, token: token))
        }
        guard let answer, budget.take(at: now) else { return .ignore }
        return .reply(QUICDatagram(bytes: answer, local: local, remote: remote, ecn: .transportNotCapable))
    }

    /// Refuses an accepted datagram for want of room: CONNECTION_CLOSE with CONNECTION_REFUSED (RFC 9000 5.2.2), for
    /// which nothing is kept. Nil where answers have been used up: then it is dropped in silence.
    package mutating func refusal(of incoming: QUICIncomingConnection) -> QUICDatagram? {
        guard budget.take(at: incoming.receivedAt) else { return nil }
        var initial = incoming.initial
        let answer = written { bridge_quic_write_refusal($0, $1, &initial, TransportErrorCode.connectionRefused) }
        return answer.map {
            QUICDatagram(bytes: $0, local: incoming.local, remote: incoming.remote, ecn: .transportNotCapable)
        }
    }

    private func admit(
        _ initial: inout bridge_quic_initial, from remote: SocketAddress, at now: NIODeadline
    ) -> (isAccepted: Bool, answer: ByteBuffer?) {
        let token = remote.withSockAddr { address, length in
            bridge_quic_check_token(
                &initial, secret, address, socklen_t(length), Self.tokenLifetime.nanoseconds, now.nanoseconds)
        }
        switch (token, retry) {
        case (.valid, _), (.absent, .never):
            return (true, nil)
        case (.invalid, _):
            return (
                false, written { bridge_quic_write_refusal($0, $1, &initial, TransportErrorCode.invalidToken) }
            )
        case (.absent, .always):
            let answer = remote.withSockAddr { address, length in
                withOptionalByte(configuration.connectionIDPrefix) { prefix in
                    written {
                        bridge_quic_write_retry(
                            $0, $1, &initial, QUICConnectionID.localLength, prefix, secret, address,
                            socklen_t(length), now.nanoseconds)
                    }
                }
            }
            return (false, answer)
        }
    }

    private func statelessReset(for datagram: ByteBuffer) -> ByteBuffer? {
        guard datagram.readableBytes >= Self.leastLengthForReset,
            let id = QUICPacketHeader.destinationConnectionID(of: datagram)?.bytes
        else { return nil }
        let length = min(Self.resetLength, datagram.readableBytes - 1)
        return written { buffer, _ in bridge_quic_write_stateless_reset(buffer, length, secret, id, id.count) }
    }
}

/// Calls with room for a datagram that every path carries; nil where nothing is written.
private func written(_ write: (UnsafeMutablePointer<UInt8>?, Int) -> Int) -> ByteBuffer? {
    let capacity = 1200
    var buffer = ByteBufferAllocator().buffer(capacity: capacity)
    let length = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { space in
        write(space.bindMemory(to: UInt8.self).baseAddress, min(space.count, capacity))
    }
    return length > 0 ? buffer : nil
}

private func withOptionalByte<Result>(_ byte: UInt8?, _ body: (UnsafePointer<UInt8>?) -> Result) -> Result {
    guard let byte else { return body(nil) }
    return withUnsafePointer(to: byte) { body($0) }
}
