#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Judges the mode of a file with a secret.
enum FileMode {
    /// Whether anyone but the program's user and root may read a file.
    ///
    /// A file of another user, such as root, with the program's own group and mode 640 is not: the group is how the
    /// program gets to it. Debian's services and the secrets of Kubernetes (`fsGroup`) have their files like that.
    static func isReadableByOthers(_ file: stat, user: uid_t = geteuid(), group: gid_t = getegid()) -> Bool {
        if file.st_mode & S_IROTH != 0 { return true }
        guard file.st_mode & S_IRGRP != 0 else { return false }
        return file.st_uid == user || file.st_gid != group
    }
}
