import Glibc

/// The Unix socket by which another process sends commands to a running link. A client sends one record with a command
/// in each line, and receives one record.
final class ControlSocket {
    /// The longest record in bytes.
    static let recordLimit = 4096
    /// If more clients are connected, the one that has been silent for longest has to go.
    private static let clientLimit = 8

    let path: String
    let listener: Int32
    private(set) var clients: [Int32] = []

    init(path: String) throws(LinkError) {
        self.path = path
        let listener = try systemCall("control socket") { Self.open() }
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
        self.listener = listener
        unlink(path)
        try systemCall("control socket \(path)") { Self.withAddress(path) { bind(listener, $0, $1) } }
        try systemCall("control socket \(path)") { listen(listener, 8) }
        chmod(path, 0o600)
    }

    deinit {
        for client in clients + [listener] { close(client) }
        unlink(path)
    }

    func acceptClient() {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        if clients.count == Self.clientLimit { close(clients.removeFirst()) }
        clients.append(client)
    }

    /// Answers a client that has sent something, and lets it go.
    func serve(_ client: Int32, _ answer: (String) -> String) {
        clients.removeAll { $0 == client }
        defer { close(client) }
        guard let request = Self.receive(client), !request.isEmpty else { return }
        Self.send(answer(request), to: client)
    }

    /// Sends commands to the link that listens at `path`.
    /// - Returns: Its answer.
    static func request(_ commands: [String], at path: String) throws(LinkError) -> String {
        let socket = try systemCall("control socket") { Self.connecting() }
        defer { close(socket) }
        try systemCall("no link listens at \(path)") { withAddress(path) { connect(socket, $0, $1) } }
        let text = commands.joined(separator: "\n")
        guard text.utf8.count <= recordLimit else {
            throw .command("the commands are longer than \(recordLimit) bytes")
        }
        send(text, to: socket)
        guard let answer = receive(socket), !answer.isEmpty else { throw .failed("the link has not answered") }
        return answer
    }

    private static func open() -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func connecting() -> Int32 {
        let descriptor = open()
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    private static func send(_ text: String, to descriptor: Int32) {
        _ = text.utf8.withContiguousStorageIfAvailable {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    private static func receive(_ descriptor: Int32) -> String? {
        let bytes = [UInt8](unsafeUninitializedCapacity: recordLimit) { buffer, count in
            count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
