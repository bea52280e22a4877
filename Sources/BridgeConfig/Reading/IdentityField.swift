import BridgeCore

/// The keys of an identity: under `auth`, in each item of `auth.overrides`, and under `uplink.identity`.
enum IdentityField: String, CaseIterable {
    case clientID = "client_id"
    case username
    case usernameFile = "username_file"
    case password
    case passwordFile = "password_file"
}

extension ConfigurationReader {
    /// - Parameter allowsVariables: Whether client id and user name may contain variables such as `${clientid}`.
    func identity(
        _ fields: [IdentityField: Setting], _ path: String, allowsVariables: Bool = true
    ) -> AuthConfiguration.IdentityTemplate {
        AuthConfiguration.IdentityTemplate(
            clientID: fields[.clientID].flatMap { name($0, "\(path).client_id", allowsVariables) },
            username: username(fields, path, allowsVariables),
            password: password(fields, path))
    }

    private func username(
        _ fields: [IdentityField: Setting], _ path: String, _ allowsVariables: Bool
    ) -> String? {
        switch chosen(fields, .username, .usernameFile, path) {
        case .value(let setting):
            return name(setting, "\(path).username", allowsVariables)
        case .file(let setting):
            let path = "\(path).username_file"
            guard let (content, file, _) = content(of: setting, path) else { return nil }
            var read = setting
            read.text = content
            return name(read, path, allowsVariables, in: file)
        case nil:
            return nil
        }
    }

    private func password(_ fields: [IdentityField: Setting], _ path: String) -> Secret? {
        switch chosen(fields, .password, .passwordFile, path) {
        case .value(let setting): secret(setting.text, setting.origin, "\(path).password").map { Secret($0) }
        case .file(let setting): passwordFile(setting, "\(path).password_file").map { Secret($0) }
        case nil: nil
        }
    }

    private enum Chosen {
        case value(Setting)
        case file(Setting)
    }

    /// Chooses between a value and a file that contains it: the higher layer wins, and both in one layer are an error.
    private func chosen(
        _ fields: [IdentityField: Setting], _ value: IdentityField, _ file: IdentityField, _ path: String
    ) -> Chosen? {
        switch (fields[value], fields[file]) {
        case (nil, nil): return nil
        case (let setting?, nil): return .value(setting)
        case (nil, let setting?): return .file(setting)
        case (let inline?, let named?):
            if inline.layer == named.layer {
                let message = "\(value.rawValue) and \(file.rawValue) are both given; keep one"
                diagnostics.error(named.origin, "\(path).\(file.rawValue)", message)
            }
            return inline.layer >= named.layer ? .value(inline) : .file(named)
        }
    }

    /// A client id or user name. Placeholders are errors, and so are variables if there is no device to give them a value.
    ///
    /// - Parameter file: The file that contains it, if it is not in the configuration.
    private func name(
        _ setting: Setting, _ path: String, _ allowsVariables: Bool, in file: String? = nil
    ) -> String? {
        guard let problem = problem(withName: setting.text, allowsVariables) else { return setting.text }
        diagnostics.error(setting.origin, path, Self.placed(problem, in: file))
        return nil
    }

    private func problem(withName text: String, _ allowsVariables: Bool) -> String? {
        if let problem = TextValue.problem(with: text) { return problem }
        if TextValue.isPlaceholder(text) { return "\(values.quoted(text)) is a placeholder; put the real value there" }
        if allowsVariables { return Variables.problem(in: text) }
        return text.contains("${") ? "contains a variable, but no device gives it a value here" : nil
    }

    /// The secret; reports a text that cannot be one, without quoting it, and returns `nil`.
    ///
    /// - Parameter file: The file that contains it, if it is not in the configuration.
    private func secret(_ text: String, _ origin: Origin, _ path: String, in file: String? = nil) -> String? {
        let problem =
            TextValue.isPlaceholder(text)
            ? "is still the placeholder in angle brackets; put the real password there" : TextValue.problem(with: text)
        guard let problem else { return text }
        diagnostics.error(origin, path, Self.placed(problem, in: file))
        return nil
    }

    private static func placed(_ problem: String, in file: String?) -> String {
        file.map { "\($0): \(problem)" } ?? problem
    }

    private func passwordFile(_ setting: Setting, _ path: String) -> String? {
        guard let (content, file, isReadableByOthers) = content(of: setting, path) else { return nil }
        if isReadableByOthers {
            diagnostics.warning(setting.origin, path, "\(file) can be read by other users; chmod 600 it")
        }
        return secret(content, setting.origin, path, in: file)
    }

    /// The content of a file that has one line, without the line break at its end.
    func content(
        of setting: Setting, _ path: String
    ) -> (content: String, file: String, isReadableByOthers: Bool)? {
        guard let file = values.path(setting, path) else { return nil }
        do {
            var (text, isReadableByOthers) = try FileText.readText(file)
            if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
            return (text, file, isReadableByOthers)
        } catch {
            diagnostics.error(setting.origin, path, "\(file): \(error.message)")
            return nil
        }
    }
}
