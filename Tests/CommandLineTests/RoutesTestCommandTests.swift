import ArgumentParser
import BridgeCore
import Foundation
import Testing

@testable import mqtt_quic_bridge

struct RoutesTestCommandTests {
    @Test(arguments: [
        (["publish", "a/#"], "wildcard"), (["publish", ""], "empty"), (["publish", "a\0b"], "U+0000"),
        (["publish", String(repeating: "a", count: 65_536)], "65535"), (["subscribe", "a/#/b"], "#"),
        (["subscribe", "$share/g"], "share"), (["publish"], "The topic is missing"), ([], "--all for all routes"),
        (["unsubscribe", "a"], "unsubscribe"), (["--client-id", "a\0", "publish", "a"], "--client-id"),
    ])
    func wrongArgumentsAreNamed(arguments: [String], words: String) {
        let error = #expect(throws: (any Error).self) {
            try BridgeCommand.parseAsRoot(["routes", "test"] + arguments)
        }
        guard let error else { return }
        #expect(BridgeCommand.exitCode(for: error) == .validationFailure)
        #expect(BridgeCommand.message(for: error).contains(words))
    }

    @Test func options() throws {
        let command = try BridgeCommand.parseAsRoot([
            "routes", "test", "--client-id", "d1", "--username", "anna", "publish", "a/b", "--json", "-c", "x.yaml",
        ])
        let test = try #require(command as? RoutesTestCommand)
        #expect(test.clientID == "d1" && test.username == "anna" && test.action == .publish && test.topic == "a/b")
        #expect(test.json && !test.all && test.options.config == "x.yaml")
        let all = try #require(try BridgeCommand.parseAsRoot(["routes", "test", "--all"]) as? RoutesTestCommand)
        #expect(all.all && all.action == nil)
    }

    private static func report(
        _ verdict: (RouteTrial) throws -> RouteVerdict, _ action: String, _ topic: String
    ) throws -> RouteReport {
        let uplink = UplinkConfiguration(host: "broker", caFile: "ca.pem")
        let routes = [
            Route(
                local: "telemetry/#", remote: "device/${username}/telemetry/#", direction: .up, maximumQoS: 1,
                retain: .strip),
            Route(local: "commands/#", remote: "device/${username}/commands/#", direction: .down),
        ]
        let configuration = BridgeConfiguration(uplink: uplink, routes: routes)
        let device = RouteTrial.Device(clientID: "d1", username: "anna", listener: "main", peer: "192.0.2.7")
        let trial = try RouteTrial(configuration, device) { "made" }
        return RouteReport(
            device: device, trial: trial, action: action, topic: topic, verdict: try verdict(trial),
            table: trial.table, unrouted: .reject)
    }

    @Test func theTextOfAMessage() throws {
        let report = try Self.report({ try $0.publish("telemetry/t") }, "publish", "telemetry/t")
        #expect(
            report.text(places: ["b.yaml:9:5", "b.yaml:10:5"]) == #"""
                device        client id "d1", user name "anna"
                at            listener "main", from 192.0.2.7
                broker sees   client id "d1", user name "anna" (the device's own)
                publish       "telemetry/t"
                decided by    routes[0] (b.yaml:9:5), "telemetry/#" to "device/anna/telemetry/#"
                result        forwarded: the broker sees it on "device/anna/telemetry/t", at QoS 1 at most, without RETAIN
                way back      a message of the broker on "device/anna/telemetry/t" does not reach the device: no route that goes down matches

                Routes of this device, the first that matches decides:
                  routes[0]  b.yaml:9:5   "telemetry/#"  ->  "device/anna/telemetry/#"  max_qos 1  retain stripped
                  routes[1]  b.yaml:10:5  "commands/#"   <-  "device/anna/commands/#"
                  what no route matches: reject
                """#)
    }

    @Test func theTextOfARefusal() throws {
        let report = try Self.report({ try $0.publish("commands/on") }, "publish", "commands/on")
        let text = report.text(places: [])
        #expect(
            text.contains("result        rejected: no route that goes up matches the topic, and unrouted is reject\n"))
        #expect(
            text.contains(
                "routes[1], \"commands/#\" to \"device/anna/commands/#\" matches, but has the other direction"))
        #expect(text.contains("told in 3.1.1 the connection is closed\n"))
        #expect(
            text.contains(
                "told in 5.0   QoS 0: the connection is closed; QoS 1: PUBACK 0x87, not authorized; QoS 2: PUBREC"))
    }

    @Test func json() throws {
        let report = try Self.report({ try $0.subscribe("commands/#") }, "subscribe", "commands/#")
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
        let verdict = try #require(document["verdict"] as? [String: Any])
        #expect(verdict["outcome"] as? String == "forwarded")
        let way = try #require((verdict["ways"] as? [[String: Any]])?.first)
        #expect(way["remote"] as? String == "device/anna/commands/#" && way["route"] as? Int == 1)
        #expect((way["back"] as? [String: Any])?["local"] as? String == "commands/x")
        #expect((document["broker"] as? [String: Any])?["client_id"] as? String == "d1")
    }
}
