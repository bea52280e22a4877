import ArgumentParser
import BridgeConfig
import BridgeSetup

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a bridge.yaml from a TESAIoT bundle, from its .env, or from options.",
        discussion: """
            Without BUNDLE, takes the only bundle (a folder or a zip file) in credential_certificates beside the \
            configuration file, or else the .env beside it. A zip file is unpacked into credential_certificates. Options \
            win over what the bundle says. Says what it found and what is missing, and ends with `check --connect`, whose \
            exit codes it has. Nothing is ever overwritten. Passwords are written into files that only this user can read.

            Exit codes: as of `check`; 64 if there is nothing to make a configuration from; 1 if something is in the way \
            or cannot be used.
            """)

    @Argument(help: "A bundle: a folder, a zip file, or a .env file.")
    var bundle: String?

    @Option(help: ArgumentHelp("The file to write, or the folder for a bridge.yaml.", valueName: "path"))
    var output = "bridge.yaml"

    @Option(help: "The broker's host name or IP address.")
    var host: String?

    @Option(help: "The broker's UDP port for MQTT over QUIC.")
    var port: Int?

    @Option(help: ArgumentHelp("The broker's TCP port for MQTT over TLS, if UDP is blocked.", valueName: "port"))
    var fallbackPort: Int?

    @Option(help: ArgumentHelp("The PEM file of the CA that signed the broker's certificate.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("The user name at the broker. Default: the device id.", valueName: "name"))
    var username: String?

    @Option(
        help: ArgumentHelp(
            "The device id, which is the client id at the broker. Default: the user name.", valueName: "id"))
    var deviceID: String?

    @Option(help: ArgumentHelp("A file of one line, the password at the broker.", valueName: "file"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("Where devices connect. Default: 127.0.0.1:1883.", valueName: "address"))
    var listen: String?

    @Option(help: "tesaiot or none. Default: tesaiot for a bundle, and for its host.")
    var profile: SetupRequest.Profile?

    @Flag(inversion: .prefixedNo, help: "Connect to the broker at the end.")
    var connect = true

    func validate() throws {
        for (name, port) in [("--port", port), ("--fallback-port", fallbackPort)] {
            if let port, !(1...65_535).contains(port) {
                throw ValidationError("\(name) \(port): a port is 1 to 65535.")
            }
        }
        for (name, text) in [("--host", host), ("--username", username), ("--device-id", deviceID)] where text == "" {
            throw ValidationError("\(name) is empty.")
        }
    }

    func run() async throws {
        let paths = SetupPaths(output: output)
        do {
            let source = try source(paths)
            let plan = try SetupPlan(source, request, paths)
            print(plan.report(try plan.write()))
        } catch let error as SetupProblem {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        } catch let errors as ConfigurationErrors {
            StandardError.write("\(errors)\n")
            throw ExitCode.failure
        }
        let arguments = ["--config", paths.file] + (connect ? ["--connect"] : [])
        print("\ncheck \(arguments.joined(separator: " "))")
        let check = try CheckCommand.parse(arguments)
        try await check.run()
    }

    private var request: SetupRequest {
        var request = SetupRequest()
        (request.host, request.port, request.fallbackPort) = (host, port, fallbackPort)
        (request.ca, request.passwordFile, request.listen) = (ca, passwordFile, listen)
        (request.username, request.deviceID, request.profile) = (username, deviceID, profile)
        return request
    }

    private func source(_ paths: SetupPaths) throws -> SetupSource {
        if let bundle { return try SetupSource.at(bundle) }
        if request.isEnough { return .options }
        let candidates = SetupSource.candidates(paths)
        guard let only = candidates.first else {
            StandardError.write(Self.help(paths))
            throw ExitCode.validationFailure
        }
        guard candidates.count == 1 else {
            let names = candidates.prefix(10).compactMap(\.path).joined(separator: "\n  ")
            StandardError.write("There are \(candidates.count) bundles; name the one to use:\n  \(names)\n")
            throw ExitCode.validationFailure
        }
        return only
    }

    /// What the command prints if there is nothing to begin with.
    private static func help(_ paths: SetupPaths) -> String {
        """
        There is nothing to make a configuration from: no bundle in \(paths.credentials), and no .env beside \(paths.file).

        With TESAIoT: download the bundle "MQTT over QUIC" of a device (a zip file), and then either
          put it into \(paths.credentials) and call   mqtt-quic-bridge init
          or name it                                  mqtt-quic-bridge init Downloads/device-bundle.zip

        With another broker:
          mqtt-quic-bridge init --host mqtt.example.com --ca ca.pem
          mqtt-quic-bridge init --host mqtt.example.com --ca ca.pem --device-id sensor-1 --password-file sensor-1.password

        mqtt-quic-bridge help init has all options.

        """
    }
}

extension SetupRequest.Profile: ExpressibleByArgument {}
