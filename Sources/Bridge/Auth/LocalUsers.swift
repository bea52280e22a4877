import BridgeCore
import Foundation
import Logging
import NIOCore
import NIOPosix
import Passwords
import Synchronization

/// The users that the bridge itself lets in, from a file that is read again when it changes.
final class LocalUsers: Sendable {
    private let path: String
    private let file: Mutex<PasswordFile>
    private let watch: FileWatch
    private let threadPool: NIOThreadPool

    /// Throws what is wrong with the file.
    init(path: String, threadPool: NIOThreadPool = .singleton) throws {
        self.path = path
        self.watch = FileWatch([path])
        self.file = Mutex(try Self.read(path))
        self.threadPool = threadPool
    }

    /// Hashes on a thread of its own, as the file says how much work that is. One check a device at a time.
    func accepts(_ username: String, password: ByteBuffer?, on eventLoop: any EventLoop) -> EventLoopFuture<Bool> {
        let file = file.withLock { $0 }
        let password = password.map { Array($0.readableBytesView) }
        return threadPool.runIfActive(eventLoop: eventLoop) {
            file.accepts(username, password: password) { password, entry in
                PBKDF2.sha512(of: password, salt: entry.salt, iterations: entry.iterations, matches: entry.hash)
            }
        }
    }

    /// Has the file read again whenever it has changed, and when asked, until it is cancelled. Devices that are in stay
    /// in.
    func follow(_ reloads: AsyncStream<Void>, _ logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch.run { await self.reload(logger) } }
            group.addTask {
                for await _ in reloads { await self.reload(logger) }
            }
        }
    }

    private func reload(_ logger: Logger) async {
        let path = path
        switch await FileThread.run({ Result { try Self.read(path) } }) {
        case .success(let new)?:
            file.withLock { $0 = new }
            logger.notice(
                "the users file was read again",
                metadata: ["path": "\(path)", "users": "\(new.count)", "leg": "device"])
        case .failure(let error)?:
            logger.warning(
                "the new users file is not usable, and the users of before stay",
                metadata: ["error": "\(error)", "leg": "device"])
        case nil:
            break
        }
    }

    /// Throws ``LocalUsersError``.
    static func read(_ path: String) throws -> PasswordFile {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw LocalUsersError(path: path, message: "cannot be read")
        }
        defer { try? handle.close() }
        do {
            // A byte more than allowed tells that there are more.
            let data = try handle.read(upToCount: PasswordFile.maximumSize + 1) ?? Data()
            return try PasswordFile(parsing: Array(data))
        } catch {
            throw LocalUsersError(path: path, message: "\(error)")
        }
    }
}

/// A password file that cannot be used.
package struct LocalUsersError: Error, CustomStringConvertible {
    package let path: String
    package let message: String

    package var description: String { "\(path): \(message)" }
}
