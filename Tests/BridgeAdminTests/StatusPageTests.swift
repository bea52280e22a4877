import Testing

@testable import BridgeAdmin

struct StatusPageTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000),
            "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"
        ),
    ])
    func sha256(text: String, expected: String) {
        let digits = SHA256.hash(Array(text.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0\(text)" : text
        }
        #expect(digits.joined() == expected)
    }

    @Test func thePageIsWholeAndLoadsNothing() {
        let html = StatusPage.shared.html
        #expect(!html.contains("/*STYLE*/") && !html.contains("/*SCRIPT*/"))
        #expect(html.components("<script").count == 2 && html.components("</script").count == 2)
        #expect(html.components("<style").count == 2 && html.components("</style").count == 2)
        for way in [
            "<img", "<link rel=\"stylesheet", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML",
            "document.write", "eval(",
        ] {
            #expect(!html.contains(way), "\(way)")
        }
    }

    @Test func thePolicyAllowsOnlyWhatIsInThePage() {
        let policy = StatusPage.shared.contentSecurityPolicy
        #expect(policy.hasPrefix("default-src 'none'; script-src 'sha256-"))
        #expect(!policy.contains("unsafe"))
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [Substring] { split(separator: separator) }
}
