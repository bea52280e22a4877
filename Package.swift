// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// For what no message passes through: in a release, size counts there. Not for what a library has in it, because no package
/// could use a library with such flags.
let small: [SwiftSetting] = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// Set by scripts/fuzz only: it adds to the C what a fuzz target needs to write packets of its own.
let isFuzzing = Context.environment["BRIDGE_FUZZING"] != nil

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

let package = Package(
    name: "mqtt-quic-bridge",
    products: [
        .executable(name: "mqtt-quic-bridge", targets: ["mqtt-quic-bridge"]),
        .library(name: "MQTTQUICClient", targets: ["MQTTQUICClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
    ],
    targets: [
        .target(
            name: "CNGTCP2",
            cSettings: isFuzzing ? [.define("BRIDGE_FUZZING")] : [],
            linkerSettings: [
                .linkedLibrary("ngtcp2"), .linkedLibrary("ngtcp2_crypto_gnutls"), .linkedLibrary("gnutls"),
            ]
        ),
        .target(
            name: "QUICTransport",
            dependencies: ["CNGTCP2", nioCore, nioPosix, logging, deque, heap],
            swiftSettings: strict
        ),
        .target(
            name: "TLSTransport", dependencies: ["QUICTransport", nioCore, nioPosix, nioSSL, nioTLS],
            swiftSettings: strict),
        .target(name: "Passwords", dependencies: ["CNGTCP2"], swiftSettings: strict),
        .target(name: "MQTTCodec", dependencies: [nioCore], swiftSettings: strict),
        .target(name: "FileReading", swiftSettings: strict),
        .target(name: "BridgeCore", dependencies: ["MQTTCodec", nioCore, heap], swiftSettings: strict),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "BridgeConfig", dependencies: ["BridgeCore", "CYAML", "FileReading"], swiftSettings: small),
        .systemLibrary(name: "CMinizip", pkgConfig: "minizip", providers: [.apt(["libminizip-dev", "zlib1g-dev"])]),
        .target(
            name: "BridgeSetup", dependencies: ["BridgeConfig", "BridgeCore", "CMinizip"], swiftSettings: small),
        .target(
            name: "Bridge",
            dependencies: [
                "BridgeCore", "FileReading", "MQTTCodec", "Passwords", "QUICTransport", "TLSTransport", nioCore,
                nioPosix, logging, deque,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "MQTTQUICClient",
            dependencies: ["MQTTCodec", "QUICTransport", "TLSTransport", nioCore, nioPosix, logging, deque],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "example-sensor", dependencies: ["MQTTQUICClient"], path: "examples/sensor", swiftSettings: strict),
        .executableTarget(
            name: "example-command-receiver", dependencies: ["MQTTQUICClient"], path: "examples/command-receiver",
            swiftSettings: strict),
        .target(
            name: "BridgeAdmin",
            dependencies: [
                "BridgeCore", "FileReading", "TLSTransport", nioCore, nioPosix, nioHTTP1, logging, metrics, httpTypes,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ],
            resources: [.embedInCode("Page/Resources"), .embedInCode("API/Resources")],
            swiftSettings: small
        ),
        .target(name: "Measurement", swiftSettings: strict),
        .target(
            name: "BrokerProbe",
            dependencies: ["BridgeCore", "MQTTCodec", "QUICTransport", nioCore, nioPosix, logging],
            swiftSettings: small
        ),
        .executableTarget(
            name: "mqtt-quic-bridge",
            dependencies: [
                "Bridge", "BridgeAdmin", "BridgeConfig", "BridgeCore", "BridgeSetup", "BrokerProbe", "MQTTCodec",
                "MQTTQUICClient", "Measurement", "QUICTransport", nioCore, nioPosix, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: small,
            plugins: ["RecordDependencies"]
        ),
        .plugin(name: "RecordDependencies", capability: .buildTool(), dependencies: ["record-dependencies"]),
        .executableTarget(
            name: "record-dependencies", path: "Plugins/RecordDependenciesTool", swiftSettings: strict),
        .target(name: "CBenchmark", path: "Benchmarks/CBenchmark"),
        .target(
            name: "BenchmarkLink", dependencies: ["CBenchmark", deque], path: "Benchmarks/Link",
            swiftSettings: strict),
        .target(
            name: "BenchmarkLoad",
            dependencies: ["CBenchmark", "MQTTCodec", "Measurement", "QUICTransport", nioCore, nioPosix, deque],
            path: "Benchmarks/Load",
            swiftSettings: strict
        ),
        .target(
            name: "BenchmarkSuite", dependencies: ["BenchmarkLink", "BenchmarkLoad", "BridgeConfig", "CBenchmark"],
            path: "Benchmarks/Suite", swiftSettings: strict),
        .target(
            name: "BenchmarkEndurance",
            dependencies: ["BenchmarkLoad", "BenchmarkSuite", "MQTTCodec", "QUICTransport", nioCore, nioPosix],
            path: "Benchmarks/Endurance", swiftSettings: strict),
        .executableTarget(
            name: "bench",
            dependencies: [
                "BenchmarkEndurance", "BenchmarkLink", "BenchmarkLoad", "BenchmarkSuite", "MQTTCodec",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Benchmarks/Command",
            swiftSettings: strict
        ),
        .target(name: "CAllocationCounter", path: "Benchmarks/AllocationCounter"),
        .target(
            name: "BenchmarkMicro",
            dependencies: ["BridgeCore", "MQTTCodec", "QUICTransport", nioCore],
            path: "Benchmarks/Micro",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "bench-micro",
            dependencies: ["BenchmarkMicro", "CAllocationCounter"],
            path: "Benchmarks/MicroCommand",
            swiftSettings: strict
        ),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "SessionModel", dependencies: ["BridgeCore", "MQTTCodec", "TestSupport", nioCore],
            path: "Tests/Models/Session", swiftSettings: strict),
        .target(
            name: "QUICSimulation", dependencies: ["QUICTransport", "TestSupport", nioCore], path: "Tests/Models/QUIC",
            swiftSettings: strict),
        .target(
            name: "ClientModel", dependencies: ["MQTTQUICClient", "MQTTCodec", "TestSupport", nioCore],
            path: "Tests/Models/Client", swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "BridgeConfig", "BridgeCore", "BridgeSetup", "ClientModel", "MQTTCodec", "QUICSimulation",
                "QUICTransport",
                "SessionModel", "TestSupport", nioCore,
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Command", swiftSettings: strict),
        .testTarget(name: "FileReadingTests", dependencies: ["FileReading"], swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
        .testTarget(
            name: "BenchmarkTests",
            dependencies: [
                "BenchmarkEndurance", "BenchmarkLink", "BenchmarkLoad", "BenchmarkSuite", "Measurement", "TestSupport",
                "MQTTCodec", nioCore,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "QUICTransportTests",
            dependencies: ["QUICSimulation", "QUICTransport", "TestSupport", nioCore, nioPosix], swiftSettings: strict),
        .testTarget(
            name: "TLSTransportTests", dependencies: ["TLSTransport", "QUICTransport", nioCore], swiftSettings: strict),
        .testTarget(
            name: "MQTTCodecTests", dependencies: ["MQTTCodec", "TestSupport", nioCore], swiftSettings: strict),
        .testTarget(
            name: "PasswordsTests", dependencies: ["Passwords", "BridgeCore"], swiftSettings: strict),
        .testTarget(
            name: "BridgeCoreTests", dependencies: ["BridgeCore", "MQTTCodec", "SessionModel", "TestSupport", nioCore],
            swiftSettings: strict),
        .testTarget(
            name: "MQTTQUICClientTests",
            dependencies: [
                "ClientModel", "MQTTQUICClient", "MQTTCodec", "QUICTransport", "TLSTransport", "TestSupport", logging,
                nioCore, nioPosix,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BridgeAdminTests",
            dependencies: [
                "BridgeAdmin", "BridgeCore", "TestSupport", nioCore, nioPosix, logging, metrics, httpTypes,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BridgeConfigTests",
            dependencies: ["BridgeConfig", "BridgeCore", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "BridgeSetupTests", dependencies: ["BridgeSetup", "BridgeConfig", "BridgeCore"],
            swiftSettings: strict),
        .testTarget(
            name: "BenchmarkMicroTests", dependencies: ["BenchmarkMicro", "bench-micro"], swiftSettings: strict),
        .testTarget(
            name: "MeasurementTests", dependencies: ["Measurement", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "BrokerProbeTests", dependencies: ["BrokerProbe", "MQTTCodec", "QUICTransport", nioCore],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "mqtt-quic-bridge", "Bridge", "BridgeAdmin", "BridgeConfig", "BridgeCore", "BrokerProbe",
                "MQTTQUICClient", logging, nioCore, nioPosix,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "BenchmarkLink", "BenchmarkLoad", "Bridge", "BridgeAdmin", "BridgeCore", "BrokerProbe", "MQTTCodec",
                "MQTTQUICClient", "QUICTransport", "TLSTransport", "TestSupport", "mqtt-quic-bridge", logging, nioCore,
                nioPosix,
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
