import BridgeCore

/// The keys of an identity, under `auth` and in each override.
enum IdentityField: String, CaseIterable {
    case clientID = "client_id"
    case username
    case usernameFile = "username_file"
    case password
    case passwordFile = "password_file"
}

extension ConfigurationReader {
    func identity(_ fields: [IdentityField: Setting], _ path: String) -> AuthConfiguration.IdentityTemplate {
        AuthConfiguration.IdentityTemplate(
            clientID: fields[.clientID].flatMap { template($0, "\(path).client_id") },
            username: username(fields, path),
            password: password(fields, path))
    }

    private func username(_ fields: [IdentityField: Setting], _ path: String) -> String? {
        switch chosen(fields, .username, .usernameFile, path) {
        case .value(let setting): template(setting, "\(path).username")
        case .file(let setting): fileContent(setting, "\(path).username_file", isSecret: false)
        case nil: nil
        }
    }

    private func password(_ fields: [IdentityField: Setting], _ path: String) -> Secret? {
        switch chosen(fields, .password, .passwordFile, path) {
        case .value(let setting): secret(setting.text, setting.origin, "\(path).password").map { Secret($0) }
        case .file(let setting): fileContent(setting, "\(path).password_file", isSecret: true).map { Secret($0) }
        case nil: nil
        }
    }

    private enum Chosen {
        case value(Setting)
        case file(Setting)
    }

    /// Of a value and a file with it the one from the higher layer; both from one layer is an error.
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

    /// Text that may hold variables, and is no placeholder.
    private func template(_ setting: Setting, _ path: String) -> String? {
        guard let text = values.text(setting, path) else { return nil }
        if TextValue.isPlaceholder(text) {
            diagnostics.error(setting.origin, path, "\(values.quoted(text)) is a placeholder; put the real value there")
            return nil
        }
        if let problem = Variables.problem(in: text) {
            diagnostics.error(setting.origin, path, problem)
            return nil
        }
        return text
    }

    /// `nil` where the text can't be the secret, which is then said without quoting it.
    private func secret(_ text: String, _ origin: Origin, _ path: String) -> String? {
        if TextValue.isPlaceholder(text) {
            diagnostics.error(origin, path, "is still the placeholder in angle brackets; put the real password there")
            return nil
        }
        if let problem = TextValue.problem(with: text) {
            diagnostics.error(origin, path, problem)
            return nil
        }
        return text
    }

    /// One line; the line break at its end is not part of it.
    private func fileContent(_ setting: Setting, _ path: String, isSecret: Bool) -> String? {
        guard let file = values.path(setting, path) else { return nil }
        do {
            var (text, isReadableByOthers) = try FileText.readText(file)
            if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
            guard isSecret else {
                var content = setting
                content.text = text
                return template(content, path)
            }
            if isReadableByOthers {
                diagnostics.warning(setting.origin, path, "\(file) can be read by other users; chmod 600 it")
            }
            return secret(text, setting.origin, path)
        } catch {
            diagnostics.error(setting.origin, path, "\(file): \(error.message)")
            return nil
        }
    }
}
