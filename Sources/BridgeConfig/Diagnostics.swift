/// Collects errors and warnings while a configuration is read, so that the operator sees all of them at once. Each is one
/// line, whatever a value has in it that its message quotes.
final class Diagnostics {
    private(set) var errors: [ConfigurationError] = []
    private(set) var warnings: [String] = []
    /// The lines of `errors`. A file may have a hundred thousand.
    private var lines: Set<String> = []

    func error(_ origin: Origin, _ key: String? = nil, _ message: String) {
        let error = ConfigurationError(origin: origin, key: key, message: TextValue.printable(message))
        guard lines.insert(error.description).inserted else { return }
        errors.append(error)
    }

    func warning(_ origin: Origin, _ key: String? = nil, _ message: String) {
        warning(ConfigurationError(origin: origin, key: key, message: message).description)
    }

    /// Adds a warning whose text names its place itself.
    func warning(_ text: String) {
        warnings.append(TextValue.printable(text))
    }

    func throwIfAny() throws(ConfigurationErrors) {
        if !errors.isEmpty { throw ConfigurationErrors(errors) }
    }
}
