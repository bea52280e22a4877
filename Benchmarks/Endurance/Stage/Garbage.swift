import BenchmarkLoad
import Foundation
import Glibc

/// What strangers send. It runs on a thread of its own, which enters the network from which it comes.
struct Garbage: Sendable {
    enum Target: Sendable {
        case tcp
        case udp
    }

    let target: Target
    let namespace: String?
    let address: String
    let ports: [Int]
    let seconds: Double
    let seed: UInt64

    /// Datagrams per second.
    private static let datagrams = 1000.0
    /// Connections that are opened and closed together.
    private static let flood = 200

    /// Sends it, and returns when it is over.
    ///
    /// - Throws: what keeps it from being sent at all.
    func send() throws {
        let result = Outcome()
        let thread = Thread {
            result.set(
                Result {
                    let place = try NetworkPlace(namespace, NetworkPlace.Whereabouts())
                    withExtendedLifetime(place) { run() }
                })
        }
        thread.start()
        try result.wait()
    }

    private final class Outcome: @unchecked Sendable {
        private let done = DispatchSemaphore(value: 0)
        private var result: Result<Void, any Error>?

        func set(_ result: Result<Void, any Error>) {
            self.result = result
            done.signal()
        }

        func wait() throws {
            done.wait()
            try result?.get()
        }
    }

    private func run() {
        var random = RandomNumbers(seed: seed)
        let end = ContinuousClock.now + .seconds(seconds)
        var round = 0
        while ContinuousClock.now < end {
            for port in ports {
                switch target {
                case .tcp: sendStream(to: port, round: round, using: &random)
                case .udp: sendDatagrams(to: port, using: &random)
                }
            }
            round += 1
        }
    }

    // MARK: TCP

    private func sendStream(to port: Int, round: Int, using random: inout RandomNumbers) {
        let connect: [UInt8] = [0x10, 0x13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 7] + Array("garbage".utf8)
        let kinds: [[UInt8]] = [
            Self.bytes(Int.random(in: 1...4000, using: &random), using: &random),
            // Half a CONNECT.
            Array(connect.prefix(9)),
            // A packet of 256 MB.
            [0x10, 0xFF, 0xFF, 0xFF, 0x7F] + connect.dropFirst(2),
            // A length that has no end.
            [0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            // Not CONNECT.
            [0x30, 5, 0, 1, 0x61, 1, 2],
            // A client whose second packet makes no sense.
            connect + Self.bytes(200, using: &random),
            // A version of MQTT that does not exist.
            Array(connect[0..<8]) + [9] + connect[9...],
            [0x00, 0x00],
        ]
        if round % 10 == 9 {
            let sockets = (0..<Self.flood).map { _ in open(SOCK_STREAM, to: port) }
            for socket in sockets where socket >= 0 { close(socket) }
        } else {
            let socket = open(SOCK_STREAM, to: port)
            guard socket >= 0 else { return }
            defer { close(socket) }
            let bytes = kinds[round % kinds.count]
            _ = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // Some strangers wait for an answer.
            if round % 3 == 0 {
                var answer = [UInt8](repeating: 0, count: 256)
                _ = recv(socket, &answer, answer.count, 0)
            }
        }
        usleep(5000)
    }

    // MARK: UDP

    private func sendDatagrams(to port: Int, using random: inout RandomNumbers) {
        let socket = open(SOCK_DGRAM, to: port)
        guard socket >= 0 else { return }
        defer { close(socket) }
        for _ in 0..<20 {
            let bytes = Self.datagram(using: &random)
            _ = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            usleep(UInt32(1_000_000 / Self.datagrams))
        }
    }

    /// Random bytes behind beginnings of QUIC packets (RFC 9000 17).
    private static func datagram(using random: inout RandomNumbers) -> [UInt8] {
        let heads: [[UInt8]] = [
            [],
            // An Initial of version 1 with connection identifiers of 8 bytes.
            [0xC3, 0, 0, 0, 1, 8] + bytes(8, using: &random) + [8] + bytes(8, using: &random) + [0, 0x44, 0x8A],
            // Version negotiation, a version that nobody has, Retry, and a short header.
            [0x80, 0, 0, 0, 0, 8] + bytes(8, using: &random) + [8],
            [0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8] + bytes(8, using: &random) + [0],
            [0xF0, 0, 0, 0, 1, 8] + bytes(8, using: &random) + [20],
            [0x40] + bytes(18, using: &random),
        ]
        let head = heads.randomElement(using: &random) ?? []
        let lengths = [Int.random(in: 0...60, using: &random), 1200 - head.count, 1400]
        return head + bytes(lengths.randomElement(using: &random) ?? 0, using: &random)
    }

    private static func bytes(_ count: Int, using random: inout RandomNumbers) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    // MARK: Sockets

    private func open(_ type: __socket_type, to port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        guard descriptor >= 0 else { return -1 }
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, address, &target.sin_addr)
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            return -1
        }
        return descriptor
    }
}
