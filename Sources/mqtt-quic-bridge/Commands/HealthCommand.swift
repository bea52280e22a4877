import ArgumentParser
import BridgeConfig
import BridgeCore

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Tells whether the program is ready, or alive, for container health checks.",
        discussion: """
            Asks /readyz of the admin endpoint whether a device that came now would reach the broker. If admin.listen is off, \
            or nothing answers at its default address, connects to the first address of `listen` instead. With --alive the \
            question is only whether the program works (/healthz), with or without the broker: a restart helps if it does \
            not. With --serve the question is for `serve`, which needs admin.listen for it. Exits with 0 if all is well, \
            with 1 if it is not.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Ask `serve` instead of `run`.")
    var serve = false

    @Flag(help: "Ask whether the program works, whether or not it reaches the broker.")
    var alive = false

    func run() async throws {
        guard let problem = await problem() else { return }
        StandardError.write("\(problem)\n")
        throw ExitCode.failure
    }

    private var question: HealthProbe.Question { alive ? .liveness : .readiness }

    /// What is the matter; `nil` if all is well.
    private func problem() async -> String? {
        if serve {
            guard let loaded = try? options.load(.serve) else { return "the configuration is not usable" }
            let admin = loaded.configuration.admin
            guard let address = admin.listen else {
                return "serve has no admin endpoint to ask: name an address in admin.listen"
            }
            switch await HealthProbe.ask(question, at: address, tokenFile: admin.tokenFile) {
            case .yes: return nil
            case .no(let problem), .silent(let problem): return problem
            }
        }
        guard let loaded = try? options.load(.run), let listener = loaded.configuration.listen.first else {
            return "the configuration is not usable"
        }
        let admin = loaded.configuration.admin
        if let address = admin.listen {
            switch await HealthProbe.ask(question, at: address, tokenFile: admin.tokenFile) {
            case .yes: return nil
            case .no(let problem): return problem
            case .silent(let problem) where admin.isListenGiven: return problem
            case .silent: break
            }
        }
        return await HealthProbe.problem(with: listener).map { "\(listener.name): \($0)" }
    }
}
