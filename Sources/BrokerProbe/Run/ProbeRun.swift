import BridgeCore
import MQTTCodec
import NIOCore
import NIOPosix
import QUICTransport

/// Examines a broker step by step, as one client after another. It publishes and subscribes to nothing.
///
/// The steps are in `ProbeRun+Connection.swift`, `ProbeRun+Session.swift` and `ProbeRun+Extra.swift`, in their order.
/// All of it runs on one event loop.
package actor ProbeRun {
    /// Makes one TLS connection to the fallback, and returns how long that took. Throws why it could not be made.
    package typealias FallbackCheck = @Sendable (_ port: Int) async throws -> Duration

    /// How many of the host's addresses are tried.
    static let maximumAddresses = 8

    let eventLoop: any EventLoop
    private let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let options: ProbeOptions
    let serverName: String
    let tls: QUICTLSContext
    /// In seconds since 1970.
    let now: Int64
    private let checkFallback: FallbackCheck
    private let tell: @Sendable (ProbeStep) -> Void
    private var links: [ProbeLink] = []
    private var burst: ConnectionBurst?
    /// Whether nothing new is begun, because the probe ends.
    private(set) var isAbandoned = false
    var report: ProbeReport

    /// - Parameters:
    ///   - now: In seconds since 1970.
    ///   - checkFallback: Used if the options have a fallback port.
    ///   - tell: Called with each step when it has ended.
    /// - Throws: A ``ProbeFailure`` if a file cannot be used.
    package init(
        _ options: ProbeOptions, now: Int64, on eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
        checkFallback: @escaping FallbackCheck, tell: @escaping @Sendable (ProbeStep) -> Void
    ) throws(ProbeFailure) {
        do {
            tls = try .client(
                caFile: options.caFile, certificateFile: options.clientCertificateFile, keyFile: options.clientKeyFile)
        } catch {
            throw ProbeFailure(error)
        }
        self.eventLoop = eventLoop
        self.executor = eventLoop.executor
        self.options = options
        self.now = now
        self.checkFallback = checkFallback
        self.tell = tell
        serverName = CertificateName.of(options.serverName ?? options.host)
        report = ProbeReport(
            target: .init(host: options.host, port: options.port, serverName: serverName, caFile: options.caFile))
    }

    /// Examines the broker, and leaves nothing open. Call it once.
    package func run() async -> ProbeReport {
        do throws(ProbeFailure) {
            try await examine()
        } catch {
            fail(error)
        }
        await abandon()
        return report
    }

    /// Closes all connections, and waits until the broker has been told. `run()` then finds them closed.
    package func abandon() async {
        isAbandoned = true
        let futures = links.map { link in
            link.handle?.close()
            return link.endpoint.shutDown()
        }
        links = []
        let last = burst?.close()
        burst = nil
        for future in futures + [last].compactMap({ $0 }) { try? await future.get() }
    }

    private func examine() async throws(ProbeFailure) {
        let addresses: [SocketAddress]
        do throws(ProbeFailure) {
            addresses = try await resolve()
        } catch {
            end(.failed(.resolve, error))
            throw error
        }
        let first: Connected
        do throws(ProbeFailure) {
            first = try await connect(to: addresses)
        } catch {
            fail(error)
            // Then it matters most whether there is another way.
            if error.kind == .unreachable { await tryFallback() }
            throw error
        }
        var session = await openSession(on: first)
        if !options.isGentle {
            // A refused client's connection is about to close.
            if !session.isOpen, let another = await openAnother(like: session) { session = another }
            await findDatagramSize(session)
            await rebind(session)
        }
        await examineStreams(session)
        await examineTickets(after: first)
        await close(session)
        await makeBurst(to: first.address)
        await tryFallback()
    }

    private func tryFallback() async {
        guard !isAbandoned else { return }
        guard let port = options.fallbackPort else {
            return end(ProbeStep(.fallback, .skipped, "not asked for"))
        }
        var finding = FallbackFinding(port: port)
        do {
            finding.milliseconds = try await checkFallback(port).milliseconds
        } catch {
            finding.problem = "\(error)"
            if options.isFallbackRequired { fail(ProbeFailure(.fallback, "\(error)")) }
        }
        report.fallback = finding
        end(.fallback(finding, isRequired: options.isFallbackRequired))
    }

    // MARK: - What all steps use

    /// A step has ended.
    func end(_ step: ProbeStep) {
        report.steps.append(step)
        tell(step)
    }

    /// The first failure decides the exit code.
    func fail(_ failure: ProbeFailure) {
        if report.failure == nil { report.failure = failure }
    }

    func keep(_ link: ProbeLink) {
        links.append(link)
    }

    func keep(_ burst: ConnectionBurst?) {
        self.burst = burst
    }

    var patience: TimeAmount { TimeAmount(options.timeout) }

    /// What all connections of the probe have in common.
    var configuration: QUICConfiguration {
        var configuration = QUICConfiguration(alpn: options.alpn)
        configuration.handshakeTimeout = options.timeout
        configuration.keepsPeerCertificates = true
        return configuration
    }

    /// Waits on the link until `look` finds something, for as long as the options allow; `nil` if it does not.
    func wait<Value: Sendable>(
        on link: ProbeLink, _ limit: TimeAmount? = nil, for look: @escaping (ProbeLink) -> Value?
    ) async -> Value? {
        let future = link.wait(limit ?? patience, for: look)
        return (try? await future.get()) ?? nil
    }
}
