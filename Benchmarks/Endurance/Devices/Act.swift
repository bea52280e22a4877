/// What a device does to its connection.
enum Act: Equatable {
    /// DISCONNECT, and back after these seconds.
    case sayGoodbye(away: Double)
    /// A TCP reset, and back after these seconds.
    case reset(away: Double)
    /// Silence until the other side closes, and back these seconds later.
    case fallSilent(away: Double)
    /// A second connection while the first one stands.
    case connectTwice
    /// Nothing is read for so long, while commands come.
    case readSlowly(seconds: Double)

    /// - Parameter slowness: for how long a slow device reads nothing at most, in seconds.
    static func random(slowness: Double, using random: inout RandomNumbers) -> Act {
        // A device that vanishes stays away until its will is overdue.
        let long = Double.random(in: 16...25, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: return .sayGoodbye(away: Double.random(in: 0.1...12, using: &random))
        case 30..<55: return .reset(away: long)
        case 55..<70: return .fallSilent(away: long)
        case 70..<85: return .connectTwice
        default: return .readSlowly(seconds: Double.random(in: slowness / 2...slowness, using: &random))
        }
    }
}
