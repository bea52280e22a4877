extension String {
    /// With spaces at the end, so that it is at least `width` characters wide.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 0))
    }
}

extension Double {
    /// In decimal notation, with this many digits after the point: `12.50`. Numbers from 10^12 on are written as Swift
    /// writes them, because nobody reads their decimals.
    func text(decimals: Int) -> String {
        let unit = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
        guard magnitude < 1e12, unit <= 1_000 else { return "\(self)" }
        let scaled = Int((magnitude * unit).rounded())
        let sign = self < 0 && scaled != 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int(unit))
        return "\(sign)\(scaled / Int(unit))." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
