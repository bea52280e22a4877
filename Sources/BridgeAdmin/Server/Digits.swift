extension FixedWidthInteger {
    /// Reads a number that consists of digits only. Swift's own reading would take a sign before them as well.
    init?(digits: some StringProtocol) {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        self.init(digits, radix: 10)
    }
}
