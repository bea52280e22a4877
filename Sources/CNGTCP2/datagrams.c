/// Sends UDP datagrams.
#ifndef _GNU_SOURCE
/* For struct in6_pktinfo. */
#define _GNU_SOURCE
#endif
#include "include/bridge_datagrams.h"

#include <errno.h>
#include <string.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

bridge_quic_path bridge_path_between(const bridge_address *local, const bridge_address *remote) {
    return (bridge_quic_path){
        .local = &local->at.any,
        .remote = &remote->at.any,
        .local_length = local->length,
        .remote_length = remote->length,
    };
}

void bridge_address_set(bridge_address *address, const struct sockaddr *other, socklen_t length) {
    address->length = length <= sizeof(address->at) ? length : 0;
    memcpy(&address->at, other, address->length);
}

bool bridge_address_equals(const bridge_address *address, const struct sockaddr *other, socklen_t length) {
    return address->length == length && memcmp(&address->at, other, length) == 0;
}

/// Room for the control messages of one call.
typedef union {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
} control_room;

/// Adds a control message behind those that `message` has already.
static void add_control(struct msghdr *message, control_room *room, int level, int type, const void *data,
                        size_t length) {
    struct cmsghdr *header = (struct cmsghdr *)(void *)(room->bytes + message->msg_controllen);
    memset(header, 0, CMSG_SPACE(length));
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(header), data, length);
    message->msg_control = room;
    message->msg_controllen += CMSG_SPACE(length);
}

static void add_source(struct msghdr *message, control_room *room, const bridge_address *local) {
    if (local->length == 0) {
        return;
    }
    if (local->at.any.sa_family == AF_INET && local->at.v4.sin_addr.s_addr != INADDR_ANY) {
        struct in_pktinfo info = {.ipi_spec_dst = local->at.v4.sin_addr};
        add_control(message, room, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else if (local->at.any.sa_family == AF_INET6 && !IN6_IS_ADDR_UNSPECIFIED(&local->at.v6.sin6_addr)) {
        /* Only a link-local address has a scope, and means nothing without its interface. For all others the route
           chooses the interface. Linux takes `::ffff:192.0.2.1` here, too. */
        struct in6_pktinfo info = {
            .ipi6_addr = local->at.v6.sin6_addr,
            .ipi6_ifindex = local->at.v6.sin6_scope_id,
        };
        add_control(message, room, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
}

int bridge_datagrams_send(int socket, const bridge_address *local, const bridge_address *remote, const void *bytes,
                          size_t length, uint16_t segment_size) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {
        .msg_name = (void *)&remote->at,
        .msg_namelen = remote->length,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    control_room control;
    add_source(&message, &control, local);
    if (segment_size > 0) {
        add_control(&message, &control, SOL_UDP, UDP_SEGMENT, &segment_size, sizeof(segment_size));
    }
    return sendmsg(socket, &message, 0) < 0 ? errno : 0;
}
