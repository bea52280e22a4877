import Testing

@testable import mqtt_quic_bridge

struct TextLayoutTests {
    @Test(
        arguments: [
            (0, 1, "0.0"), (0.04, 1, "0.0"), (0.05, 1, "0.1"), (9.96, 1, "10.0"), (99.94, 1, "99.9"), (-0.04, 1, "0.0"),
            (-1.25, 2, "-1.25"), (1.005, 3, "1.005"), (123.5, 0, "124"), (12.5, 2, "12.50"), (7, 3, "7.000"),
            (.infinity, 1, "inf"), (.nan, 1, "nan"), (1e300, 1, "1e+300"),
        ] as [(Double, Int, String)])
    func decimals(value: Double, decimals: Int, expected: String) {
        #expect(value.text(decimals: decimals) == expected)
    }

    @Test(arguments: [("", 3, "   "), ("ab", 3, "ab "), ("abc", 3, "abc"), ("abcd", 3, "abcd")])
    func padding(text: String, width: Int, expected: String) {
        #expect(text.padded(to: width) == expected)
    }
}
