import NIOCore
import Testing

@testable import BridgeCore

struct BufferListTests {
    private static func buffers(_ count: Int) -> [ByteBuffer] {
        (0..<count).map { ByteBuffer(repeating: UInt8($0), count: $0 + 1) }
    }

    @Test(arguments: 0...5) func aListHasItsBuffersInTheirOrder(count: Int) {
        let buffers = Self.buffers(count)
        var appended = BufferList()
        for buffer in buffers { appended.append(buffer) }
        var added = BufferList()
        added += buffers
        for list in [appended, added] {
            #expect(Array(list) == buffers)
            #expect(list.count == count)
            #expect(list.isEmpty == (count == 0))
            #expect(list.first == buffers.first)
            #expect(list.byteCount == count * (count + 1) / 2)
        }
        #expect(appended == added)
    }

    @Test(arguments: 0...4, 0...4) func listsAreJoined(first: Int, second: Int) {
        let all = Self.buffers(first + second)
        var list = BufferList()
        list += all.prefix(first)
        var more = BufferList()
        more += all.suffix(second)
        list += more
        #expect(Array(list) == all)
    }

    @Test func aBufferIsReplacedInItsPlace() {
        var list = BufferList()
        list += Self.buffers(4)
        for index in list.indices { list[index] = ByteBuffer(integer: UInt16(index)) }
        #expect(Array(list) == (0..<4).map { ByteBuffer(integer: UInt16($0)) })
    }

    @Test func aPacketIsInOneBufferOrTwo() {
        let (head, payload) = (ByteBuffer(string: "head"), ByteBuffer(string: "payload"))
        #expect(Array(BufferList(head)) == [head])
        #expect(Array(BufferList(head, payload)) == [head, payload])
        #expect(Array([head, payload, head] as BufferList) == [head, payload, head])
    }
}
