import Foundation

/// A folder for a test, gone when the test is over.
final class SetupFolder: Sendable {
    let path: String

    init() throws {
        // Without symbolic links, so that paths can be compared.
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        let url = base.appendingPathComponent("setup-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    @discardableResult
    func write(_ name: String, _ data: Data, mode: Int = 0o600) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path)
        return url.path
    }

    @discardableResult
    func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        try write(name, Data(text.utf8), mode: mode)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
    }

    /// Every file and folder in it, sorted.
    var names: [String] { (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted() }

    static let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"

    static func configuration(
        host: String = "mqtt.tesaiot.com", username: String = "sensor-1", password: String = "s3#c$r%t!"
    ) -> String {
        """
        {"protocol": "mqtts", "host": "\(host)", "port": 14567, "transport": "quic",
         "tls": {"enabled": true, "version": "1.3", "ca_file": "ca-chain.pem", "verify_server": true},
         "auth": {"method": "username_password", "username": "\(username)", "password": "\(password)"},
         "endpoint": "mqtts://\(host):14567", "connection": {"keepalive": 60, "clean_session": true}}
        """
    }

    /// Writes a bundle into a folder.
    func writeBundle(_ folder: String, password: String = "s3#c$r%t!") throws {
        try write("\(folder)/mqtt-quic-config.json", Self.configuration(password: password))
        try write("\(folder)/ca-chain.pem", Self.certificate + "\n" + Self.certificate)
        try write("\(folder)/README-MQTT-QUIC.txt", "for people")
    }

    static func zippedBundle(in folder: String = "", more: [ZipBuilder.Entry] = []) -> Data {
        ZipBuilder.make(
            [
                ZipBuilder.Entry("\(folder)ca-chain.pem", certificate),
                ZipBuilder.Entry("\(folder)mqtt-quic-config.json", configuration()),
                ZipBuilder.Entry("\(folder)endpoints.json", "{\"mqtt_quic\": \"mqtts://mqtt.tesaiot.com:14567\"}"),
            ] + more)
    }
}
