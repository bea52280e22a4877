import ArgumentParser

extension ExitCode {
    /// EX_CONFIG of sysexits.h: the configuration is not usable. A supervisor has no reason to try again.
    static let configuration = ExitCode(78)
    /// EX_UNAVAILABLE: the broker could not be reached.
    static let unavailable = ExitCode(69)
}
