#ifndef BRIDGE_QUIC_MEMORY_H
#define BRIDGE_QUIC_MEMORY_H

#include <ngtcp2/ngtcp2.h>

/// The memory of one connection: what ngtcp2 gets, and this target's own. Not thread-safe.
typedef struct bridge_memory bridge_memory;

/// Null if there is not enough memory.
bridge_memory *bridge_memory_new(void);
/// Must be called when ngtcp2 is done with it. It frees what ngtcp2 has not freed.
void bridge_memory_free(bridge_memory *memory);
/// How many of its objects did not fit into slots and their rooms.
size_t bridge_memory_objects_from_malloc(const bridge_memory *memory);

/// The allocator, for as long as the memory exists.
const ngtcp2_mem *bridge_memory_interface(const bridge_memory *memory);
/// Null if there is not enough memory.
void *bridge_memory_zeroed(bridge_memory *memory, size_t size);
void bridge_memory_release(bridge_memory *memory, void *object);

#endif
