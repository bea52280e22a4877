import BridgeCore
import Testing

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("0.0.0.0", "127.0.0.1", true), ("127.0.0.1", "0.0.0.0", true), ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false), ("::", "::1", true), ("::1", "0:0::0:1", true), ("::", "0.0.0.0", false),
        ("::", "127.0.0.1", false), ("::ffff:127.0.0.1", "127.0.0.1", true), ("::", "::ffff:127.0.0.1", false),
        ("fe80::1%eth0", "fe80::1%eth1", false), ("fe80::1%eth0", "fe80::1%eth0", true), ("::", "fe80::1%eth0", true),
    ])
    func exclusion(_ first: String, _ second: String, _ expected: Bool) {
        let (a, b) = (ListenAddress(host: first, port: 1), ListenAddress(host: second, port: 1))
        #expect(a.excludes(b) == expected)
        #expect(b.excludes(a) == expected)
        #expect(!a.excludes(ListenAddress(host: second, port: 2)))
        // The kernel chooses another port for each.
        #expect(!ListenAddress(host: first, port: 0).excludes(ListenAddress(host: second, port: 0)))
    }

    /// `::` also accepts IPv4, unless the list has an IPv4 address with the same port.
    @Test func ipv6LeavesIPv4ToOthers() {
        let all = ListenAddress(host: "0:0::0", port: 1)
        let others = ["0.0.0.0", "127.0.0.1", "::ffff:127.0.0.1"].map { ListenAddress(host: $0, port: 1) }
        for other in others {
            #expect(all.leavesIPv4(to: [all, other]))
            #expect(!other.leavesIPv4(to: [all, other]))
        }
        #expect(!all.leavesIPv4(to: [all]))
        #expect(!all.leavesIPv4(to: [all, ListenAddress(host: "0.0.0.0", port: 2)]))
        let one = ListenAddress(host: "::1", port: 1)
        #expect(!one.leavesIPv4(to: [one] + others))
    }
}
