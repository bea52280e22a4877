import BenchmarkLink
import Foundation

/// Where the programs run: in two network namespaces with a link between, or all on the loopback interface.
package struct Network {
    /// One side of the link.
    package struct Place: Sendable {
        /// The network namespace; `nil` for the one of the suite.
        package let namespace: String?
        /// Where the side's servers listen for the other side.
        package let address: String

        /// What comes before a command that is to run there.
        package var prefix: [String] { namespace.map { ["ip", "netns", "exec", $0] } ?? [] }
    }

    package let edge: Place
    package let cloud: Place
    /// The path of the link's control socket.
    private let control: String?

    /// Whether there are namespaces.
    package var isIsolated: Bool { control != nil }

    private static let loopback: Network = {
        let here = Place(namespace: nil, address: "127.0.0.1")
        return Network(edge: here, cloud: here, control: nil)
    }()

    /// What `bench link up` writes when the link is there.
    private struct Ends: Decodable {
        let edge: String
        let cloud: String
        let cloudAddress: String
        let control: String

        enum CodingKeys: String, CodingKey {
            case edge, cloud, control
            case cloudAddress = "cloud_address"
        }
    }

    /// Makes the namespaces and the link, which go when the suite ends.
    ///
    /// - Returns: the loopback interface and the reason, if there can be none, or `loopback` asks for that.
    /// - Throws: `SuiteError` if the link fails otherwise.
    package static func make(_ tools: Tools, loopback: Bool, folder: String) throws -> (Network, whyLoopback: String?) {
        if loopback { return (Self.loopback, "--loopback was given") }
        NetworkNamespace.removeAbandoned()
        let output = "\(folder)/link.json"
        let link = try ChildProcess(
            "the link", [tools.bench, "link", "up"], log: "\(folder)/link.log", output: output, ending: .terminate)
        let end = LinkEnd(pid: link.pid)
        CleanUp.shared.add { end.run() }
        while true {
            let line = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            if line.hasSuffix("\n") {
                let ends = try JSONDecoder().decode(Ends.self, from: Data(line.utf8))
                let edge = Place(namespace: ends.edge, address: "127.0.0.1")
                let cloud = Place(namespace: ends.cloud, address: ends.cloudAddress)
                return (Network(edge: edge, cloud: cloud, control: ends.control), nil)
            }
            if let status = link.status {
                guard status >> 8 == notPossible else { throw link.failure ?? SuiteError("the link has ended") }
                return (Self.loopback, link.logText.trimmingCharacters(in: .newlines))
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// The exit code of `bench link up` where this machine or this user cannot have a link.
    private static let notPossible: Int32 = 77

    /// Gives the link these properties. Without a link, it must be the default ones.
    package func set(_ link: Condition.Link) throws {
        guard isIsolated else { return }
        let nat = link.nat ? ["nat=all", "nat-tcp=drop"] : ["nat=off"]
        try control(["up", "delay=\(link.roundTrip / 2)", "loss=\(link.loss)"] + nat)
    }

    /// Lets the link lose this share of the packets in each direction, in percent.
    package func set(loss: Double) throws {
        try control(["loss=\(loss)"])
    }

    /// Lets the link carry nothing for some seconds.
    package func interrupt(seconds: Double) throws {
        try control(["down=\(seconds)"])
    }

    /// Lets the NAT forget all mappings.
    package func rebind() throws {
        try control(["rebind"])
    }

    private func control(_ commands: [String]) throws {
        guard let control else { throw SuiteError("there is no link for \(commands.joined(separator: " "))") }
        do {
            _ = try LinkClient.control(control, commands)
        } catch {
            throw SuiteError("the link does not take \(commands.joined(separator: " ")): \(error)")
        }
    }
}

/// Ends the link's process, which removes the namespaces.
private struct LinkEnd: Sendable {
    let pid: Int32

    func run() {
        kill(pid, SIGTERM)
        // It takes a fraction of a second, unless it hangs.
        for _ in 0..<500 {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) != 0 { break }
            usleep(10_000)
        }
        kill(pid, SIGKILL)
        NetworkNamespace.removeAbandoned()
    }
}
