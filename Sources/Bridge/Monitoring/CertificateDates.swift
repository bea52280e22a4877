import BridgeCore
import Synchronization

/// Until when the certificates in some files are valid. The files are read again only if one of them has changed.
final class CertificateDates: Sendable {
    private struct Known {
        var stamps: [FileStamp?]
        var certificates: [StatusReport.Certificate]
    }

    private let paths: [String]
    private let read: @Sendable () -> [StatusReport.Certificate]
    private let known = Mutex<Known?>(nil)

    init(_ paths: [String], read: @escaping @Sendable () -> [StatusReport.Certificate]) {
        self.paths = paths
        self.read = read
    }

    convenience init(_ files: CredentialFiles) {
        self.init(files.files.filter(\.hasCertificates).map(\.path)) { files.expiries }
    }

    var current: [StatusReport.Certificate] {
        get async { await FileThread.run { self.look() } ?? [] }
    }

    private func look() -> [StatusReport.Certificate] {
        // The stamps are taken first: a file that changes while it is read has another stamp the next time.
        let stamps = paths.map { FileStamp(path: $0) }
        if let certificates = known.withLock({ $0?.stamps == stamps ? $0?.certificates : nil }) { return certificates }
        let certificates = read()
        known.withLock { $0 = Known(stamps: stamps, certificates: certificates) }
        return certificates
    }
}

extension CredentialFiles.File {
    fileprivate var hasCertificates: Bool {
        switch kind {
        case .authorities, .chain: true
        case .key, .users, .other: false
        }
    }
}
