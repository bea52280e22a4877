import BenchmarkMicro

/// The command line of `bench-micro`.
struct Options {
    enum Command: String, CaseIterable {
        /// Measures, and prints a table.
        case run
        /// Reads the number of instructions from the files that Callgrind wrote during a `run`.
        case instructions
        /// Compares measured counts with their limits.
        case compare
        /// Counts allocations of which it is known how many they are.
        case selfCheck = "self-check"
    }

    static let usage = """
        bench-micro run [--only BEGINNING] [--divide N] [--credentials FOLDER] [--output FILE]
        bench-micro instructions --dumps BEGINNING [--only BEGINNING] [--divide N] --output FILE
        bench-micro compare --limits FILE [--measured FILE]... [--left-out BEGINNING-OR-END]... [--update --system TEXT]
        bench-micro self-check
        """

    var command: Command
    /// Only benchmarks whose name begins like that.
    var only = ""
    /// Divides the number of rounds.
    var divide = 1
    var output: String?
    /// A folder with `server.pem` and `server.key`, which signed itself and is for `localhost`. Without it, they are
    /// made, which needs another process, and valgrind has no room for one.
    var credentials: String?
    /// The beginning of the names of Callgrind's files, which end in `.1`, `.2` and so on.
    var dumps = ""
    var limits = ""
    var measured: [String] = []
    var leftOut: [String] = []
    var isUpdate = false
    /// What the limits that are written are said to hold for.
    var system = ""

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        guard let name = rest.popFirst(), let command = Command(rawValue: name) else {
            throw BenchmarkError(message: "usage:\n\(Self.usage)")
        }
        self.command = command
        while let option = rest.popFirst() {
            guard option != "--update" else {
                isUpdate = true
                continue
            }
            guard let value = rest.popFirst() else { throw BenchmarkError(message: "\(option) needs a value") }
            switch option {
            case "--only": only = value
            case "--divide":
                guard let number = Int(value), number > 0 else {
                    throw BenchmarkError(message: "--divide \(value): expected a number from 1 on")
                }
                divide = number
            case "--output": output = value
            case "--credentials": credentials = value
            case "--dumps": dumps = value
            case "--limits": limits = value
            case "--measured": measured.append(value)
            case "--left-out": leftOut.append(value)
            case "--system": system = value
            default: throw BenchmarkError(message: "\(option) is unknown; usage:\n\(Self.usage)")
            }
        }
    }
}
