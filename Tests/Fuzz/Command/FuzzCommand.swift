import Foundation
import FuzzTargets

/// The command line does not make sense.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// What the command line asks for.
enum FuzzCommand {
    /// A line for each target: its name and what must hold.
    case list
    /// libFuzzer's options for the target; the folder gets its dictionary.
    case options(any FuzzTarget.Type, folder: String)
    /// Writes the target's seeds into the folder.
    case seeds(any FuzzTarget.Type, folder: String)
    /// Works through files as they are.
    case replay(any FuzzTarget.Type, files: [String])
    /// Runs libFuzzer with its own arguments.
    case run(any FuzzTarget.Type, arguments: [String])

    private static let usage =
        "expected one of: list; options TARGET FOLDER; seeds TARGET FOLDER; replay TARGET FILE...; run TARGET ARGUMENT..."

    init(arguments: [String]) throws {
        guard let verb = arguments.first, verb != "list" else {
            guard arguments == ["list"] else { throw UsageError(description: Self.usage) }
            self = .list
            return
        }
        guard arguments.count >= 2 else { throw UsageError(description: Self.usage) }
        guard let target = allFuzzTargets.first(where: { $0.name == arguments[1] }) else {
            let names = allFuzzTargets.map { $0.name }.joined(separator: ", ")
            throw UsageError(description: "there is no fuzz target \(arguments[1]); the targets are \(names)")
        }
        let rest = Array(arguments.dropFirst(2))
        switch (verb, rest.count) {
        case ("options", 1): self = .options(target, folder: rest[0])
        case ("seeds", 1): self = .seeds(target, folder: rest[0])
        case ("replay", 1...): self = .replay(target, files: rest)
        case ("run", _): self = .run(target, arguments: rest)
        default: throw UsageError(description: Self.usage)
        }
    }

    func run() throws {
        switch self {
        case .list:
            for target in allFuzzTargets {
                print(target.name.padding(toLength: 20, withPad: " ", startingAt: 0) + target.summary)
            }
        case .options(let target, let folder):
            print("-max_len=\(target.maximumLength)")
            guard !target.words.isEmpty else { return }
            let dictionary = URL(filePath: folder).appending(path: "\(target.name).dict")
            try Data(target.words.map(Self.dictionaryLine).joined().utf8).write(to: dictionary)
            print("-dict=\(dictionary.path)")
        case .seeds(let target, let folder):
            for (index, seed) in target.seeds.enumerated() {
                try Data(seed).write(to: URL(filePath: folder).appending(path: "seed-\(index)"))
            }
        case .replay(let target, let files):
            for file in files {
                do {
                    try target.run([UInt8](Data(contentsOf: URL(filePath: file))))
                } catch let failure as FuzzFailure {
                    throw FuzzFailure("\(file): \(failure)")
                }
            }
        case .run(let target, let arguments):
            try LibFuzzer.run(target, arguments: arguments)
        }
    }

    private static func dictionaryLine(_ word: [UInt8]) -> String {
        "\"" + word.map { "\\x" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\"\n"
    }
}
