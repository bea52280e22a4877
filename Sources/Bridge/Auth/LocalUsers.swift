import BridgeCore
import FileReading
import Logging
import NIOCore
import NIOPosix
import Passwords
import Synchronization

/// The users that the bridge itself authenticates, from a file that is reloaded when it changes.
final class LocalUsers: Sendable {
    private let path: String
    private let file: Mutex<PasswordFile>
    private let watch: FileWatch
    private let threadPool: NIOThreadPool

    /// Reads the file. Throws ``LocalUsersError``.
    init(path: String, threadPool: NIOThreadPool = .singleton) throws {
        self.path = path
        self.watch = FileWatch([path])
        self.file = Mutex(try Self.read(path))
        self.threadPool = threadPool
    }

    /// Hashes on a thread of its own, because the file decides how expensive that is. There is one check per device at
    /// a time.
    func accepts(_ username: String, password: ByteBuffer?, on eventLoop: any EventLoop) -> EventLoopFuture<Bool> {
        let file = file.withLock { $0 }
        let password = password.map { Array($0.readableBytesView) }
        return threadPool.runIfActive(eventLoop: eventLoop) {
            file.accepts(username, password: password) { password, entry in
                PBKDF2.sha512(of: password, salt: entry.salt, iterations: entry.iterations, matches: entry.hash)
            }
        }
    }

    /// How many users there are.
    var count: Int { file.withLock { $0.count } }

    /// Reads the file again whenever it changes, until the task is cancelled. Devices that are connected stay connected.
    func follow(_ logger: Logger) async {
        await watch.run { await self.reload(logger) }
    }

    private func reload(_ logger: Logger) async {
        let path = path
        switch await FileThread.run({ Result { try Self.read(path) } }) {
        case .success(let new)?:
            file.withLock { $0 = new }
            logger.notice(
                "users file reloaded",
                metadata: ["path": "\(path)", "users": "\(new.count)", "leg": "device"])
        case .failure(let error)?:
            logger.warning(
                "reloading the users file failed; the previous users stay in use",
                metadata: ["error": "\(error)", "leg": "device"])
        case nil:
            break
        }
    }

    /// Throws ``LocalUsersError``.
    static func read(_ path: String) throws -> PasswordFile {
        do {
            // The additional byte shows whether the file is too long.
            return try PasswordFile(parsing: try BoundedFile.read(path, upTo: PasswordFile.maximumSize + 1))
        } catch let problem as BoundedFile.Problem {
            throw LocalUsersError(path: path, message: "cannot be read: \(problem)")
        } catch {
            throw LocalUsersError(path: path, message: "\(error)")
        }
    }
}

/// A password file that cannot be used.
package struct LocalUsersError: Error, CustomStringConvertible {
    package let path: String
    /// What is wrong with the file.
    package let message: String

    package var description: String { "\(path): \(message)" }
}
