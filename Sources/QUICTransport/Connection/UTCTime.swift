/// A time in seconds since 1970, shown as "2026-11-24T08:30:00Z".
package struct UTCTime: CustomStringConvertible {
    let seconds: Int64

    package init(_ seconds: Int64) {
        self.seconds = seconds
    }

    /// In ISO 8601.
    package var description: String {
        let (day, second) = floorDivision(seconds, 86_400)
        let (year, month, dayOfMonth) = civilDate(day)
        let time = [second / 3600, second / 60 % 60, second % 60].map { two($0) }.joined(separator: ":")
        return "\(year)-\(two(month))-\(two(dayOfMonth))T\(time)Z"
    }
}

/// The proleptic Gregorian date of a day counted from 1970-01-01, by 400-year eras that begin in March.
private func civilDate(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivision(day + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
}

private func floorDivision(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

private func two(_ value: Int64) -> String {
    value < 10 ? "0\(value)" : "\(value)"
}
