import Foundation

/// As much of JSON Schema 2020-12 as the description of the endpoint uses. A keyword that is not known here is a fault,
/// so that none is believed to be checked that is not.
struct JSONSchema {
    private static let annotations: Set<String> = ["description", "default"]
    private static let known: Set<String> = [
        "$ref", "type", "enum", "properties", "required", "additionalProperties", "items", "minimum", "maximum",
    ]

    let schemas: [String: Any]

    /// What is wrong with a value; empty if nothing is.
    func faults(in value: Any, _ schema: [String: Any], at place: String = "$") -> [String] {
        if let reference = schema["$ref"] as? String {
            let name = reference.replacing("#/components/schemas/", with: "")
            guard let target = schemas[name] as? [String: Any] else { return ["\(reference) is nowhere"] }
            return faults(in: value, target, at: place)
        }
        let strange = Set(schema.keys).subtracting(Self.known).subtracting(Self.annotations)
        var faults = strange.map { "\(place): \($0) is not checked" }
        if let type = schema["type"] as? String, !Self.isOf(type, value) { faults.append("\(place) is no \(type)") }
        if let choices = schema["enum"] as? [String], !choices.contains(value as? String ?? "") {
            faults.append("\(place): \(value) is none of \(choices)")
        }
        if let minimum = schema["minimum"] as? Double, let number = value as? Double, number < minimum {
            faults.append("\(place) is less than \(minimum)")
        }
        if let items = schema["items"] as? [String: Any], let values = value as? [Any] {
            for (index, item) in values.enumerated() {
                faults += self.faults(in: item, items, at: "\(place)[\(index)]")
            }
        }
        if let object = value as? [String: Any] { faults += self.faults(in: object, schema, place) }
        return faults
    }

    private func faults(in object: [String: Any], _ schema: [String: Any], _ place: String) -> [String] {
        let properties = schema["properties"] as? [String: Any] ?? [:]
        let required = schema["required"] as? [String] ?? []
        var faults = required.filter { object[$0] == nil }.map { "\(place).\($0) is missing" }
        for (name, value) in object {
            if let property = (properties[name] ?? schema["additionalProperties"]) as? [String: Any] {
                faults += self.faults(in: value, property, at: "\(place).\(name)")
            } else if schema["additionalProperties"] as? Bool == false {
                faults.append("\(place).\(name) is not described")
            }
        }
        return faults
    }

    private static func isOf(_ type: String, _ value: Any) -> Bool {
        let isBoolean = value is Bool && "\(Swift.type(of: value))".contains("Bool")
        switch type {
        case "object": return value is [String: Any]
        case "array": return value is [Any]
        case "string": return value is String
        case "boolean": return value is Bool
        case "number": return value is Double && !isBoolean
        case "integer": return (value as? Double).map { $0 == $0.rounded() } == true && !isBoolean
        default: return false
        }
    }
}
