/// What can be asked of a link, before it begins and while it runs.
enum LinkCommand: Equatable {
    /// - Parameter direction: `nil` for both.
    case set(LinkSettings.Key, Double, LinkSide?)
    /// Drops everything that enters, for so many seconds, or until `up`.
    case down(seconds: Double?)
    case up
    case nat(AddressTranslation.Mode)
    case natTCP(dropsUnknown: Bool)
    case rebind(address: UInt32?)
    case statistics
    case show
    case reset

    /// The commands in words, for a message to someone who got one wrong.
    static let usage =
        "delay=MS jitter=MS loss=PERCENT rate=MBIT queue=KIB (with uplink. or downlink. in front for one direction), "
        + "down[=SECONDS] up nat=off|udp|all nat-tcp=remap|drop rebind[=ADDRESS] stats show reset"

    /// - Throws: `LinkError.command` if the text is no command.
    init(_ text: some StringProtocol) throws(LinkError) {
        let parts = String(text).split(separator: "=" as Character, maxSplits: 1, omittingEmptySubsequences: false)
            .map { String($0) }
        let (name, value) = (parts[0], parts.count > 1 ? parts[1] : nil)
        switch (name, value) {
        case ("down", nil): self = .down(seconds: nil)
        case ("up", nil): self = .up
        case ("rebind", nil): self = .rebind(address: nil)
        case ("stats", nil): self = .statistics
        case ("show", nil): self = .show
        case ("reset", nil): self = .reset
        case ("down", let value?):
            guard let seconds = Double(value), (0...86_400).contains(seconds) else {
                throw .command("down=\(value): it takes the seconds of the outage, such as down=10")
            }
            self = .down(seconds: seconds)
        case ("rebind", let value?):
            guard let address = Self.address(value) else {
                throw .command("rebind=\(value): it takes an IPv4 address, such as rebind=10.77.3.2")
            }
            self = .rebind(address: address)
        case ("nat", let value?):
            guard let mode = AddressTranslation.Mode(rawValue: value) else {
                throw .command("nat=\(value): it is one of off, udp and all")
            }
            self = .nat(mode)
        case ("nat-tcp", let value?):
            guard value == "remap" || value == "drop" else {
                throw .command("nat-tcp=\(value): it is one of remap and drop")
            }
            self = .natTCP(dropsUnknown: value == "drop")
        case (_, let value):
            self = try Self.setting(name, value)
        }
    }

    private static func setting(_ name: String, _ value: String?) throws(LinkError) -> LinkCommand {
        var key = name
        var side: LinkSide?
        for candidate in LinkSide.allCases where name.hasPrefix("\(candidate.rawValue).") {
            side = candidate
            key.removeFirst(candidate.rawValue.count + 1)
        }
        guard let key = LinkSettings.Key(rawValue: key) else {
            throw .command("'\(name)' is no command of a link. Commands are: \(usage)")
        }
        guard let value, let number = Double(value) else {
            throw .command("\(name)=\(value ?? ""): it takes a number, such as \(name)=25")
        }
        // The range is checked now, so that no command is carried out before a wrong one.
        var settings = LinkSettings()
        try settings.set(key, to: number)
        return .set(key, number, side)
    }

    /// The address as a number, `nil` if the text is none.
    static func address(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return parts.reduce(UInt32?(0)) { sum, part in
            guard let sum, let part else { return nil }
            return sum << 8 | UInt32(part)
        }
    }
}
