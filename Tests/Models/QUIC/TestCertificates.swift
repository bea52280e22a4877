import Foundation
import QUICTransport

/// Certificates and keys that the `openssl` command makes once per test run in a temporary folder.
package struct TestCertificates: Sendable {
    package static let shared = TestCertificates()

    package let folder: String

    private init() {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("quic-tests-\(UUID().uuidString)")
        folder = directory.path
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-euc", Self.script]
            process.currentDirectoryURL = directory
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            precondition(process.terminationStatus == 0, "openssl could not make the test certificates")
            atexit { try? FileManager.default.removeItem(atPath: TestCertificates.shared.folder) }
        } catch {
            preconditionFailure("no test certificates: \(error)")
        }
    }

    package func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// A name in the script below: "rsa", "ecdsa", "expired", "future", "other", "address".
    package func server(
        _ name: String = "ecdsa", demandsClientCertificate: Bool = false, ticketKey: QUICTicketKey? = nil,
        antiReplay: QUICAntiReplay? = nil
    ) throws(QUICError) -> QUICTLSContext {
        try .server(
            certificateFile: path("\(name).pem"), keyFile: path("\(name).key"),
            clientCAFile: demandsClientCertificate ? path("client-ca.pem") : nil, ticketKey: ticketKey,
            antiReplay: antiReplay)
    }

    package func client(ca: String = "ec-root.pem", showsCertificate: Bool = false) throws(QUICError) -> QUICTLSContext
    {
        try .client(
            caFile: path(ca), certificateFile: showsCertificate ? path("client.pem") : nil,
            keyFile: showsCertificate ? path("client.key") : nil)
    }

    /// One RSA-2048 certificate is under an RSA-4096 root; ECDSA P-256 ones are under a root or an intermediate.
    private static let script = """
        ec() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
        ca() { openssl req -x509 -new -key "$1.key" -subj "/O=Test/CN=$2" -days 3650 -out "$1.pem" \
            -addext basicConstraints=critical,CA:TRUE; }
        leaf() { # name, issuer, subject, alternative names, key purpose
            openssl req -new -key "$1.key" -subj "/O=Test/CN=$3" -out "$1.csr"
            printf 'basicConstraints=CA:FALSE\\nextendedKeyUsage=%s\\n' "$5" > "$1.ext"
            [ -z "$4" ] || printf 'subjectAltName=%s\\n' "$4" >> "$1.ext"
            openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 825 \
                -extfile "$1.ext" -out "$1.pem"
        }
        dated() { # name, start, end
            ec "$1.key"
            openssl req -new -key "$1.key" -subj "/O=Test/CN=$1" -out "$1.csr"
            : > index.txt; echo 01 > serial
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=.\\n\
        default_md=sha256\\npolicy=p\\nx509_extensions=x\\n[p]\\nO=optional\\nCN=supplied\\n[x]\\n\
        subjectAltName=DNS:broker.test\\nextendedKeyUsage=serverAuth\\n' > ca.cnf
            openssl ca -batch -config ca.cnf -cert ec-root.pem -keyfile ec-root.key -in "$1.csr" \
                -startdate "$2" -enddate "$3" -out "$1.pem" -notext
        }
        openssl genrsa -out rsa-root.key 4096
        ca rsa-root "RSA root"
        openssl genrsa -out rsa.key 2048
        leaf rsa rsa-root broker.test "DNS:broker.test" serverAuth
        ec ec-root.key
        ca ec-root "EC root"
        ec ec-middle.key
        openssl req -new -key ec-middle.key -subj "/O=Test/CN=EC intermediate" -out ec-middle.csr
        echo 'basicConstraints=critical,CA:TRUE' > ec-middle.ext
        openssl x509 -req -in ec-middle.csr -CA ec-root.pem -CAkey ec-root.key -CAcreateserial -days 3650 \
            -extfile ec-middle.ext -out ec-middle.pem
        ec ecdsa.key
        leaf ecdsa ec-middle broker.test "DNS:broker.test,DNS:*.devices.test" serverAuth
        cat ec-middle.pem >> ecdsa.pem
        ec other.key
        leaf other ec-root other.test "DNS:other.test,DNS:alternative.test,IP:192.0.2.9" serverAuth
        ec address.key
        leaf address ec-root address "IP:10.0.0.2,IP:2001:db8::2" serverAuth
        ec purpose.key
        leaf purpose ec-root broker.test "DNS:broker.test" clientAuth
        dated expired 20200101000000Z 20210101000000Z
        dated future 20900101000000Z 20910101000000Z
        # Two more for the key and the name of ec-root.
        printf '[x]\\nbasicConstraints=critical,CA:TRUE\\n' > root.ext
        openssl req -new -key ec-root.key -subj "/O=Test/CN=EC root" -out ec-root.csr
        root() { # name, start, end
            : > index.txt
            openssl ca -batch -config ca.cnf -selfsign -keyfile ec-root.key -in ec-root.csr -startdate "$2" \
                -enddate "$3" -extfile root.ext -extensions x -out "$1.pem" -notext
        }
        root expired-root 20200101000000Z 20210101000000Z
        root future-root 20900101000000Z 20910101000000Z
        ec client-ca.key
        ca client-ca "Client CA"
        ec client.key
        leaf client client-ca device-7 "" clientAuth
        { echo; cat ec-middle.pem; echo; cat ec-root.pem; } > ec-chain.pem
        """
}
