/// The one clock by which ngtcp2 is told the time.
///
/// ngtcp2 aborts the process when its time goes back: 0.12.1 in some places, versions from 0.16 on wherever they take a
/// timestamp. Callers' clocks may, and a caller's time is another than ngtcp2's once that has run ahead. So each time
/// that is given to a connection of ngtcp2's comes from here.
#include "internal.h"

uint64_t bridge_clock_advance(bridge_quic_connection *connection, uint64_t now) {
    now += connection->ahead;
    bridge_pacing_catch_up(connection, now);
    if (now > connection->now) {
        connection->now = now;
    }
    return connection->now;
}
