import BridgeCore
import Synchronization

/// Until when the certificates in some files are valid. The files are read again only if one of them has changed.
final class CertificateDates: Sendable {
    private struct Known {
        var paths: [String]
        var stamps: [FileStamp?]
        var certificates: [StatusReport.Certificate]
    }

    /// Files, and what reads the certificates in them.
    typealias Source = (paths: [String], read: @Sendable () -> [StatusReport.Certificate])

    private let source: @Sendable () -> Source
    private let known = Mutex<Known?>(nil)

    /// - Parameter source: Is asked each time, because a reload may name other files.
    init(_ source: @escaping @Sendable () -> Source) {
        self.source = source
    }

    convenience init(of files: @escaping @Sendable () -> CredentialFiles) {
        self.init {
            let files = files()
            return (files.files.filter(\.hasCertificates).map(\.path), { files.expiries })
        }
    }

    var current: [StatusReport.Certificate] {
        get async { await FileThread.run { self.look() } ?? [] }
    }

    private func look() -> [StatusReport.Certificate] {
        let (paths, read) = source()
        // The stamps are taken first: a file that changes while it is read has another stamp the next time.
        let stamps = paths.map { FileStamp(path: $0) }
        let old = known.withLock { $0 }
        if let old, old.paths == paths, old.stamps == stamps { return old.certificates }
        let certificates = read()
        known.withLock { $0 = Known(paths: paths, stamps: stamps, certificates: certificates) }
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
