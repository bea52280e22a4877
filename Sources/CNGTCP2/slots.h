#ifndef BRIDGE_QUIC_SLOTS_H
#define BRIDGE_QUIC_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/* A slot begins with a room for small objects, and the rest is for one large block. The block begins in the same page
   as the room, which is the only one that it uses as long as it stays almost empty. */
enum {
    BRIDGE_SLOT_PAGE = 4096,
    BRIDGE_SLOT_ROOM = 3072,
    BRIDGE_SLOT_MIN_PAGES = 2,
    BRIDGE_SLOT_MAX_PAGES = 4,
};

/// A slot of so many pages of 4096 bytes, with any contents. Null if there is none. Thread-safe, as is the function
/// below.
uint8_t *bridge_slot_take(size_t pages);
void bridge_slot_give_back(uint8_t *slot, size_t pages);

#endif
