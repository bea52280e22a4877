import BridgeCore
import Testing

@testable import BridgeConfig

/// The section `admin`.
struct AdminConfigurationTests {
    private static let token = "0123456789abcdef"

    @Test func defaults() throws {
        #expect(try load(minimal).configuration.admin == AdminConfiguration(listen: AdminConfiguration.defaultAddress))
        #expect(try loadServe(minimalServe).configuration.admin == AdminConfiguration())
    }

    @Test func off() throws {
        let loaded = try load(minimal + "admin: {listen: off}")
        #expect(loaded.configuration.admin == AdminConfiguration(isListenGiven: true))
    }

    @Test func everything() throws {
        let folder = try TemporaryFolder.forServe()
        try folder.write("token", Self.token + "\n")
        let text = minimalServe + "admin: {listen: \"0.0.0.0:0\", token_file: token, host_names: [gateway.example.com]}"
        let loaded = try loadServe(text, folder: folder)
        #expect(loaded.warnings.isEmpty)
        #expect(
            loaded.configuration.admin
                == AdminConfiguration(
                    listen: ListenAddress(host: "0.0.0.0", port: 0), isListenGiven: true,
                    tokenFile: folder.path + "/token", hostNames: ["gateway.example.com"]))
    }

    @Test(arguments: ["0.0.0.0:9883", "192.0.2.1:9883", "\"[::]:9883\"", "\"[::ffff:192.0.2.1]:9883\""])
    func beyondLoopbackWithoutToken(_ address: String) throws {
        let lines = try errors(minimal + "admin: {listen: \(address)}")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("can be reached from other machines") == true)
        #expect(lines.first?.contains("admin.token_file") == true)
    }

    @Test(arguments: ["127.0.0.1:9883", "127.1.2.3:0", "\"[::1]:9883\"", "\"[0:0:0:0:0:0:0:1]:1\""])
    func loopbackWithoutToken(_ address: String) throws {
        #expect(try errors(minimal + "admin: {listen: \(address)}") == [])
    }

    @Test(arguments: [
        ("", "is empty"), ("\n", "is empty"), ("0123456789abcde", "is shorter than 16 characters"),
        (token + "\n" + token, "has more than one line"), (token + " a", "consists of letters, digits"),
        (String(repeating: "a", count: 513), "is longer than 512"),
    ])
    func badToken(_ content: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("token", content)
        let lines = try errors(minimal + "admin: {token_file: token}", folder: folder)
        #expect(lines.count == 1)
        #expect(lines.first?.contains("admin.token_file: DIR/token: ") == true)
        #expect(lines.first?.contains(message) == true)
        #expect(lines.first?.contains(Self.token) == false)
    }

    @Test func tokenThatOthersCanRead() throws {
        let folder = try TemporaryFolder.forServe()
        try folder.write("token", Self.token, mode: 0o644)
        let loaded = try loadServe(minimalServe + "admin: {listen: \"127.0.0.1:0\", token_file: token}", folder: folder)
        #expect(loaded.warnings.count == 1)
        #expect(loaded.warnings.first?.contains("can be read by other users; chmod 600 it") == true)
    }

    @Test func badValues() throws {
        let text = minimal + "admin: {listen: localhost:1, token_file: nowhere, host_names: [\"http://a\"]}"
        let lines = try errors(text)
        #expect(lines.count == 3)
        #expect(lines.contains { $0.contains("127.0.0.1:1; off for no admin endpoint") })
        #expect(lines.contains { $0.contains("admin.token_file: DIR/nowhere: no such file") })
        #expect(lines.contains { $0.contains("admin.host_names: \"http://a\" is a URL") })
    }

    @Test func portOfDevices() throws {
        let taken = try errors(minimal + "listen: 0.0.0.0:1\nadmin: {listen: 127.0.0.1:1}")
        #expect(taken.first?.contains("is taken by listen") == true)
    }

    @Test func devicesOnTheDefaultPort() throws {
        let loaded = try load(minimal + "listen: 127.0.0.1:9883")
        #expect(loaded.configuration.admin == AdminConfiguration())
        #expect(loaded.warnings.count == 1)
        #expect(loaded.warnings.first?.contains("there is no admin endpoint, as 127.0.0.1:9883 is taken") == true)
    }
}
