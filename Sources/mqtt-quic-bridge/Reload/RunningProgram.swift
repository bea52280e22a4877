import ArgumentParser
import BridgeAdmin
import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The program that runs with this configuration, as its admin endpoint shows it.
struct RunningProgram {
    private let admin: AdminConfiguration

    init(_ admin: AdminConfiguration) {
        self.admin = admin
    }

    /// Has it read again the files that it was started with.
    ///
    /// Throws ``ExitCode/failure`` if it cannot be asked; standard error says why.
    ///
    /// - Parameters:
    ///   - isDryRun: Whether it only says what would change.
    ///   - isAllOrNothing: Whether nothing is changed if something needs a restart.
    func reload(isDryRun: Bool, isAllOrNothing: Bool) async throws -> ReloadReport {
        do {
            let answer = try await client().send(
                "POST", "/api/reload?dry_run=\(isDryRun)&all_or_nothing=\(isAllOrNothing)")
            if let report = try? decoder.decode(ReloadReport.self, from: Data(answer.body.utf8)) { return report }
            throw AdminClientError(
                answer.status == 401
                    ? "the program asks for another token than the one in admin.token_file"
                    : "the program answers \(answer.status): \(answer.body.prefix(500))")
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
    }

    private func client() throws -> AdminClient {
        guard let address = admin.listen else {
            throw AdminClientError("there is no admin endpoint to ask, as admin.listen is off")
        }
        guard address.port != 0 else {
            throw AdminClientError("admin.listen has port 0, so nobody but the program knows where it listens")
        }
        return AdminClient(
            AdminURL(host: HealthProbe.target(of: address), port: address.port),
            token: try admin.tokenFile.map(AdminClient.token(in:)), timeout: Self.patience)
    }

    /// A reload reads files, and may wait for one before it: who gives up too early takes it for failed.
    private static let patience = Duration.seconds(60)

    private var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}
