/// Sends commands to a link of another process.
package enum LinkClient {
    /// - Parameter path: The `controlPath` of the link.
    /// - Returns: What the commands tell, one line each; `ok` if nothing.
    /// - Throws: `LinkError.command` in the link's own words if a command is wrong: none is carried out then.
    package static func control(_ path: String, _ commands: [String]) throws(LinkError) -> String {
        let answer = try ControlSocket.request(commands, at: path)
        let mark = "error: "
        guard !answer.hasPrefix(mark) else { throw .command(String(answer.dropFirst(mark.count))) }
        return answer
    }
}
