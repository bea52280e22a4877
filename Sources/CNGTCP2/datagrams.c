/// Sends UDP datagrams.
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

int bridge_datagrams_send(int socket, const bridge_address *remote, const void *bytes, size_t length,
                          uint16_t segment_size) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {
        .msg_name = (void *)&remote->at,
        .msg_namelen = remote->length,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(sizeof(segment_size))];
    } control;
    if (segment_size > 0) {
        memset(&control, 0, sizeof(control));
        control.header.cmsg_level = SOL_UDP;
        control.header.cmsg_type = UDP_SEGMENT;
        control.header.cmsg_len = CMSG_LEN(sizeof(segment_size));
        memcpy(CMSG_DATA(&control.header), &segment_size, sizeof(segment_size));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control.bytes);
    }
    return sendmsg(socket, &message, 0) < 0 ? errno : 0;
}
