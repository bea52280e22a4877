/// What every test with real programs needs: its turn, a folder, and programs that end when the test does.
enum TestPrograms {
    /// Waits for the test's turn, runs it, and ends everything. If the test throws, its error contains the last output
    /// of each program.
    ///
    /// - Parameters:
    ///   - alone: Whether no other test may run meanwhile, because this one measures.
    ///   - body: Adds each program that it starts to the log of programs.
    static func run(
        alone: Bool = false, _ body: (Folder, EventLog<ChildProcess>) async throws -> Void
    ) async throws {
        await Gate.shared.enter(alone: alone)
        let programs = EventLog<ChildProcess>()
        var folder: Folder?
        var failure: (any Error)?
        do {
            let ownFolder = try Folder()
            folder = ownFolder
            try await body(ownFolder, programs)
        } catch {
            failure = HarnessError("\(error)", await lastWords(of: programs.all))
        }
        if Toolbox.showsLogs { print(await lastWords(of: programs.all, lines: .max)) }
        for program in await programs.all.reversed() { await program.stop() }
        folder?.remove()
        await Gate.shared.leave(alone: alone)
        if let failure { throw failure }
    }

    static func lastWords(of programs: [ChildProcess], lines count: Int = 40) async -> String {
        var text = ""
        for program in programs {
            let lines = await program.errors.all.suffix(count) + program.output.all.suffix(count)
            text += "--- \(program.name)\n\(lines.joined(separator: "\n"))\n"
        }
        return text
    }
}
