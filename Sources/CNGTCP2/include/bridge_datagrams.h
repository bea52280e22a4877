/// Socket addresses as C takes them, and the sending of UDP datagrams.
#ifndef BRIDGE_DATAGRAMS_H
#define BRIDGE_DATAGRAMS_H

#include "bridge_base.h"

#include <netinet/in.h>

/// An IPv4 or IPv6 address with its port. A length of 0 stands for none.
typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t length;
} bridge_address;

/// The path between two addresses, which must stay where they are for as long as it is used.
bridge_quic_path bridge_path_between(const bridge_address *local, const bridge_address *remote);
/// Copies an address that another one points to.
void bridge_address_set(bridge_address *address, const struct sockaddr *other, socklen_t length);
bool bridge_address_equals(const bridge_address *address, const struct sockaddr *other, socklen_t length);

/// Sends the bytes by one system call: as one datagram if `segment_size` is 0, otherwise as datagrams of that size, of
/// which the last one may be shorter (UDP GSO). Returns 0 or the error number.
///
/// They leave from `local`, which has to be one of this machine's addresses, written as the socket's family has it: an
/// IPv6 socket's IPv4 address is `::ffff:192.0.2.1`. Its port does not matter. If `local` is none, or a wildcard, the
/// kernel's route decides.
int bridge_datagrams_send(int socket, const bridge_address *local, const bridge_address *remote, const void *bytes,
                          size_t length, uint16_t segment_size);

#endif
