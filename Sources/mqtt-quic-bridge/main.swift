print("mqtt-quic-bridge")
