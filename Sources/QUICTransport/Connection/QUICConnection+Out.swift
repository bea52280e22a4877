import CNGTCP2
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A piece of memory that ngtcp2 reads from, in C's layout.
typealias Slice = bq_slice

extension Slice {
    init(base: UnsafePointer<UInt8>, length: Int) {
        self.init()
        self.base = base
        self.length = length
    }
}

extension QUICConnection {
    /// What one datagram can hold of a stream is in at most so many buffers.
    private static let slicesPerFrame = 16

    /// The next datagram to be sent, or nil when there is none now.
    package func nextDatagram(at now: NIODeadline) -> QUICDatagram? {
        switch phase {
        case .open:
            break
        case .closing(var closing):
            guard closing.isDue else { return nil }
            closing.isDue = false
            phase = .closing(closing)
            return counted(
                QUICDatagram(
                    bytes: closing.packet, local: localAddress, remote: closing.remote, ecn: .transportNotCapable))
        case .draining, .closed:
            return nil
        }
        if burst >= max(bq_conn_send_quantum(conn), 16_384) {
            endBurst(at: now)
            resumeAt = now + .milliseconds(1)
            return nil
        }
        guard let datagram = writeDatagram(at: now) else {
            endBurst(at: now)
            // Something is left, and the window allows it: then ngtcp2 spaces its packets, and does not say until when.
            if isOpen, !sendable.isEmpty, bq_conn_window_left(conn) > 0 { resumeAt = now + .milliseconds(1) }
            return phaseIsClosing ? nextDatagram(at: now) : nil
        }
        burst += datagram.bytes.readableBytes
        hasWrittenInBurst = true
        return counted(datagram)
    }

    private var phaseIsClosing: Bool {
        if case .closing(let closing) = phase { closing.isDue } else { false }
    }

    private func endBurst(at now: NIODeadline) {
        burst = 0
        guard hasWrittenInBurst else { return }
        hasWrittenInBurst = false
        if isOpen { bq_conn_burst_written(conn, now.uptimeNanoseconds) }
    }

    private func counted(_ datagram: QUICDatagram) -> QUICDatagram {
        counters.datagramsSent += 1
        counters.bytesSent += UInt64(datagram.bytes.readableBytes)
        return datagram
    }

    private func writeDatagram(at now: NIODeadline) -> QUICDatagram? {
        var written = bq_written()
        var status = BQ_OK
        let size = max(configuration.maximumDatagramSize, 1_200)
        var bytes = ByteBufferAllocator().buffer(capacity: size)
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { memory in
            status = fill(
                UnsafeMutableBufferPointer(rebasing: memory.bindMemory(to: UInt8.self)[..<size]), &written, now)
            return written.length
        }
        settle(status, at: now)
        guard written.length > 0, isOpen else { return nil }
        return QUICDatagram(
            bytes: bytes, local: localAddress, remote: remote(of: written), ecn: .init(codepoint: written.ecn))
    }

    /// Packs frames of the streams, each in its turn, until the datagram is full or nothing is left.
    private func fill(
        _ memory: UnsafeMutableBufferPointer<UInt8>, _ written: inout bq_written, _ now: NIODeadline
    ) -> bq_status {
        var tried = 0
        while tried < 64, let id = sendable.popFirst() {
            tried += 1
            streams[id]?.isSendable = false
            guard let stream = streams[id], !stream.isSendingOver, stream.queue.hasSomethingToSend else { continue }
            let status = write(stream.queue, of: id, memory, &written, now)
            switch status {
            case BQ_WRITE_MORE, BQ_OK:
                let isDatagramDone = status == BQ_OK
                enqueue(id)
                if isDatagramDone { return BQ_OK }
            case BQ_STREAM_BLOCKED:
                streams[id]?.isBlocked = true
                if bq_conn_is_blocked(conn) != 0 { blocked.insert(id) }
            case BQ_STREAM_GONE:
                streams[id]?.isSendingOver = true
            default:
                return status
            }
        }
        return bq_conn_write(
            conn, memory.baseAddress, memory.count, -1, 0, nil, 0, 0, &written, now.uptimeNanoseconds)
    }

    private func write(
        _ queue: SendQueue, of id: QUICStreamID, _ memory: UnsafeMutableBufferPointer<UInt8>,
        _ written: inout bq_written, _ now: NIODeadline
    ) -> bq_status {
        withUnsafeTemporaryAllocation(of: Slice.self, capacity: Self.slicesPerFrame) { slices in
            let filled = queue.fill(slices, atMost: memory.count)
            let isEnd = queue.end == .queued && filled.bytes == queue.unsent
            let status = bq_conn_write(
                conn, memory.baseAddress, memory.count, id.rawValue, isEnd ? 1 : 0, slices.baseAddress, filled.slices,
                1, &written, now.uptimeNanoseconds)
            if written.consumed >= 0, status == BQ_OK || status == BQ_WRITE_MORE {
                streams[id]?.queue.sent(Int(written.consumed))
                if isEnd, Int(written.consumed) == filled.bytes { streams[id]?.queue.end = .sent }
            }
            return status
        }
    }

    private func remote(of written: bq_written) -> SocketAddress {
        var storage = written.remote
        let address = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                remoteAddress.withSockAddr { known, length in
                    // Nearly always the address there is: no need for a new object.
                    memcmp(known, raw, Int(length)) == 0 ? remoteAddress : SocketAddress(raw: raw)
                }
            }
        }
        return address ?? remoteAddress
    }
}
