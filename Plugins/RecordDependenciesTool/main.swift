import Foundation

// Writes the source file that the plug-in RecordDependencies asks for.
//
//   record-dependencies OUTPUT [NAME VERSION LOCATION]...

let arguments = Array(CommandLine.arguments.dropFirst())
guard let output = arguments.first, arguments.count % 3 == 1 else {
    FileHandle.standardError.write(Data("usage: record-dependencies OUTPUT [NAME VERSION LOCATION]...\n".utf8))
    exit(64)
}

// A debug description is a Swift literal of the string.
let packages = stride(from: 1, to: arguments.count, by: 3).map { first in
    let literals = arguments[first..<first + 3].map(\.debugDescription)
    return """
                SwiftPackage(name: \(literals[0]), version: \(literals[1]), location: \(literals[2])),

        """
}
let source = """
    // The plug-in RecordDependencies wrote this file.

    extension SwiftPackage {
        /// The packages whose code is in this program, by name.
        static let all: [SwiftPackage] = [
    \(packages.joined())    ]
    }

    """
do {
    try source.write(toFile: output, atomically: true, encoding: .utf8)
} catch {
    FileHandle.standardError.write(Data("record-dependencies: \(output) cannot be written: \(error)\n".utf8))
    exit(1)
}
