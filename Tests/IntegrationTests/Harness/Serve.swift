import Foundation

/// The program's own `serve`, running.
struct Serve: Sendable {
    /// UDP port of its first listener.
    let port: Int
    let process: ChildProcess

    struct Options: Sendable {
        var host = "127.0.0.1"
        var port = 0
        /// Of certificates.py.
        var certificate = "server"
        var clientCA: String?
        var retry = "auto"
        /// Further lines of the section `serve`.
        var lines: [String] = []
        var threads = 2
    }

    /// Runs it in front of this broker and waits until it listens.
    static func start(in folder: Folder, broker: Int, _ options: Options = Options()) async throws -> Serve {
        let file = try folder.write("serve-\(UUID().uuidString).yaml", try await configuration(broker, options))
        let process = try await ChildProcess.start("serve", Toolbox.bridge(), ["serve", "--config", file])
        do {
            let line = try await process.errors.first("serve to listen") {
                $0.contains("listening") && $0.contains("address=")
            }
            let address = line.split(separator: " ").first { $0.hasPrefix("address=") }
            guard let port = address?.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw HarnessError("no port in: \(line)")
            }
            return Serve(port: port, process: process)
        } catch {
            await process.stop()
            throw HarnessError(
                "serve did not start: \(error)", await process.errors.all.joined(separator: "\n"))
        }
    }

    private static func configuration(_ broker: Int, _ options: Options) async throws -> String {
        let certificates = try await Certificates.make()
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        let lines =
            [
                "listen: [\"\(host):\(options.port)\"]", "certificate: \(certificates.certificate(options.certificate))",
                "key: \(certificates.key(options.certificate))", "broker_host: 127.0.0.1", "broker_port: \(broker)",
                "retry: \(options.retry)",
            ] + (options.clientCA.map { ["client_ca: \(certificates.certificate($0))"] } ?? []) + options.lines
        return """
            serve:
            \(lines.map { "  \($0)" }.joined(separator: "\n"))
            log: {level: debug, format: text}
            threads: \(options.threads)

            """
    }
}

extension Serve.Options {
    /// The same for `serve` as for a front.
    init(_ front: Front.Options) {
        host = front.host
        port = front.port
        certificate = front.certificate
        clientCA = front.clientCA
        retry = front.retry ? "always" : "auto"
    }
}
