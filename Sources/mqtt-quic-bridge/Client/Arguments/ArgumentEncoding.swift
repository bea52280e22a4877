/// Whether the arguments of the process are UTF-8. Swift replaces what is not by U+FFFD, which would publish another
/// message, subscribe to another topic or show the broker another password than the one that was given.
enum ArgumentEncoding {
    /// The arguments of this process, without the program's name, as the system passes them.
    static var ofProcess: [[UInt8]] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map { start in
                var end = start
                while end.pointee != 0 { end += 1 }
                return UnsafeBufferPointer(start: start, count: end - start).map(UInt8.init(bitPattern:))
            }
        }
    }

    /// What is wrong, or `nil`. The argument is not quoted, because it may be a password.
    static func problem(with arguments: [[UInt8]]) -> String? {
        guard let index = arguments.firstIndex(where: { String(validating: $0, as: UTF8.self) == nil }) else {
            return nil
        }
        let isMessage =
            index > 0 && ["-m", "--message"].contains(String(decoding: arguments[index - 1], as: UTF8.self))
        let place = isMessage ? "-m: the message" : "argument \(index + 1)"
        return "\(place) is not UTF-8 text" + (isMessage ? "; -f (a file) and -s (standard input) take any bytes" : "")
    }
}
