# Turns the units in deploy/, which are for an installation by hand, into those of the package.

# How to install by hand.
1,/^$/d
s|/usr/local/bin/|/usr/bin/|
s|^Documentation=man:systemd\.[a-z]*(5)|Documentation=man:mqtt-quic-bridge(1)|
s|deploy/\.env\.example|/usr/share/doc/mqtt-quic-bridge/examples/env.example|
# A user that stays, so that files can be given to it: keys, passwords, tickets.
s|^DynamicUser=yes$|User=mqtt-quic-bridge|
