import CNGTCP2
import NIOCore

extension QUICConnection {
    /// The next datagram to be sent. `nil` if there is nothing to send, if the congestion window is full, or if pacing
    /// allows the next datagram only later; `deadline` covers that.
    package func nextDatagram(at now: NIODeadline) -> QUICDatagram? {
        withScratch(of: configuration.datagramCapacity) { space in
            let length = nextDatagram(into: space, at: now)
            guard length > 0 else { return nil }
            return QUICDatagram(
                bytes: ByteBuffer(bytes: space.prefix(length)), local: localAddress, remote: remoteAddress,
                ecn: NIOExplicitCongestionNotificationState(bits: writtenECN))
        }
    }

    /// The same, but it is written into `space`, which takes `QUICConfiguration.datagramCapacity` bytes. `localAddress`
    /// and `remoteAddress` are its path then, and so is `datagramPath`.
    /// - Returns: The length in bytes; 0 if there is none.
    func nextDatagram(into space: UnsafeMutableRawBufferPointer, at now: NIODeadline) -> Int {
        guard isOpen else { return take(closing.takeDatagram(), into: space) }
        if let copy = repetition.copy {
            repetition.copy = nil
            return take(copy, into: space)
        }
        return pendingHurry.isUnderWay ? hurriedDatagram(into: space, at: now) : ordinaryDatagram(into: space, at: now)
    }

    /// The path of the last datagram, valid until the next one.
    var datagramPath: bridge_quic_path { bridge_quic_written_path(handle) }

    /// The next datagram, without regard to a hurry.
    func ordinaryDatagram(into space: UnsafeMutableRawBufferPointer, at now: NIODeadline) -> Int {
        let limit = min(datagramSize.limit(of: configuration.datagramCapacity, at: now), space.count)
        let space = UnsafeMutableRawBufferPointer(rebasing: space.prefix(limit))
        let written = writePacket(into: space, at: now.nanoseconds)
        settle(written.status, operation: "writing a datagram", at: now)
        guard written.length > 0 else {
            bridge_quic_burst_over(handle, streams.hasQueued, now.nanoseconds)
            // An error just now may have left a CONNECTION_CLOSE behind.
            return isOpen ? 0 : take(closing.takeDatagram(), into: space)
        }
        if written.awaits_answer {
            activity.sent(at: now)
            pendingHurry.end()
            datagramSize.sent(written.length)
        }
        notePath(written)
        hasWrittenProbe = written.is_probe
        if written.is_probe { counters.sizeProbesSent += 1 }
        if written.stream_bytes > 0, isWorthRepeating(written, at: now) {
            let copy = ByteBuffer(bytes: space.prefix(written.length))
            repetition.copy = copy
        }
        return count(written.length)
    }

    /// Takes a datagram that was written before.
    private func take(_ datagram: ByteBuffer?, into space: UnsafeMutableRawBufferPointer) -> Int {
        guard let datagram, datagram.readableBytes <= space.count else { return 0 }
        hasWrittenProbe = false
        datagram.withUnsafeReadableBytes { space.copyMemory(from: $0) }
        return count(datagram.readableBytes)
    }

    /// Calls `body` with room for a packet, which a connection that has nothing to send does not keep.
    private func withScratch<Result>(of size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        guard size > Int(BRIDGE_QUIC_SCRATCH_CAPACITY) else {
            return body(UnsafeMutableRawBufferPointer(start: bridge_quic_scratch(), count: size))
        }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 16, body)
    }

    /// How many frames a stream gets in a packet before others get theirs.
    private static let framesPerTurn = 5

    /// Fills one packet from the streams in turn, and completes it with whatever else ngtcp2 has to send.
    private func writePacket(into space: UnsafeMutableRawBufferPointer, at now: UInt64) -> bridge_quic_written {
        var (writer, frames) = (SendStream?.none, 0)
        while let stream = streams.popNext() {
            let written = write(stream, into: space, at: now)
            switch written.status {
            case .ok:
                // The packet is finished, or nothing fits now. A stream that had no part in it keeps its place, unless
                // the connection's credit is used up: then it would keep others from ending, which needs no credit.
                if written.accepted < 0, stream.hasUnsentBytes, bridge_quic_is_out_of_credit(handle) {
                    streams.starve(stream)
                    if written.length == 0 { continue }
                } else if written.accepted < 0 {
                    streams.returnToFront(stream)
                } else {
                    streams.enqueue(stream)
                }
                return written
            case .writeMore:
                // A stream of small pieces must not fall behind one that fills the rest of each packet.
                (writer, frames) = (stream, stream === writer ? frames + 1 : 1)
                if frames < Self.framesPerTurn, stream.hasUnsentBytes {
                    streams.returnToFront(stream)
                } else {
                    streams.enqueue(stream)
                }
            case .streamBlocked:
                // `streamCredit` queues the stream again when the peer grants credit.
                break
            case .streamShut:
                stopped(stream)
            case .streamUnknown:
                stream.shut()
            default:
                return written
            }
        }
        return bridge_quic_write(handle, space.bytes, space.count, -1, false, false, nil, 0, now)
    }

    private func write(
        _ stream: SendStream, into space: UnsafeMutableRawBufferPointer, at now: UInt64
    ) -> bridge_quic_written {
        withUnsafeTemporaryAllocation(of: bridge_quic_slice.self, capacity: Int(BRIDGE_QUIC_MAX_SLICES)) { slices in
            let next = stream.next(into: slices, limit: space.count)
            let written = bridge_quic_write(
                handle, space.bytes, space.count, stream.id.rawValue, next.fin,
                // Until then a packet may belong to the handshake, and must not be kept open.
                isHandshakeCompleted, slices.baseAddress, next.count, now)
            if written.accepted >= 0 {
                let accepted = Int(written.accepted)
                stream.sent(accepted, fin: next.fin && accepted == next.bytes)
            }
            return written
        }
    }

    private func isWorthRepeating(_ written: bridge_quic_written, at now: NIODeadline) -> Bool {
        let rule = configuration.sendTwice
        guard Repetition.isCandidate(written, rule), remoteAddress == repetition.validated else { return false }
        return repetition.repeats(written, rule, at: now)
    }

    private func notePath(_ written: bridge_quic_written) {
        writtenECN = written.ecn
        guard written.path_changed else { return }
        let (local, remote) = (SocketAddress(datagramPath.local), SocketAddress(datagramPath.remote))
        if let local, let remote { path = (local, remote) }
    }

    private func count(_ length: Int) -> Int {
        counters.datagramsSent += 1
        counters.bytesSent += UInt64(length)
        return length
    }

    /// Writes a CONNECTION_CLOSE. `nil` if none can be sent, for example before the first packet.
    func closeDatagram(
        _ kind: bridge_quic_close_kind, code: UInt64, reason: String, at now: NIODeadline
    ) -> ByteBuffer? {
        var buffer = ByteBufferAllocator().buffer(capacity: DatagramSize.base)
        var written = bridge_quic_written()
        // The reason leaves room for the frame in the smallest datagram.
        let reason = Array(reason.utf8.prefix(512))
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: DatagramSize.base) { space in
            let space = UnsafeMutableRawBufferPointer(rebasing: space.prefix(DatagramSize.base))
            written = bridge_quic_write_close(
                handle, kind, min(code, 1 << 62 - 1), reason, reason.count, space.bytes, space.count, now.nanoseconds)
            return written.length
        }
        guard written.length > 0 else { return nil }
        notePath(written)
        return buffer
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate var bytes: UnsafeMutablePointer<UInt8>? {
        bindMemory(to: UInt8.self).baseAddress
    }
}
