import CNGTCP2

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Certificates and keys, loaded once and shared by all connections that use them.
///
/// GnuTLS only reads credentials once they are set up, so that connections on several threads may share them.
package final class QUICTLSContext: @unchecked Sendable {
    let tls: OpaquePointer
    let caFile: String
    private let keyLog: KeyLog?

    package static func client(
        caFile: String,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        keyLogFile: String? = nil
    ) throws(QUICError) -> QUICTLSContext {
        let keyLog = try KeyLog.open(keyLogFile)
        var file = BQ_FILE_NONE
        let (tls, why) = withReason { why, size in
            bq_tls_client_new(caFile, certificateFile, keyFile, &file, why, size)
        }
        guard let tls else {
            throw .fileUnreadable(path: file == BQ_FILE_CA ? caFile : certificateFile ?? caFile, why: why)
        }
        return QUICTLSContext(takingOwnership: tls, caFile: caFile, keyLog: keyLog)
    }

    package static func server(
        certificateFile: String,
        keyFile: String,
        clientCAFile: String? = nil,
        keyLogFile: String? = nil
    ) throws(QUICError) -> QUICTLSContext {
        let keyLog = try KeyLog.open(keyLogFile)
        var file = BQ_FILE_NONE
        let (tls, why) = withReason { why, size in
            bq_tls_server_new(certificateFile, keyFile, clientCAFile, &file, why, size)
        }
        guard let tls else {
            throw .fileUnreadable(path: file == BQ_FILE_CA ? clientCAFile ?? "" : certificateFile, why: why)
        }
        return QUICTLSContext(takingOwnership: tls, caFile: clientCAFile ?? "", keyLog: keyLog)
    }

    private init(takingOwnership tls: OpaquePointer, caFile: String, keyLog: KeyLog?) {
        self.tls = tls
        self.caFile = caFile
        self.keyLog = keyLog
        guard let keyLog else { return }
        let write: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int) -> Void = {
            owner, line, length in
            guard let owner, let line else { return }
            Unmanaged<KeyLog>.fromOpaque(owner).takeUnretainedValue()
                .write(UnsafeRawBufferPointer(start: line, count: length))
        }
        bq_tls_set_key_log(tls, write, Unmanaged.passUnretained(keyLog).toOpaque())
    }

    deinit {
        bq_tls_free(tls)
    }

    private static func withReason(
        _ body: (UnsafeMutablePointer<CChar>?, Int) -> OpaquePointer?
    ) -> (OpaquePointer?, String) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            let result = body(buffer.baseAddress, buffer.count)
            return (result, text(buffer))
        }
    }
}

/// A C string that a function wrote into a buffer of ours.
func text(_ buffer: UnsafeMutableBufferPointer<CChar>) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// An NSS key log (the `SSLKEYLOGFILE` format) that several threads may write to: one `write` a line, appending.
private final class KeyLog: Sendable {
    private let descriptor: CInt

    static func open(_ path: String?) throws(QUICError) -> KeyLog? {
        guard let path else { return nil }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .fileUnreadable(path: path, why: String(cString: strerror(errno))) }
        return KeyLog(descriptor)
    }

    private init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    func write(_ line: UnsafeRawBufferPointer) {
        var bytes = [UInt8](line)
        bytes.append(0x0A)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}
