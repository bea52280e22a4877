/// The clock of an ngtcp2 connection.
///
/// ngtcp2 aborts the process if its time goes backwards: 0.12.1 does so in some places, versions from 0.16 on do
/// wherever they take a timestamp. A caller's clock may go backwards, and its time differs from ngtcp2's after that has
/// run ahead. So every time that is given to an ngtcp2 connection comes from here.
#include "internal.h"

uint64_t bridge_clock_advance(bridge_quic_connection *connection, uint64_t now) {
    now += connection->clock.ahead;
    bridge_pacing_catch_up(connection, now);
    if (now > connection->clock.now) {
        connection->clock.now = now;
    }
    return connection->clock.now;
}
