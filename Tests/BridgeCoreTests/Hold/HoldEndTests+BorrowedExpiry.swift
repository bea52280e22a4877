import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

// The session expiry that the bridge asks for in the device's place, and its end.
extension HoldEndTests {
    @Test func theBrokerKeepsTheSessionForAsLongAsTheDeviceIsHeld() throws {
        for (own, sent) in [(UInt32?.none, UInt32(300)), (0, 300), (7, 7)] {
            var bench = try HoldBench(.v5_0)
            _ = try bench.bench.device(bench.bench.connect { $0.properties.sessionExpiryInterval = own })
            let first = try bench.ready()
            guard case .connect(let connect)? = first.up.first else { return }
            #expect(connect.properties.sessionExpiryInterval == sent && connect.cleanStart)
            let connack = try bench.broker(.connack(Connack(properties: [.sessionExpiryInterval(sent)])))
            guard case .connack(let told)? = connack.down.first else { return }
            #expect(told.properties.sessionExpiryInterval == (sent == 7 ? 7 : nil))
            let gone = try bench.device(.disconnect(Disconnect()))
            #expect(gone.up == [.disconnect(Disconnect(properties: sent == 7 ? [] : [.sessionExpiryInterval(0)]))])
        }
    }

    private static let will = Will(topic: "will", payload: ByteBuffer(string: "gone"))

    /// A delay keeps most brokers from publishing the will meanwhile. What the device asked for is void if its session
    /// would have ended with its connection, and stays as it is if not.
    @Test func theWillWaitsForAsLongAsTheDeviceIsHeld() throws {
        let rows: [(expiry: UInt32?, delay: UInt32?, sent: UInt32?)] = [
            (nil, nil, 300), (0, nil, 300), (nil, 0, 300), (nil, 10, 300), (0, 1_000, 1_000), (7, nil, nil), (7, 5, 5),
            (1_000, 600, 600),
        ]
        for (expiry, delay, sent) in rows {
            for isHeld in [true, false] {
                var bench = try HoldBench(.v5_0, isHeld: isHeld)
                _ = try bench.bench.device(
                    bench.bench.connect {
                        $0.properties.sessionExpiryInterval = expiry
                        $0.will = Self.will
                        $0.will?.properties.willDelayInterval = delay
                    })
                var legs: [Packet?] = [try bench.ready().up.first]
                if isHeld {
                    _ = try bench.broker(.connack(Connack()))
                    try bench.lose()
                    legs.append(try bench.ready().up.first)
                }
                for case .connect(let connect)? in legs {
                    #expect(connect.will?.properties.willDelayInterval == (isHeld ? sent : delay))
                    #expect(connect.will?.topic == "will" && connect.will?.payload == Self.will.payload)
                }
                #expect(legs.allSatisfy { $0 != nil })
            }
        }
        // In 3.1.1 nothing can be delayed, nor if there is no will.
        var bench = try HoldBench(.v3_1_1)
        _ = try bench.bench.device(bench.bench.connect { $0.will = Self.will })
        guard case .connect(let connect)? = try bench.ready().up.first else { throw HoldBench.BenchError.noConnect }
        #expect(connect.will == Self.will)
    }

    /// A broker that noticed the silence first would keep the will back, and Mosquitto closes without a reason then.
    @Test func theBridgeNoticesASilentDeviceBeforeTheBroker() throws {
        let rows: [(keepAlive: UInt16, expiry: UInt32?, hasWill: Bool, sent: UInt16)] = [
            (60, nil, true, 62), (1, 0, true, 3), (0, nil, true, 0), (65_534, nil, true, 65_535), (60, 7, true, 60),
            (60, nil, false, 60),
        ]
        for (keepAlive, expiry, hasWill, sent) in rows {
            var bench = try HoldBench(.v5_0)
            _ = try bench.bench.device(
                bench.bench.connect {
                    $0.keepAlive = keepAlive
                    $0.properties.sessionExpiryInterval = expiry
                    if hasWill { $0.will = Self.will }
                })
            guard case .connect(let first)? = try bench.ready().up.first else { throw HoldBench.BenchError.noConnect }
            let accepted = try bench.broker(.connack(Connack()))
            let limit: Duration? = keepAlive == 0 ? nil : .seconds(keepAlive) * 3 / 2
            let isLimited = accepted.actions.contains {
                guard case .connected(let idleLimit) = $0 else { return false }
                return idleLimit == limit
            }
            #expect(isLimited)
            guard case .connack(let told)? = accepted.down.first else { throw HoldBench.BenchError.noConnect }
            #expect(told.properties.serverKeepAlive == nil)
            try bench.lose()
            guard case .connect(let second)? = try bench.ready().up.first else { throw HoldBench.BenchError.noConnect }
            #expect(first.keepAlive == sent && second.keepAlive == sent, "\(keepAlive)")
        }
    }

    /// The broker may set a keepalive of its own, which counts for both.
    @Test func theBridgeIsAlsoFirstWithTheBrokersOwnKeepalive() throws {
        // `counted` is the keepalive that the bridge itself counts.
        let rows: [(asked: UInt16, byBroker: UInt16, expiry: UInt32?, hasWill: Bool, told: UInt16, counted: UInt16)] = [
            (60, 60, nil, true, 60, 58), (60, 62, 0, true, 62, 60), (0, 65_535, nil, true, 65_535, 65_533),
            (10, 300, nil, true, 300, 298), (60, 12, nil, true, 12, 10), (60, 11, nil, true, 9, 9),
            (60, 2, nil, true, 1, 1), (60, 1, nil, true, 1, 1), (60, 0, nil, true, 0, 0), (60, 60, 7, true, 60, 60),
            (60, 60, nil, false, 60, 60),
        ]
        for (asked, byBroker, expiry, hasWill, told, counted) in rows {
            var bench = try HoldBench(.v5_0)
            _ = try bench.bench.device(
                bench.bench.connect {
                    $0.keepAlive = asked
                    $0.properties.sessionExpiryInterval = expiry
                    if hasWill { $0.will = Self.will }
                })
            _ = try bench.ready()
            let limits = Connack(properties: [.serverKeepAlive(byBroker)])
            let accepted = try bench.broker(.connack(limits))
            let limit: Duration? = counted == 0 ? nil : .seconds(counted) * 3 / 2
            #expect(accepted.actions.idleLimit == .some(limit), "\(asked), \(byBroker)")
            guard case .connack(let connack)? = accepted.down.first else { throw HoldBench.BenchError.noConnect }
            #expect(connack.properties.serverKeepAlive == told, "\(asked), \(byBroker)")
            // On another leg the broker sets the same one, and the device has been told enough.
            try bench.lose()
            #expect(try bench.comeBack(true, [.serverKeepAlive(byBroker)]).end == nil, "\(asked), \(byBroker)")
        }
    }

    /// EMQX publishes no will at a DISCONNECT that also ends the session in the same moment.
    @Test func aSessionWhoseWillIsDueLastsForAnotherSecond() throws {
        let ends: [(name: String, code: UInt8, end: (inout HoldBench) throws -> [SessionAction])] = [
            ("vanished", 4, { $0.bench.session.deviceClosed() }),
            ("keepalive", 4, { $0.bench.session.timedOut(.keepAlive) }),
            ("no MQTT", 4, { $0.bench.session.deviceMisbehaved(.secondConnect, start: ByteBuffer()) }),
            ("expiry at the end", 4, { try $0.bench.device(Self.disconnect(0, expiry: 60)) }),
            ("expiry and will", 4, { try $0.bench.device(Self.disconnect(4, expiry: 60)) }),
            ("with will", 4, { try $0.bench.device(Self.disconnect(4)) }),
            ("with will, expiry 0", 4, { try $0.bench.device(Self.disconnect(4, expiry: 0)) }),
            ("an error of the device's", 0x80, { try $0.bench.device(Self.disconnect(0x80)) }),
            ("normal", 0, { try $0.bench.device(Self.disconnect(0)) }),
            ("normal, expiry 0", 0, { try $0.bench.device(Self.disconnect(0, expiry: 0)) }),
            ("shutdown", 0, { $0.bench.session.shutDown() }),
        ]
        for (name, code, end) in ends {
            for hasWill in [true, false] {
                var bench = try HoldBench.connected(.v5_0) { if hasWill { $0.will = Self.will } }
                let gone = try bench.outcome(end(&bench))
                let expiry: UInt32 = hasWill && code != 0 ? 1 : 0
                #expect(
                    gone.up == [
                        .disconnect(Disconnect(reasonCode: code, properties: [.sessionExpiryInterval(expiry)]))
                    ],
                    "\(name), will: \(hasWill)")
                #expect(gone.actions.finishesUplink, "\(name)")
            }
        }
    }

    /// The broker has to say what it means.
    @Test func aReasonThatThereIsNotIsPassedOn() throws {
        var bench = try HoldBench.connected(.v5_0) { $0.will = Self.will }
        let actions = bench.bench.session.deviceSent(
            .packet(try Frame(packet: ByteBuffer(bytes: [0xE0, 1, 0x01]), version: .v5_0)))
        #expect(actions.toUplink == [ByteBuffer(bytes: [0xE0, 7, 0x01, 5, 0x11, 0, 0, 0, 1])])
    }

    private static func disconnect(_ code: UInt8, expiry: UInt32? = nil) -> Packet {
        .disconnect(Disconnect(reasonCode: code, properties: expiry.map { [.sessionExpiryInterval($0)] } ?? []))
    }

    /// Only the bridge knows that the device had asked for none.
    @Test func aDeviceThatAsksForAnExpiryAtTheEndIsTold() throws {
        for (own, isWrong) in [(UInt32?.none, true), (0, true), (7, false)] {
            for isConnected in [true, false] {
                var bench = try HoldBench(.v5_0)
                _ = try bench.bench.device(bench.bench.connect { $0.properties.sessionExpiryInterval = own })
                _ = try bench.ready()
                if isConnected { _ = try bench.broker(.connack(Connack())) }
                guard isConnected || bench.accepts else { continue }
                let gone = try bench.device(Self.disconnect(0, expiry: 60))
                #expect((gone.end == .deviceDisconnected) == !isWrong)
                if isWrong {
                    let told = try isConnected ? bench.outcome(bench.bench.session.uplinkEnded()) : gone
                    guard case .disconnect(let told)? = told.down.first else { throw HoldBench.BenchError.noConnect }
                    #expect(told.reasonCode == ReasonCode.protocolError.rawValue)
                } else {
                    #expect(gone.up == [Self.disconnect(0, expiry: 60)])
                }
            }
        }
    }

    @Test func aSessionWithAnExpiryOfItsOwnIsLeftWithoutAWord() throws {
        var bench = try HoldBench.connected(.v5_0) {
            $0.properties.sessionExpiryInterval = 7
            $0.will = Self.will
        }
        #expect(try bench.outcome(bench.bench.session.deviceClosed()).up.isEmpty)
        bench = try HoldBench.connected(.v3_1_1) { $0.will = Self.will }
        #expect(try bench.outcome(bench.bench.session.deviceClosed()).up.isEmpty)
    }
}
