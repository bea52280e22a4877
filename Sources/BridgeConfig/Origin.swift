/// Where a value is written.
package struct Origin: Sendable, Equatable {
    package var place: Place

    package enum Place: Sendable, Equatable {
        /// Line and column count from 1.
        case file(name: String, line: Int, column: Int)
        case dotEnv(name: String, line: Int, variable: String)
        case environment(variable: String)
        /// A value that comes with the key `profile`.
        case profile(name: String)
        /// The configuration as a whole, for a value that is missing from it.
        case nowhere(name: String)
    }

    package init(_ place: Place) {
        self.place = place
    }

    /// The environment variable that the value comes from; `nil` if it comes from the configuration file.
    package var variable: String? {
        switch place {
        case .dotEnv(_, _, let variable), .environment(let variable): variable
        case .file, .nowhere, .profile: nil
        }
    }

    /// Where the value comes from, if it is not written in the configuration file: `BRIDGE_UPLINK_HOST`.
    var remark: String? {
        if case .profile(let name) = place { "profile \(name)" } else { variable }
    }

    var isEnvironment: Bool {
        if case .environment = place { true } else { false }
    }

    /// Sorts errors: the configuration file by line, then `.env` by line, then the environment.
    var sortKey: (Int, Int, Int, String) {
        switch place {
        case .file(_, let line, let column): (0, line, column, "")
        case .nowhere, .profile: (1, 0, 0, "")
        case .dotEnv(_, let line, let variable): (2, line, 0, variable)
        case .environment(let variable): (3, 0, 0, variable)
        }
    }
}

extension Origin: CustomStringConvertible {
    /// In the form that compilers use: `bridge.yaml:5:9`, `.env:3: BRIDGE_UPLINK_PORT`.
    package var description: String {
        switch place {
        case .file(let name, let line, let column): "\(name):\(line):\(column)"
        case .dotEnv(let name, let line, let variable):
            variable.isEmpty ? "\(name):\(line)" : "\(name):\(line): \(variable)"
        case .environment(let variable): "environment: \(variable)"
        case .profile(let name): "profile \(name)"
        case .nowhere(let name): name
        }
    }
}
