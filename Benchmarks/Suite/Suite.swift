import Foundation

/// The comparison of all mappings with HAProxy: runs scenarios, prints a table for each condition, and writes JSON.
package struct Suite {
    /// What a call of the suite asks for.
    package struct Options: Sendable {
        package let selection: Selection
        /// The file for the JSON; `nil` for none.
        package let json: String?
        /// Whether tables are printed as Markdown.
        package let markdown: Bool
        /// The project's folder.
        package let root: String
        /// Whether everything runs on the loopback interface, even if there could be namespaces.
        package let loopback: Bool

        package init(selection: Selection, json: String?, markdown: Bool, root: String, loopback: Bool) {
            self.selection = selection
            self.json = json
            self.markdown = markdown
            self.root = root
            self.loopback = loopback
        }
    }

    /// Runs everything that is asked for. Ctrl-C and SIGTERM end it, and leave nothing behind.
    ///
    /// - Returns: whether all measurements succeeded.
    /// - Throws: `SuiteError` if nothing can be measured on this machine.
    package static func run(_ options: Options) throws -> Bool {
        CleanUp.shared.handleSignals()
        return try SuiteThread.run { try runHere(options) }
    }

    private static func runHere(_ options: Options) throws -> Bool {
        FileLimit.raise()
        let tools = try Tools(root: options.root)
        let folder = try TemporaryFolder.make()
        try Stage.makeCertificate(in: folder)
        let (network, whyLoopback) = try Network.make(tools, loopback: options.loopback, folder: folder)
        let setting = SuiteReport.Setting(network: network, versions: tools.versions(in: folder))
        var runner = Runner(
            selection: options.selection, network: network, whyLoopback: whyLoopback, tools: tools, folder: folder,
            report: SuiteReport(setting: setting), printer: Printer(markdown: options.markdown))
        return try runner.run(json: options.json)
    }
}
