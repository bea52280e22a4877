import ArgumentParser
import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What `pub`, `sub` and `bench` do before they connect.
enum ToolSetup {
    /// Reads everything that says how to connect.
    ///
    /// - Throws: ``ToolExit/usage``, after it has printed what is wrong.
    static func connection(
        _ broker: BrokerOptions, _ trust: TrustOptions, _ will: WillOptions
    ) throws(ExitCode) -> ConnectionPlan {
        do {
            let sources = try ConnectionSources.read(
                broker, trust, environment: ProcessInfo.processInfo.environment)
            let plan = try ConnectionPlan(broker, trust, will, sources, makeID: clientID)
            let console = ToolConsole(isQuiet: broker.quiet)
            for warning in sources.warnings { console.warning(warning) }
            for note in plan.notes { console.say("Note: \(note)") }
            return plan
        } catch {
            throw refusal(error)
        }
    }

    /// Prints the error.
    static func refusal(_ error: UsageError) -> ExitCode {
        StandardError.write("Error: \(error)\n")
        return ToolExit.usage
    }

    private static func clientID(_ prefix: String?) -> String {
        prefix.map { "\($0)\(ProcessInfo.processInfo.processIdentifier)" } ?? ClientIDMaker.make()
    }
}
