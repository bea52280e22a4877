import NIOCore

/// Cuts a byte stream into packets, incrementally, and checks only their fixed headers.
///
/// ```
///              ┌──────────── the packet is whole: packet ────────────┐
///              ▼                                                     │
///   ┌──▶ fixedHeader ── length known ──▶ whole ──────────────────────┘
///   │          ├── longer than is kept ──▶ long, charged to `longPackets` ── the packet is whole: packet ──▶ fixedHeader
///   │          │
///   │          └── a long PUBLISH ──▶ head ── its end found: publishBegin ──▶ payload ──┐
///   └──────────────────────────────────────── last byte: payload(isLast: true) ─────────┘
///   any ── throws ──▶ failed: throws the same error again
/// ```
/// With a lenient reading, a long PUBLISH whose head makes no sense comes out as `unreadBegin`, and its rest as
/// `payload`.
///
/// Every length is compared with its limit before bytes are kept for it. A packet that lies in one received buffer
/// comes out as a slice of it; one that was split over several buffers has been copied once. After every `append(_:)`,
/// call `next()` until it returns `nil`: what is left then is an unfinished packet in storage of its own, and no
/// received buffer is kept.
package struct FrameDecoder: Sendable {
    /// What `next()` returns.
    package enum Element: Sendable, Equatable {
        case packet(Frame)
        /// The beginning of a PUBLISH longer than `streamingThreshold`. Pieces of `payload` follow until one is the
        /// last; an empty payload is one empty last piece.
        case publishBegin(StreamedPublish)
        /// The same if its head was not read, which only a lenient reading allows.
        case unreadBegin(UnreadPublish)
        case payload(ByteBuffer, isLast: Bool)
    }

    private enum State: Sendable {
        /// The fixed header is read as soon as this many bytes have been received.
        case fixedHeader(looksAt: Int)
        case whole(FixedHeader)
        /// A packet longer than `maximumBufferedSize`, which `share` pays for.
        case long(FixedHeader)
        case head(FixedHeader, looksAt: Int)
        case payload(remaining: Int)
        case failed(MQTTError)
    }

    /// The version of the connection. `nil` until CONNECT has come: nothing else is accepted until then
    /// ([MQTT-3.1.0-1]). The owner sets it from CONNECT, and has to check that no second CONNECT comes
    /// ([MQTT-3.1.0-2]).
    package var version: MQTTVersion?
    /// How strictly packets are read from now on.
    package var reading: Reading
    /// What a packet other than PUBLISH takes its bytes from if it is longer than `maximumBufferedSize`; `nil` if there may
    /// be none. The bytes are taken as they come, and not for a length field's promise.
    package var longPackets: LongPacketBudget?

    private let maximumPacketSize: Int
    private let streamingThreshold: Int
    private let maximumBufferedSize: Int
    private var state = State.fixedHeader(looksAt: 1)
    private var input = InputQueue()
    /// What the long packet that is being received, or has just been handed out, has taken from ``longPackets``.
    private var share: LongPacketShare?
    /// Whether ``next()`` has returned `nil` and no byte has come since, so that it would do so again.
    package private(set) var isDrained = true

    /// All limits are in bytes and include the fixed header.
    ///
    /// - Parameters:
    ///   - maximumPacketSize: The longest packet that is accepted.
    ///   - streamingThreshold: A longer PUBLISH is not kept, but handed out in pieces as it arrives.
    ///   - maximumBufferedSize: The longest packet other than PUBLISH, unless ``longPackets`` allows longer ones, and the
    ///     longest head of a streamed PUBLISH.
    package init(
        maximumPacketSize: Int, streamingThreshold: Int = 65_536, maximumBufferedSize: Int, reading: Reading = .strict
    ) {
        self.reading = reading
        self.maximumPacketSize = maximumPacketSize
        self.streamingThreshold = streamingThreshold
        self.maximumBufferedSize = maximumBufferedSize
    }

    /// How many bytes were received and not handed out. After `next()` has returned `nil`, these are fewer than the
    /// larger of `streamingThreshold` and `maximumBufferedSize`, unless a long packet is being received.
    package var bufferedBytes: Int { input.count }

    /// How many bytes of memory the decoder keeps alive for them: after `nil`, less than twice as many, or 256.
    package var retainedCapacity: Int { input.retainedCapacity }

    /// Takes bytes that were received. Does nothing after `next()` has thrown.
    package mutating func append(_ buffer: ByteBuffer) {
        if case .failed = state { return }
        input.append(buffer)
        if buffer.readableBytes > 0 { isDrained = false }
    }

    /// The next packet, or the next piece of a long one.
    ///
    /// - Returns: `nil` if more bytes are needed.
    /// - Throws: From the first bad byte on, always the same error, because the stream cannot be followed any further.
    package mutating func next() throws(MQTTError) -> Element? {
        do throws(MQTTError) {
            while true {
                switch state {
                case .fixedHeader(let length):
                    if share != nil { share = nil }
                    guard input.gather(length) else { return drained() }
                    try readFixedHeader()
                case .whole(let header):
                    guard input.gather(header.packetLength) else { return drained() }
                    state = .fixedHeader(looksAt: 1)
                    return .packet(Frame(header, bytes: input.take(header.packetLength)))
                case .long(let header):
                    try charge(for: header)
                    guard input.gather(header.packetLength) else { return drained() }
                    state = .fixedHeader(looksAt: 1)
                    return .packet(Frame(header, bytes: input.take(header.packetLength)))
                case .head(let header, let length):
                    guard input.gather(length) else { return drained() }
                    if let element = try readHead(header, gathered: length) { return element }
                case .payload(let remaining):
                    return takePayload(remaining) ?? drained()
                case .failed(let error):
                    throw error
                }
            }
        } catch {
            state = .failed(error)
            input = InputQueue()
            share = nil
            isDrained = false
            throw error
        }
    }

    private mutating func drained() -> Element? {
        isDrained = true
        return nil
    }

    private mutating func readFixedHeader() throws(MQTTError) {
        let front = input.front
        guard let header = try FixedHeader.parse(front, version: version, reading: reading) else {
            // No more than the length itself needs, because the rest may never come.
            state = .fixedHeader(looksAt: min(front.readableBytes, 4) + 1)
            return
        }
        try checkLimit(header.packetLength, maximumPacketSize, header.type, "the packet")
        if header.type == .publish, header.packetLength > streamingThreshold {
            state = .head(header, looksAt: header.length)
        } else if header.type != .publish, header.packetLength > maximumBufferedSize {
            guard let longPackets else {
                return try checkLimit(header.packetLength, maximumBufferedSize, header.type, "the packet")
            }
            share = LongPacketShare(longPackets)
            state = .long(header)
        } else {
            state = .whole(header)
        }
    }

    /// Takes what has come of a long packet out of the budget.
    private func charge(for header: FixedHeader) throws(MQTTError) {
        let bytes = min(input.count, header.packetLength) - maximumBufferedSize
        guard share?.grow(to: bytes) ?? true else {
            throw MQTTError(
                .packetTooLarge, .maximumPacketSize, version ?? .v5_0,
                "\(header.type): the packet is \(header.packetLength) bytes long, and other long packets take all the "
                    + "memory that there is for packets of more than \(maximumBufferedSize)")
        }
    }

    /// What the packet that `next()` has just returned has taken from ``longPackets``; `nil` if that is nothing. The owner
    /// keeps it for as long as it keeps the packet's bytes. Otherwise the decoder gives it back with the next call of
    /// `next()`.
    package mutating func takeShare() -> LongPacketShare? {
        guard share != nil, case .fixedHeader = state else { return nil }
        defer { share = nil }
        return share
    }

    /// - Parameter gathered: How many of its bytes are there in one piece.
    /// - Returns: `nil` if the end of the head has not been found yet.
    private mutating func readHead(_ header: FixedHeader, gathered: Int) throws(MQTTError) -> Element? {
        guard reading != .framesOnly else { return unread(header, gathered, nil) }
        var gathered = gathered
        do throws(MQTTError) {
            return try readHead(header, &gathered).map { .publishBegin($0) }
        } catch {
            guard reading.passes(.publish) else { throw error }
            return unread(header, gathered, error)
        }
    }

    private mutating func unread(_ header: FixedHeader, _ gathered: Int, _ error: MQTTError?) -> Element {
        let rest = header.packetLength - gathered
        state = .payload(remaining: rest)
        return .unreadBegin(UnreadPublish(start: input.take(gathered), restLength: rest, error: error))
    }

    private mutating func readHead(
        _ header: FixedHeader, _ gathered: inout Int
    ) throws(MQTTError) -> StreamedPublish? {
        // Only CONNECT passes without a version, so there is one.
        guard let version else {
            throw MQTTError(.malformed, .firstPacket, .v5_0, "the first packet is PUBLISH, not CONNECT")
        }
        let length: Int
        switch try PublishHeadLength.find(input.front, gathered, header, version) {
        case .atLeast(let bytes):
            try checkHeadLength(bytes, header, version)
            state = .head(header, looksAt: bytes)
            return nil
        case .known(let bytes):
            try checkHeadLength(bytes, header, version)
            length = bytes
        }
        guard input.gather(length) else {
            state = .head(header, looksAt: length)
            return nil
        }
        gathered = length
        let front = input.front
        var reader = PacketReader(
            front.getSlice(at: front.readerIndex + header.length, length: length - header.length) ?? ByteBuffer(),
            type: .publish, version: version, isLenient: reading.passes(.publish))
        let publish = try PublishHead.decode(flags: header.flags, from: &reader)
        try reader.finish()
        let head = input.take(length)
        let payloadLength = header.packetLength - length
        state = .payload(remaining: payloadLength)
        return StreamedPublish(head: head, flags: header.flags, publish: publish, payloadLength: payloadLength)
    }

    private func checkHeadLength(_ length: Int, _ header: FixedHeader, _ version: MQTTVersion) throws(MQTTError) {
        guard length <= header.packetLength else {
            throw MQTTError(.malformed, .section(of: .publish), version, "PUBLISH: ends before its head does")
        }
        try checkLimit(length, maximumBufferedSize, .publish, "the head")
    }

    private mutating func takePayload(_ remaining: Int) -> Element? {
        let piece = input.takeReceived(atMost: remaining)
        guard piece.readableBytes > 0 || remaining == 0 else { return nil }
        let left = remaining - piece.readableBytes
        state = left == 0 ? .fixedHeader(looksAt: 1) : .payload(remaining: left)
        return .payload(piece, isLast: left == 0)
    }

    private func checkLimit(_ length: Int, _ limit: Int, _ type: PacketType, _ what: String) throws(MQTTError) {
        guard length <= limit else {
            throw MQTTError(
                .packetTooLarge, .maximumPacketSize, version ?? .v5_0,
                "\(type): \(what) is \(length) bytes long, and the limit is \(limit)")
        }
    }
}
