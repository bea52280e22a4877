/// Which messages of one sender have arrived, one bit for each.
struct ArrivalSet {
    private var words: [UInt64] = []

    /// - Returns: Whether the message had not arrived before.
    mutating func insert(_ sequence: UInt32) -> Bool {
        let index = Int(sequence / 64)
        let bit: UInt64 = 1 << UInt64(sequence % 64)
        if index >= words.count {
            words.append(contentsOf: repeatElement(0, count: index + 1 - words.count))
        }
        guard words[index] & bit == 0 else { return false }
        words[index] |= bit
        return true
    }
}
