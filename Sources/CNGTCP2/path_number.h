/// Hashes of paths, which are easier to remember than addresses.
#ifndef BRIDGE_QUIC_PATH_NUMBER_H
#define BRIDGE_QUIC_PATH_NUMBER_H

#include "internal.h"

static inline uint64_t bridge_mix(uint64_t hash, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3;
    }
    return hash;
}

static inline uint64_t bridge_mix_address(uint64_t hash, const ngtcp2_addr *address) {
    if (address->addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ip = (const struct sockaddr_in6 *)(const void *)address->addr;
        hash = bridge_mix(hash, &ip->sin6_port, sizeof(ip->sin6_port));
        return bridge_mix(hash, &ip->sin6_addr, sizeof(ip->sin6_addr));
    }
    const struct sockaddr_in *ip = (const struct sockaddr_in *)(const void *)address->addr;
    return bridge_mix(bridge_mix(hash, &ip->sin_port, sizeof(ip->sin_port)), &ip->sin_addr, sizeof(ip->sin_addr));
}

/// The hash of a path, never 0. If two paths have the same one, a datagram is held back without need, and no more.
static inline uint64_t bridge_number_of_path(const ngtcp2_path *path) {
    uint64_t hash = bridge_mix_address(bridge_mix_address(0xcbf29ce484222325, &path->local), &path->remote);
    return hash == 0 ? 1 : hash;
}

#endif
