import CBenchmark
import Foundation
import Glibc
import Synchronization

/// Carries packets between two TUN devices through a `Link`, in a thread of its own.
final class LinkLoop: Sendable {
    /// How many packets of one device are read before the other one's turn.
    private static let batch = 64
    /// The longest sleep without anything to do, in nanoseconds.
    private static let longestWait: Int64 = 1_000_000_000

    private let link: Mutex<Link>
    private let isStopped = Atomic<Bool>(false)
    /// Two ends of a pipe. The first becomes readable when the loop has to stop.
    private let wake: Int32
    private let waker: Int32
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter link: Its packets from now on come from the devices only.
    init(_ link: consuming sending Link) throws(LinkError) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe") { pipe(&ends) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (wake, waker) = (ends[0], ends[1])
        self.link = Mutex(link)
    }

    deinit {
        close(wake)
        close(waker)
    }

    /// Begins to carry packets, with real-time priority if this user may have it.
    /// - Parameter edge: The device that the edge sends to.
    func start(edge: sending TunDevice, cloud: sending TunDevice, control: sending ControlSocket) {
        let devices = Devices(edge: edge, cloud: cloud, control: control)
        let thread = Thread { [self] in
            Self.becomeRealTime()
            run(devices)
            ended.signal()
        }
        thread.name = "link"
        thread.start()
    }

    /// Returns when the thread has ended. To be called once.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        _ = write(waker, "x", 1)
        ended.wait()
    }

    var statistics: LinkStatistics { link.withLock { $0.statistics } }

    /// Executes commands, all or, if one of them is wrong, none.
    /// - Returns: What they tell, one line each; `ok` if nothing.
    func execute(_ texts: [some StringProtocol]) throws(LinkError) -> String {
        var commands: [LinkCommand] = []
        for text in texts { commands.append(try LinkCommand(text)) }
        let result = link.withLock { link in
            Result<[String], LinkError> { () throws(LinkError) in
                var answers: [String] = []
                for command in commands {
                    if let answer = try link.execute(command, at: monotonicNow()) { answers.append(answer) }
                }
                return answers
            }
        }
        let answers = try result.get()
        return answers.isEmpty ? "ok" : answers.joined(separator: "\n")
    }

    // MARK: The thread

    /// What only the thread uses.
    private final class Devices: @unchecked Sendable {
        let edge: TunDevice
        let cloud: TunDevice
        let control: ControlSocket
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

        init(edge: TunDevice, cloud: TunDevice, control: ControlSocket) {
            self.edge = edge
            self.cloud = cloud
            self.control = control
        }

        deinit {
            buffer.deallocate()
        }
    }

    /// A packet must leave when it is due, also if everything else on the machine is busy.
    private static func becomeRealTime() {
        cbenchmark_exact_timeouts()
        var parameters = sched_param()
        parameters.sched_priority = 10
        pthread_setschedparam(pthread_self(), SCHED_RR, &parameters)
    }

    private func run(_ devices: Devices) {
        while !isStopped.load(ordering: .acquiring) {
            let next = deliver(devices, at: monotonicNow())
            var descriptors = [wake, devices.edge.descriptor, devices.cloud.descriptor, devices.control.listener]
                .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            descriptors += devices.control.clients.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let wait = next.map { min($0 - monotonicNow(), Self.longestWait) } ?? Self.longestWait
            guard cbenchmark_poll(&descriptors, UInt32(descriptors.count), wait) > 0 else { continue }
            if descriptors[1].revents != 0 { read(devices.edge, .uplink, devices.buffer) }
            if descriptors[2].revents != 0 { read(devices.cloud, .downlink, devices.buffer) }
            for client in descriptors.dropFirst(4) where client.revents != 0 {
                devices.control.serve(client.fd, answer)
            }
            if descriptors[3].revents != 0 { devices.control.acceptClient() }
        }
    }

    /// - Returns: When the next packet is due.
    private func deliver(_ devices: Devices, at now: Int64) -> Int64? {
        link.withLock { link in
            for (side, device) in [(LinkSide.uplink, devices.cloud), (.downlink, devices.edge)] {
                while let packet = link.leave(side, at: now) {
                    link.delivered(packet.count, side, isTaken: device.write(packet))
                }
            }
            return link.nextDue
        }
    }

    private func read(_ device: TunDevice, _ side: LinkSide, _ buffer: UnsafeMutableRawBufferPointer) {
        link.withLock { link in
            for _ in 0..<Self.batch {
                guard let packet = device.read(buffer) else { break }
                link.enter(packet, side, at: monotonicNow())
            }
        }
    }

    private func answer(_ request: String) -> String {
        do throws(LinkError) {
            return try execute(request.split(separator: "\n"))
        } catch {
            return "error: \(error)"
        }
    }
}
