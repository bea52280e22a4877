extension DeviceQuery {
    /// Whether every device matches, so that none has to be looked at to count them.
    package var isOpen: Bool { clientID == nil && state == nil && address == nil }

    /// The same query with a limit from 1 to 1000.
    package var bounded: DeviceQuery {
        var query = self
        query.limit = min(max(limit, 1), 1_000)
        query.clientID = clientID?.lowercased()
        return query
    }

    /// Whether a device matches, wherever its number stands.
    ///
    /// - Precondition: The query is ``bounded``, so that its client id is in lower case.
    package func matches(state: DeviceState, clientID: @autoclosure () -> String, address: String) -> Bool {
        if let wanted = self.state, wanted != state { return false }
        if let beginning = self.address, !address.hasPrefix(beginning) { return false }
        guard let part = self.clientID else { return true }
        return part.isEmpty || clientID().lowercased().utf8.contains(part.utf8)
    }
}

extension Collection where Element == UInt8 {
    /// Whether the bytes of `part` occur one behind the other.
    fileprivate func contains(_ part: some Collection<UInt8>) -> Bool {
        guard let first = part.first else { return true }
        var rest = self[...]
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: part) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
