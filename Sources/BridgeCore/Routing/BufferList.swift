import NIOCore

/// Buffers in the order in which they are sent. Almost always these are one packet in one buffer, or in two if a route
/// has rewritten its head; so the first two need no memory besides the list itself.
package struct BufferList: Sendable, Equatable {
    private var first: ByteBuffer?
    private var second: ByteBuffer?
    private var rest: [ByteBuffer] = []

    package init() {}

    package init(_ first: ByteBuffer, _ second: ByteBuffer? = nil) {
        self.first = first
        self.second = second
    }

    /// How many bytes the buffers have together.
    var byteCount: Int {
        var sum = (first?.readableBytes ?? 0) + (second?.readableBytes ?? 0)
        for buffer in rest { sum += buffer.readableBytes }
        return sum
    }

    mutating func append(_ buffer: ByteBuffer) {
        if first == nil {
            first = buffer
        } else if second == nil {
            second = buffer
        } else {
            rest.append(buffer)
        }
    }

    static func += (list: inout BufferList, more: some Sequence<ByteBuffer>) {
        for buffer in more { list.append(buffer) }
    }

    static func += (list: inout BufferList, more: BufferList) {
        if list.isEmpty { list = more } else { for buffer in more { list.append(buffer) } }
    }
}

extension BufferList: RandomAccessCollection, MutableCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { (first == nil ? 0 : 1) + (second == nil ? 0 : 1) + rest.count }

    package subscript(index: Int) -> ByteBuffer {
        get {
            switch (index, first, second) {
            case (0, let first?, _): first
            case (1, _, let second?): second
            default: rest[index - 2]
            }
        }
        set {
            precondition(indices.contains(index), "there is no buffer \(index)")
            switch index {
            case 0: first = newValue
            case 1: second = newValue
            default: rest[index - 2] = newValue
            }
        }
    }
}

extension BufferList: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: ByteBuffer...) {
        for buffer in elements { append(buffer) }
    }
}
