import ArgumentParser

extension ExitCode {
    /// EX_CONFIG in sysexits.h: the configuration is not usable, so a supervisor need not start the program again.
    static let configuration = ExitCode(78)
    /// EX_UNAVAILABLE in sysexits.h: the broker could not be reached.
    static let unavailable = ExitCode(69)
}
