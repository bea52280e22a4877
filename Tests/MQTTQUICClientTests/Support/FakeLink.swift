import MQTTCodec
import NIOCore

@testable import MQTTQUICClient

/// A link whose other end is the test. Confined to its event loop.
final class FakeLink: BrokerLink {
    private let report: (FakeEvent) -> Void
    private let observer: any BrokerLinkObserver
    private let eventLoop: any EventLoop
    private let version: MQTTCodec.MQTTVersion
    private var isOver = false
    private var openedStreams = 0
    private(set) var facts: LinkFacts?
    /// How many data streams may be opened.
    var allowedStreams = 0
    /// Bytes that do not get away.
    var stuck = 0
    private(set) var credit = 0

    init(
        _ observer: any BrokerLinkObserver, on eventLoop: any EventLoop, version: MQTTCodec.MQTTVersion,
        report: @escaping (FakeEvent) -> Void
    ) {
        self.observer = observer
        self.eventLoop = eventLoop
        self.version = version
        self.report = report
    }

    func write(_ bytes: ByteBuffer, on stream: LinkStream) {
        for packet in (try? packets(bytes, version: version)) ?? [] { report(.packet(packet, on: stream)) }
    }

    func backlog(of stream: LinkStream) -> Int { stuck }

    func consumed(_ bytes: Int, on stream: LinkStream) {
        credit += bytes
    }

    func openDataStream() -> LinkStream? {
        guard openedStreams < allowedStreams else { return nil }
        openedStreams += 1
        return .data(openedStreams)
    }

    func finish() {
        report(.finished)
        end(.finished)
    }

    func abort() {
        report(.aborted)
        end(.finished)
    }

    private func end(_ end: LinkEnd) {
        guard !isOver else { return }
        isOver = true
        eventLoop.assumeIsolated().execute { [self] in observer.linkEnded(self, end) }
    }

    // MARK: - The test's end

    func open() {
        let facts = LinkFacts(transport: .quic, remoteAddress: "192.0.2.1:14567", isResumed: false)
        self.facts = facts
        observer.linkOpened(self, facts)
    }

    func receive(_ packet: Packet, on stream: LinkStream) {
        guard !isOver, let bytes = try? packet.encode(version: version) else { return }
        observer.link(self, received: bytes, on: stream)
    }

    func lose(_ error: MQTTClientError, isRetryUseful: Bool) {
        guard !isOver else { return }
        isOver = true
        observer.linkEnded(self, .lost(error, isRetryUseful: isRetryUseful))
    }

    func unblock() {
        stuck = 0
        observer.linkWritable(self, on: .control)
    }
}

enum FakeEvent: Sendable, Equatable {
    case dialed(Connect)
    case packet(Packet, on: LinkStream)
    case finished
    case aborted
    case released
}

final class FakeDialer: BrokerLinkDialer {
    private let eventLoop: any EventLoop
    private let version: MQTTCodec.MQTTVersion
    private let report: (FakeEvent) -> Void
    private(set) var link: FakeLink?

    init(on eventLoop: any EventLoop, version: MQTTCodec.MQTTVersion, report: @escaping (FakeEvent) -> Void) {
        self.eventLoop = eventLoop
        self.version = version
        self.report = report
    }

    func dial(connect: ByteBuffer, observer: any BrokerLinkObserver) -> any BrokerLink {
        let link = FakeLink(observer, on: eventLoop, version: version, report: report)
        self.link = link
        if case .connect(let connect)? = try? packets(connect, version: version).first { report(.dialed(connect)) }
        return link
    }

    func release() { report(.released) }
}
