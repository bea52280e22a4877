import ArgumentParser
import BridgeAdmin
import BridgeConfig
import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what the running program does.",
        discussion: """
            Asks the admin endpoint that the configuration names, or the one of --url: whether the broker can be reached, by \
            which way and since when, devices by state, rates, certificates, and what went wrong lately. Exit codes: 0 if \
            it answers; 1 if it does not, or asks for another token; 78 if the configuration is not usable.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Show it again every two seconds, until Ctrl-C.")
    var watch = false

    @Flag(help: "Print JSON: the answers of /api/status, /api/history and /api/troubles in one object on one line.")
    var json = false

    @Option(help: ArgumentHelp("The admin endpoint, instead of that of the configuration.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("A file with the token, instead of that of the configuration.", valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Ask the endpoint of `serve` instead of that of `run`.")
    var serve = false

    private static let interval = Duration.seconds(2)

    func run() async throws {
        let client: AdminClient
        do {
            client = try makeClient()
        } catch let error as AdminTokenError {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        } catch let error as AdminClientError {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
        guard watch else { return try await show(client) }
        while true {
            // A program that is being restarted answers again a little later.
            try? await show(client)
            try await Task.sleep(for: Self.interval)
        }
    }

    private func show(_ client: AdminClient) async throws {
        let isScreen = watch && !json && isatty(STDOUT_FILENO) == 1
        // Home, and erase: what was there before goes.
        let start = isScreen ? "\u{1B}[H\u{1B}[2J" : ""
        do {
            let snapshot = try await client.snapshot()
            let text = StatusText(snapshot: snapshot, now: Date().timeIntervalSince1970).text
            print(start + (json ? snapshot.json + "\n" : text), terminator: watch && !json && !isScreen ? "\n" : "")
        } catch {
            print(start, terminator: "")
            fflush(nil)
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
        fflush(nil)
    }

    private func makeClient() throws -> AdminClient {
        if let url {
            return AdminClient(try AdminURL(url), token: try tokenFile.map(AdminClient.token(in:)))
        }
        let admin =
            serve ? try options.load(.serve).configuration.admin : try options.load(.run).configuration.admin
        guard let address = admin.listen else {
            throw AdminClientError(
                "there is no admin endpoint, as admin.listen is off\(serve ? ", the default of serve" : ""); name another "
                    + "one with --url")
        }
        guard address.port != 0 else {
            throw AdminClientError("admin.listen has port 0, so the system chose one: name the endpoint with --url")
        }
        let file = tokenFile ?? admin.tokenFile
        return AdminClient(
            AdminURL(host: HealthProbe.target(of: address), port: address.port),
            token: try file.map(AdminClient.token(in:)))
    }
}
