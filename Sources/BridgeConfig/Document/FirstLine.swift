/// A file that holds one value, such as a password, in its first line.
package struct FirstLine: Sendable, Equatable {
    package struct Problem: Error, Equatable, CustomStringConvertible {
        /// Why the file cannot be used; it does not quote the content.
        package var description: String
    }

    /// Without the line break.
    package var text: String
    package var isReadableByOthers: Bool

    /// What the owner of a secret should know about its file; `nil` if nobody else can read it.
    package func warning(at path: String) -> String? {
        isReadableByOthers ? "\(path) can be read by other users; chmod 600 it" : nil
    }

    /// - Throws: If the file cannot be read, is empty, or has more than one line.
    package static func read(_ path: String) throws(Problem) -> FirstLine {
        do {
            var (text, isReadableByOthers) = try FileText.readText(path)
            if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
            if text.isEmpty { throw Problem(description: "is empty") }
            if let problem = TextValue.problem(with: text) { throw Problem(description: problem) }
            return FirstLine(text: text, isReadableByOthers: isReadableByOthers)
        } catch let problem as FileText.Problem {
            throw Problem(description: problem.message)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(description: "\(error)")
        }
    }
}
