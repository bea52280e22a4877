/// Why a load run cannot begin, or has ended early.
package enum LoadError: Error, Equatable, CustomStringConvertible {
    /// An option is out of its range, or contradicts another one. The text says what would be right.
    case option(String)
    /// A namespace does not exist, or may not be entered.
    case namespace(String, error: String)
    /// The receiver's side has no connection to the broker.
    case receiver(String)
    /// Devices that never connected would make all other figures wrong.
    case notConnected(devices: Int, of: Int)

    package var description: String {
        switch self {
        case .option(let message): message
        case .namespace(let name, let error): "the network namespace \(name) cannot be entered: \(error)"
        case .receiver(let reason): "the receiver's connection: \(reason)"
        case .notConnected(let devices, let all): "\(devices) of \(all) devices could not connect"
        }
    }
}
