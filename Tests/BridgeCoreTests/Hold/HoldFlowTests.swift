import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// The link is lost at every point of a flow, and the broker has kept the session or has not.
@Suite struct HoldFlowTests {
    private static let versions: [MQTTVersion] = [.v3_1_1, .v5_0]

    // MARK: Up

    @Test(arguments: versions, [true, false])
    func exactlyOnceUp(_ version: MQTTVersion, _ isPresent: Bool) throws {
        let message = Packet.message("a", .exactlyOnce, 1)
        for point in 0...3 {
            var bench = try HoldBench.connected(version) { $0.cleanStart = false }
            if point == 0 { try bench.lose() }
            _ = try bench.device(message)
            if point == 1 { try bench.lose() }
            if point > 1 {
                _ = try bench.broker(.ack(.pubrec, 1))
                if point == 2 { try bench.lose() }
                _ = try bench.device(.ack(.pubrel, 1))
                if point == 3 { try bench.lose() }
            }
            let back = try bench.comeBack(isPresent)
            switch (point, isPresent) {
            case (0, _), (_, false): #expect(back.up == [message])
            case (1, true): #expect(back.up == [message.again])
            case (_, true): #expect(back.up == [.ack(.pubrel, 1)])
            }
            #expect(back.down.isEmpty && bench.budget.usedBytes > 0)
            // The device gets each answer once, wherever the broker begins again.
            if point < 2 || !isPresent {
                let received = try bench.broker(.ack(.pubrec, 1))
                #expect(received.down == (point < 2 ? [.ack(.pubrec, 1)] : []))
                #expect(received.up == (point < 2 ? [] : [.ack(.pubrel, 1)]))
            }
            if point < 2 { #expect(try bench.device(.ack(.pubrel, 1)).up == [.ack(.pubrel, 1)]) }
            #expect(try bench.broker(.ack(.pubcomp, 1)).down == [.ack(.pubcomp, 1)])
            #expect(bench.budget.usedBytes == 0)
        }
    }

    @Test(arguments: versions, [true, false])
    func theDevicesPubrelComesAfterTheReturn(_ version: MQTTVersion, _ isPresent: Bool) throws {
        let message = Packet.message("a", .exactlyOnce, 1)
        var bench = try HoldBench.connected(version) { $0.cleanStart = false }
        _ = try bench.device(message)
        _ = try bench.broker(.ack(.pubrec, 1))
        try bench.lose()
        let back = try bench.comeBack(isPresent)
        #expect(back.up == (isPresent ? [] : [message]) && back.down.isEmpty)
        let released = try bench.device(.ack(.pubrel, 1))
        #expect(released.up == (isPresent ? [.ack(.pubrel, 1)] : []) && released.down.isEmpty)
        guard !isPresent else { return }
        let received = try bench.broker(.ack(.pubrec, 1))
        #expect(received.up == [.ack(.pubrel, 1)] && received.down.isEmpty)
        #expect(try bench.broker(.ack(.pubcomp, 1)).down == [.ack(.pubcomp, 1)])
    }

    /// The message is published again, and the leg is lost once more at every point of that.
    @Test(arguments: versions, [true, false])
    func aMessageThatIsPublishedAnewIsLostAgain(_ version: MQTTVersion, _ isPresent: Bool) throws {
        let message = Packet.message("a", .exactlyOnce, 1)
        for point in 0...3 {
            var bench = try HoldBench.connected(version) { $0.cleanStart = false }
            _ = try bench.device(message)
            _ = try bench.broker(.ack(.pubrec, 1))
            try bench.lose()
            if point == 0 { #expect(try bench.device(.ack(.pubrel, 1)).up.isEmpty) }
            #expect(try bench.comeBack(false).up == [message])
            if point == 1 { #expect(try bench.device(.ack(.pubrel, 1)).up.isEmpty) }
            if point >= 2 { #expect(try bench.broker(.ack(.pubrec, 1)).down.isEmpty) }
            if point == 3 { #expect(try bench.device(.ack(.pubrel, 1)).up == [.ack(.pubrel, 1)]) }
            try bench.lose()
            let back = try bench.comeBack(isPresent)
            switch (point, isPresent) {
            case (0, true), (1, true): #expect(back.up == [message.again])
            case (2, true): #expect(back.up.isEmpty)
            case (_, true): #expect(back.up == [.ack(.pubrel, 1)])
            case (_, false): #expect(back.up == [message])
            }
            if point < 2 || !isPresent {
                let received = try bench.broker(.ack(.pubrec, 1))
                #expect(received.down.isEmpty && received.up == (point == 2 ? [] : [.ack(.pubrel, 1)]))
            }
            if point == 2 { #expect(try bench.device(.ack(.pubrel, 1)).up == [.ack(.pubrel, 1)]) }
            #expect(try bench.broker(.ack(.pubcomp, 1)).down == [.ack(.pubcomp, 1)])
            #expect(bench.budget.usedBytes == 0)
        }
    }

    /// The broker does not accept the message any more: the device, which has been told PUBREC, can still finish.
    @Test(arguments: [true, false]) func aMessageThatIsRefusedAnewEndsHere(isReleased: Bool) throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(.message("a", .exactlyOnce, 1))
        _ = try bench.broker(.ack(.pubrec, 1))
        try bench.lose()
        if isReleased { _ = try bench.device(.ack(.pubrel, 1)) }
        _ = try bench.comeBack(false)
        let refused = try bench.broker(.ack(.pubrec, 1, 0x97))
        #expect(refused.up.isEmpty && refused.down == (isReleased ? [.ack(.pubcomp, 1)] : []))
        if !isReleased { #expect(try bench.device(.ack(.pubrel, 1)).down == [.ack(.pubcomp, 1)]) }
        #expect(bench.budget.usedBytes == 0)
    }

    /// EMQX has taken the message already, and says so when the bridge sends it again.
    @Test(arguments: [true, false]) func aMessageThatIsKnownHasArrived(isReleased: Bool) throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(.message("a", .exactlyOnce, 1))
        try bench.lose()
        if isReleased { _ = try bench.device(.ack(.pubrel, 1)) }
        _ = try bench.comeBack(true)
        let taken = try bench.broker(.ack(.pubrec, 1, 0x91))
        #expect(taken.down == [.ack(.pubrec, 1)] && taken.up == (isReleased ? [.ack(.pubrel, 1)] : []))
        if !isReleased { #expect(try bench.device(.ack(.pubrel, 1)).up == [.ack(.pubrel, 1)]) }
        #expect(try bench.broker(.ack(.pubcomp, 1)).down == [.ack(.pubcomp, 1)])
        #expect(bench.budget.usedBytes == 0)
        // What the bridge has not repeated is the device's own affair.
        _ = try bench.device(.message("a", .exactlyOnce, 2))
        #expect(try bench.broker(.ack(.pubrec, 2, 0x91)).down == [.ack(.pubrec, 2, 0x91)])
    }

    /// The device sends PUBREL without waiting for PUBREC.
    @Test(arguments: [true, false]) func aReleaseThatIsEarly(isPresent: Bool) throws {
        let message = Packet.message("a", .exactlyOnce, 1)
        for point in 0...3 {
            var bench = try HoldBench.connected(.v5_0)
            if point == 0 { try bench.lose() }
            if point == 1 { _ = try bench.silence() }
            _ = try bench.device(message)
            #expect(try bench.device(.ack(.pubrel, 1)).up == (point < 2 ? [] : [.ack(.pubrel, 1)]))
            if point == 1 { #expect(try bench.answer(after: .seconds(1)).up == [message]) }
            if point == 2 { try bench.lose() }
            if point == 0 || point == 2 {
                let back = try bench.comeBack(isPresent)
                #expect(back.up == [point == 2 && isPresent ? message.again : message] && back.down.isEmpty)
            }
            let received = try bench.broker(.ack(.pubrec, 1))
            #expect(received.down == [.ack(.pubrec, 1)] && received.up == (point == 3 ? [] : [.ack(.pubrel, 1)]))
            #expect(try bench.broker(.ack(.pubcomp, 1)).down == [.ack(.pubcomp, 1)])
            #expect(bench.budget.usedBytes == 0)
        }
    }

    /// The device repeats a message although nothing was lost, and releases it without waiting: it gets what it would get
    /// from the broker.
    @Test func aRepetitionOfTheDeviceGetsItsAnswer() throws {
        var bench = try HoldBench.connected(.v5_0)
        let message = Packet.message("a", .exactlyOnce, 1)
        for packet in [message, message.again, .ack(.pubrel, 1)] {
            #expect(try bench.device(packet).up == [packet])
        }
        for code: UInt8 in [0, 0x91] {
            let answer = try bench.broker(.ack(.pubrec, 1, code))
            #expect(answer.down == [.ack(.pubrec, 1, code)] && answer.up.isEmpty)
        }
        #expect(try bench.broker(.ack(.pubcomp, 1)).down == [.ack(.pubcomp, 1)])
        #expect(bench.budget.usedBytes == 0)
    }

    @Test func aRefusedMessageIsDone() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(.message("a", .exactlyOnce, 1))
        #expect(try bench.broker(.ack(.pubrec, 1, 0x97)).down == [.ack(.pubrec, 1, 0x97)])
        try bench.lose()
        #expect(try bench.comeBack(true).up.isEmpty)
    }

    @Test func whatTheDeviceRepeatsIsSentOnce() throws {
        var bench = try HoldBench.connected(.v3_1_1) { $0.cleanStart = false }
        let message = Packet.message("a", .atLeastOnce, 1)
        _ = try bench.device(message)
        try bench.lose()
        _ = try bench.device(message.again)
        #expect(try bench.comeBack(true).up == [message.again])
    }

    @Test func requestsGoAgain() throws {
        for isPresent in [true, false] {
            var bench = try HoldBench.connected(.v5_0)
            let subscribe = Packet.subscribe(1, ("a", .atLeastOnce))
            let unsubscribe = Packet.unsubscribe(2, "b")
            _ = try bench.device(subscribe)
            try bench.lose()
            _ = try bench.device(unsubscribe)
            #expect(try bench.comeBack(isPresent).up == [subscribe, unsubscribe])
            #expect(try bench.broker(.suback(1, [1])).down == [.suback(1, [1])])
            #expect(try bench.broker(.unsuback(2, [0])).down == [.unsuback(2, [0])])
        }
    }

    // MARK: Down

    @Test(arguments: versions)
    func atLeastOnceDown(_ version: MQTTVersion) throws {
        let message = Packet.message("a", .atLeastOnce, 9)
        // The device answers while it is held, or afterwards.
        for answersEarly in [true, false] {
            var bench = try HoldBench.connected(version) { $0.cleanStart = false }
            #expect(try bench.broker(message).down == [message])
            try bench.lose()
            if answersEarly { #expect(try bench.device(.ack(.puback, 9)).up.isEmpty) }
            #expect(try bench.comeBack(true).up.isEmpty)
            let again = try bench.broker(message.again)
            #expect(again.down.isEmpty && again.up == (answersEarly ? [.ack(.puback, 9)] : []))
            if !answersEarly { #expect(try bench.device(.ack(.puback, 9)).up == [.ack(.puback, 9)]) }
            // The next message under that identifier is another one.
            #expect(try bench.broker(message).down == [message])
        }
    }

    @Test(arguments: versions)
    func exactlyOnceDown(_ version: MQTTVersion) throws {
        let message = Packet.message("a", .exactlyOnce, 9)
        for point in 0...3 {
            var bench = try HoldBench.connected(version) { $0.cleanStart = false }
            _ = try bench.broker(message)
            if point >= 1 { _ = try bench.device(.ack(.pubrec, 9)) }
            if point >= 2 { _ = try bench.broker(.ack(.pubrel, 9)) }
            try bench.lose()
            if point == 3 { #expect(try bench.device(.ack(.pubcomp, 9)).up.isEmpty) }
            _ = try bench.comeBack(true)
            if point < 2 {
                let again = try bench.broker(message.again)
                #expect(again.down.isEmpty && again.up == (point == 1 ? [.ack(.pubrec, 9)] : []))
                if point == 0 { #expect(try bench.device(.ack(.pubrec, 9)).up == [.ack(.pubrec, 9)]) }
                #expect(try bench.broker(.ack(.pubrel, 9)).down == [.ack(.pubrel, 9)])
                #expect(try bench.device(.ack(.pubcomp, 9)).up == [.ack(.pubcomp, 9)])
            } else {
                let again = try bench.broker(.ack(.pubrel, 9))
                #expect(again.down.isEmpty && again.up == (point == 3 ? [.ack(.pubcomp, 9)] : []))
                if point == 2 { #expect(try bench.device(.ack(.pubcomp, 9)).up == [.ack(.pubcomp, 9)]) }
            }
        }
    }

    @Test(arguments: versions)
    func whatTheBrokerForgotIsEndedHere(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version)
        for id in 1...4 as ClosedRange<UInt16> {
            _ = try bench.broker(.message("a", id == 1 ? .atLeastOnce : .exactlyOnce, id))
        }
        for id in [3, 4] as [UInt16] { _ = try bench.device(.ack(.pubrec, id)) }
        _ = try bench.broker(.ack(.pubrel, 4))
        try bench.lose()
        let back = try bench.comeBack(false)
        #expect(back.down == [.ack(.pubrel, 3)] && back.up.isEmpty)
        #expect(try bench.device(.ack(.puback, 1)).up.isEmpty)
        #expect(try bench.device(.ack(.pubrec, 2)).down == [.ack(.pubrel, 2)])
        for id in [2, 3, 4] as [UInt16] {
            let outcome = try bench.device(.ack(.pubcomp, id))
            #expect(outcome.up.isEmpty && outcome.down.isEmpty)
        }
    }

    @Test(arguments: versions)
    func identifiersOfANewSessionDoNotCollide(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version)
        _ = try bench.broker(.message("old", .exactlyOnce, 1))
        _ = try bench.device(.ack(.pubrec, 1))
        try bench.lose()
        #expect(try bench.comeBack(false).down == [.ack(.pubrel, 1)])
        let new = try bench.broker(.message("new", .exactlyOnce, 1))
        guard case .publish(let head, _)? = new.down.first, let id = head.packetID else {
            Issue.record("not delivered")
            return
        }
        #expect(id != 1 && head.topic == "new")
        #expect(try bench.device(.ack(.pubcomp, 1)).up.isEmpty)
        #expect(try bench.device(.ack(.pubrec, id)).up == [.ack(.pubrec, 1)])
        #expect(try bench.broker(.ack(.pubrel, 1)).down == [.ack(.pubrel, id)])
        #expect(try bench.device(.ack(.pubcomp, id)).up == [.ack(.pubcomp, 1)])
        #expect(try bench.broker(.message("next", .atLeastOnce, 1)).down == [.message("next", .atLeastOnce, 1)])
    }

    // MARK: PINGREQ

    @Test func pingsAreAnsweredHere() throws {
        var bench = try HoldBench.connected(.v3_1_1) { $0.keepAlive = 10 }
        #expect(try bench.device(.pingreq).up == [.pingreq])
        // The PINGREQ in flight is answered when nothing comes back, and its late answer is dropped.
        #expect(try bench.silence().down == [.pingresp])
        #expect(try bench.device(.pingreq).down == [.pingresp])
        // The broker has to hear that the device is there.
        #expect(try bench.answer(after: .seconds(5)).up == [.pingreq])
        #expect(try bench.broker(.pingresp).down.isEmpty)
        #expect(try bench.broker(.pingresp).down.isEmpty)
        #expect(try bench.device(.pingreq).up == [.pingreq])
        #expect(try bench.broker(.pingresp).down == [.pingresp])
        _ = try bench.device(.pingreq)
        #expect(try bench.lose().down == [.pingresp])
        #expect(try bench.device(.pingreq).down == [.pingresp])
        #expect(try bench.comeBack(true).up.isEmpty)
    }

    // MARK: Routes

    @Test(arguments: versions, [true, false])
    func routesRewriteOnce(_ version: MQTTVersion, _ isPresent: Bool) throws {
        let routes = [Route(local: "#", remote: "r/#", maximumQoS: 1)]
        var bench = try HoldBench.connected(version, routes: routes) { $0.cleanStart = false }
        _ = try bench.device(.message("a", .exactlyOnce, 1))
        _ = try bench.device(.subscribe(2, ("x", .atLeastOnce), ("y", .exactlyOnce)))
        try bench.lose()
        let back = try bench.comeBack(isPresent)
        let message = Packet.message("r/a", .atLeastOnce, 1)
        #expect(
            back.up == [
                isPresent ? message.again : message, .subscribe(2, ("r/x", .atLeastOnce), ("r/y", .atLeastOnce)),
            ])
        #expect(try bench.broker(.suback(2, [1, 1])).down == [.suback(2, [1, 1])])
        // The device's flow follows the QoS that it chose.
        #expect(try bench.broker(.ack(.puback, 1)).down == [.ack(.pubrec, 1)])
        #expect(try bench.device(.ack(.pubrel, 1)).down == [.ack(.pubcomp, 1)])
    }
}
