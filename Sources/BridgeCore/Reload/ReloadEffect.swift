/// When the new value of a key takes effect, if the configuration is reloaded while the program runs.
package enum ReloadEffect: String, Sendable, CaseIterable {
    /// It applies from now on, to everybody.
    case now
    /// It applies from now on. Devices for which it changes something are disconnected, and come back under it.
    case devicesConcerned
    /// It applies to devices or clients that connect from now on. The others keep what they have.
    case newDevices
    /// It applies to connections to the broker that are made from now on. Those that stand stay as they are.
    case newConnections
    /// It takes effect when the program is started again.
    case restart
}
