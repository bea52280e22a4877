/// A metric with all its series, as Prometheus understands it (prometheus.io/docs/instrumenting/exposition_formats).
package struct MetricFamily: Sendable, Equatable {
    /// What Prometheus calls the type of a metric.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// What one series shows at the moment of a scrape.
    package enum Value: Sendable, Equatable {
        case number(Double)
        case histogram(DurationHistogram)
    }

    /// One series.
    package struct Sample: Sendable, Equatable {
        /// Names and values; a value may be any text, and there is a bounded number of them.
        package var labels: [Label]
        /// What the series shows now.
        package var value: Value

        package init(_ value: Value, _ labels: [Label] = []) {
            self.labels = labels
            self.value = value
        }
    }

    /// What distinguishes a series from the others of its metric.
    package struct Label: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// With the prefix `mqtt_quic_bridge_`, the unit, and `_total` for counters.
    package var name: String
    /// What is counted, in one sentence.
    package var help: String
    /// Whether the values only grow, go up and down, or are durations in buckets.
    package var kind: Kind
    /// The series, each with labels of its own.
    package var samples: [Sample]

    package init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}
