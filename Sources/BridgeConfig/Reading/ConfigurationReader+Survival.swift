import BridgeCore

/// Reads the keys that say how devices survive a network that changes, is slow, or goes away.
extension ConfigurationReader {
    /// `bridge.yaml.example` and docs/configuration.md name the same ranges.
    func readSurvival(into uplink: inout UplinkConfiguration) {
        uplink.pathTimeout = pathTimeout()
        uplink.onLoss = choice(.uplinkOnLoss) ?? uplink.onLoss
        readHold(into: &uplink.hold)
        uplink.zeroRTT = choice(.uplinkZeroRTT) ?? uplink.zeroRTT
        uplink.warm = integer(.uplinkWarm, in: 0...100, "a number of connections") ?? uplink.warm
        uplink.ticketFile = ticketFile()
    }

    private func pathTimeout() -> Duration? {
        guard settings.scalars[.uplinkPathTimeout]?.text != "auto" else { return nil }
        return duration(.uplinkPathTimeout, in: .milliseconds(200)...(.seconds(60)), besides: "auto")
    }

    // MARK: - Hold

    private static let holdKeys: [Key] = [.uplinkHoldTime, .uplinkHoldBuffer, .uplinkHoldBufferTotal, .uplinkHoldQoS0]

    private func readHold(into hold: inout HoldConfiguration) {
        hold.time = duration(.uplinkHoldTime, in: .seconds(1)...(.seconds(86_400))) ?? hold.time
        let buffer = size(.uplinkHoldBuffer, in: 4_096...1_073_741_824)
        let total = size(.uplinkHoldBufferTotal, in: 4_096...68_719_476_736)
        // If only one of the two is given, the default of the other adapts to it.
        hold.buffer = buffer ?? min(hold.buffer, total ?? hold.buffer)
        hold.totalBuffer = total ?? max(hold.totalBuffer, buffer ?? hold.totalBuffer)
        hold.qos0 = choice(.uplinkHoldQoS0) ?? hold.qos0
        if hold.buffer > hold.totalBuffer {
            let buffer = SizeValue.render(hold.buffer)
            error(.uplinkHoldBufferTotal, "is less than uplink.hold_buffer (\(buffer)), which a single device may take")
        }
    }

    // MARK: - Tickets

    /// In bytes; the runtime has the same limit.
    private static let maximumTicketFileSize = 4_194_304

    /// A ticket file that cannot be read is only a warning: tickets just save time, and the bridge replaces the file.
    private func ticketFile() -> String? {
        guard let path = path(.uplinkTicketFile) else { return nil }
        let folder = PathResolver.folder(of: path)
        if let problem = FolderAccess.problemWithWriting(into: folder.isEmpty ? "." : folder) {
            error(.uplinkTicketFile, "\(folder.isEmpty ? "." : folder): \(problem)")
            return path
        }
        do {
            if try FileText.read(path, maximumSize: Self.maximumTicketFileSize).isReadableByOthers {
                let effect = "it is not used, and is replaced by one that only this user can read"
                warning(.uplinkTicketFile, "\(path) can be read by other users: \(effect)")
            }
        } catch {
            guard !error.isMissing else { return path }
            guard !error.isFolder else {
                self.error(.uplinkTicketFile, "\(path): \(error.message)")
                return path
            }
            let effect = "connections begin with a full handshake until the bridge has replaced it"
            warning(.uplinkTicketFile, "\(path): \(error.message); \(effect)")
        }
        return path
    }

    // MARK: - Warnings

    func warnOfPointlessSurvival(_ uplink: UplinkConfiguration) {
        if uplink.onLoss == .close {
            for key in Self.holdKeys where settings.origin(of: key) != nil {
                warning(key, "has no effect with uplink.on_loss close")
            }
        }
        if settings.origin(of: .uplinkWarm) != nil, uplink.warm > 0, !uplink.warmsConnections {
            let reason = "sessions of the gateway are made as devices need them"
            warning(.uplinkWarm, "has no effect with mapping \(uplink.mapping.rawValue): \(reason)")
        }
        if uplink.zeroRTT == .connect, uplink.mapping == .dataStream {
            warning(
                .uplinkZeroRTT, "has no effect with mapping data-stream: what goes first there is the gateway's CONNECT"
            )
        }
        if let timeout = uplink.pathTimeout, timeout >= uplink.idleTimeout {
            let idle = DurationValue.render(uplink.idleTimeout)
            let reason = "a connection is given up after uplink.idle_timeout (\(idle))"
            warning(.uplinkPathTimeout, "has no effect, as \(reason)")
        }
    }
}

extension UplinkConfiguration {
    /// Whether connections are made before a device needs them.
    var warmsConnections: Bool { mapping != .dataStream }
}
