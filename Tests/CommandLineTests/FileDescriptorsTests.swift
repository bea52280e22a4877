import Testing

@testable import mqtt_quic_bridge

@Suite struct FileDescriptorsTests {
    @Test func aFewDevicesNeedNoWarning() {
        #expect(FileDescriptors.raise(for: 1) == nil)
    }

    @Test func moreThanTheSystemAllowsIsSaid() throws {
        let warning = try #require(FileDescriptors.raise(for: .max))
        #expect(warning.contains("limits.devices") && warning.contains("LimitNOFILE"))
    }
}
