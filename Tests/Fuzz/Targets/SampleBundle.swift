/// A bundle as the platform makes it.
enum SampleBundle {
    static let password = "p#a%s$s!"

    /// In the order of `BundleFile`.
    static let files = [
        """
        {"protocol": "mqtts", "host": "mqtt.tesaiot.com", "port": 14567, "transport": "quic",
         "tls": {"enabled": true, "version": "1.3", "ca_file": "ca-chain.pem", "verify_server": true,
                 "verify_mode": "server-only"},
         "auth": {"method": "username_password", "username": "sensor-1", "password": "\(password)"},
         "endpoint": "mqtts://mqtt.tesaiot.com:14567",
         "connection": {"keepalive": 60, "clean_session": true, "connect_timeout": 10}}
        """,
        "MQTT_HOST=mqtt.tesaiot.com\nMQTT_PORT=14567\nMQTT_USERNAME=sensor-1\nMQTT_PASSWORD='\(password)'\n",
        """
        {"device_id": "sensor-1", "mqtt": {"quic": {"host": "mqtt.tesaiot.com", "port": 14567},
         "tls": "mqtts://mqtt.tesaiot.com:8884"}}
        """,
        ScratchFolder.pem("CERTIFICATE"),
    ]
}
