/// Prepares the arguments of `pub`, `sub` and `bench` for ArgumentParser.
///
/// `-D command identifier value` and `-D command user-property name value` have three or four words, which no option of
/// ArgumentParser can have, so they become one argument. Its separator is U+0000, which no argument of a process contains.
enum ToolArguments {
    static let separator: Character = "\0"

    private static let propertyOptions: Set<String> = ["-D", "--property"]

    /// The options that take one word, whatever it looks like. A test compares this list with the commands' own.
    static let optionsWithValue: Set<String> = [
        "-h", "--host", "-p", "--port", "-L", "--url", "-u", "--username", "-P", "--pw", "--username-file", "--pw-file",
        "-i", "--id", "-I", "--id-prefix", "-k", "--keepalive", "-V", "--protocol-version", "-x", "-M", "-q", "--qos",
        "-t", "--topic", "--cafile", "--ca", "--cert", "--key", "--server-name", "--tls-alpn", "--tls-version",
        "--fallback-port", "--config", "--env-file", "--will-topic", "--will-payload", "--will-qos", "-m", "--message",
        "-f", "--file", "--repeat", "--repeat-delay", "-C", "-F", "-T", "--filter-out", "-U", "--unsubscribe", "-W",
        "--random-filter", "-A", "--capath", "--ciphers", "--keyform", "--tls-engine", "--tls-engine-kpass-sha1",
        "--psk", "--psk-identity", "--proxy", "--unix", "--devices", "--rate", "--duration", "--size", "--connect-rate",
        "--subscribers",
    ]

    /// Whether the arguments are for `pub`, `sub` or `bench`.
    static func isTool(_ arguments: [String]) -> Bool {
        arguments.first.map { ["pub", "sub", "bench"].contains($0) } ?? false
    }

    /// - Parameter arguments: Without the program's name. Arguments of other commands stay as they are.
    static func folded(_ arguments: [String]) -> [String] {
        guard let command = arguments.first, isTool(arguments) else { return arguments }
        var result = [command]
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            result.append(word)
            if propertyOptions.contains(word) {
                let isPair = rest.dropFirst().first?.lowercased() == ToolProperty.Name.userProperty.rawValue
                let words = rest.prefix(isPair ? 4 : 3)
                rest = rest.dropFirst(words.count)
                if !words.isEmpty { result.append(words.joined(separator: String(separator))) }
            } else if optionsWithValue.contains(word), let value = rest.popFirst() {
                result.append(value)
            }
        }
        return result
    }
}
