/// The allocator of ngtcp2: large blocks lie in slots (see slots.c), and a connection's small objects lie in the rooms
/// that some of its slots have before their blocks. What fits nowhere comes from malloc.
#include "memory.h"
#include "slots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if NGTCP2_VERSION_NUM >= 0x010000
/* Its blocks are small, so that slots would cost more than they save. */
#define USES_SLOTS false
#elif defined(__SANITIZE_ADDRESS__)
/* The sanitizer knows only what malloc allocated. */
#define USES_SLOTS false
#elif defined(__has_feature)
#define USES_SLOTS !__has_feature(address_sanitizer)
#else
#define USES_SLOTS true
#endif

/* Every object and block follows a header, and has the alignment of malloc. */
typedef struct {
    /// How many bytes follow.
    uint32_t size;
    uint16_t kind;
    /// The number of pages of a slot, or the number of a room.
    uint16_t place;
    uint64_t padding;
} header;

_Static_assert(sizeof(header) == 16, "malloc aligns to 16 bytes");

/// What an object from malloc begins with. All of a connection's are linked, because ngtcp2 does not free all of them:
/// before 1.6 it forgets a STREAM frame whose data was in so many pieces that it came from malloc, and is in fewer now.
/// A frame of hundreds of pieces may come from a slot, which would be lost; it takes many losses in a row to make one.
typedef struct links {
    struct links *previous;
    struct links *next;
    header head;
} links;

enum { kind_malloc, kind_room, kind_slot, kind_slot_with_room };

enum { unit = 64, room_units = BRIDGE_SLOT_ROOM / unit };

_Static_assert(room_units < 64, "a room's units fit into 64 bits, and a run of them can be shifted");

/* The slots with rooms, in the order in which they are opened, and their pages. ngtcp2 keeps at least as many blocks of
   these sizes to the end: for connection IDs, gaps in sequence numbers, packets in flight, frames and streams. */
static const uint16_t room_pages[] = {4, 3, 3, 3, 4};

enum { max_rooms = sizeof(room_pages) / sizeof(room_pages[0]) };

/* A connection that needs more is so busy that its blocks are full. */
static const unsigned int max_slots = 32;

/* A block shorter than this one is packed better by malloc. */
static const size_t smallest_block = BRIDGE_SLOT_PAGE;
static const size_t largest_size = UINT32_MAX - 4096;

typedef struct {
    uint8_t *slot;
    /// A bit for each unit of the room, which is set if the unit is in use.
    uint64_t used;
    /// Whether a block is in the slot.
    bool has_block;
} room;

struct bridge_memory {
    ngtcp2_mem interface;
    /// How many slots without rooms are in use.
    unsigned int slots;
    unsigned int room_count;
    room rooms[max_rooms];
    links *from_malloc;
    size_t from_malloc_count;
};

static header *header_of(void *object) {
    return (header *)object - 1;
}

static void *set_up(void *place, size_t size, uint16_t kind, size_t number) {
    if (!place) {
        return NULL;
    }
    *(header *)place = (header){.size = (uint32_t)size, .kind = kind, .place = (uint16_t)number};
    return (header *)place + 1;
}

// MARK: Rooms

/// The bits of a run of so many units of a room.
static uint64_t run_of(size_t units, unsigned int at) {
    return (((uint64_t)1 << units) - 1) << at;
}

static size_t units_of(size_t size) {
    return (sizeof(header) + size + unit - 1) / unit;
}

static void *object_in(room *room, unsigned int number, size_t size) {
    size_t units = units_of(size);
    for (unsigned int at = 0; at + units <= room_units; at++) {
        uint64_t run = run_of(units, at);
        if ((room->used & run) == 0) {
            room->used |= run;
            return set_up(room->slot + at * unit, size, kind_room, number);
        }
    }
    return NULL;
}

/// False if there are enough rooms, or no slots.
static bool open_room(bridge_memory *memory) {
    uint8_t *slot = memory->room_count < max_rooms ? bridge_slot_take(room_pages[memory->room_count]) : NULL;
    if (slot) {
        memory->rooms[memory->room_count++] = (room){.slot = slot};
    }
    return slot != NULL;
}

static void *object_in_room(bridge_memory *memory, size_t size) {
    if (!USES_SLOTS || units_of(size) > room_units) {
        return NULL;
    }
    unsigned int next = 0;
    do {
        for (; next < memory->room_count; next++) {
            void *object = object_in(&memory->rooms[next], next, size);
            if (object) {
                return object;
            }
        }
    } while (open_room(memory));
    return NULL;
}

static void leave_room(room *room, const header *head) {
    size_t at = (size_t)((const uint8_t *)head - room->slot) / unit;
    room->used &= ~run_of(units_of(head->size), (unsigned int)at);
}

// MARK: Slots

static void *block_in_slot(bridge_memory *memory, size_t size) {
    size_t whole = BRIDGE_SLOT_ROOM + sizeof(header) + size;
    size_t pages = (whole + BRIDGE_SLOT_PAGE - 1) / BRIDGE_SLOT_PAGE;
    if (!USES_SLOTS || pages < BRIDGE_SLOT_MIN_PAGES || pages > BRIDGE_SLOT_MAX_PAGES) {
        return NULL;
    }
    for (unsigned int i = 0; i < memory->room_count; i++) {
        room *room = &memory->rooms[i];
        if (room_pages[i] == pages && !room->has_block) {
            room->has_block = true;
            return set_up(room->slot + BRIDGE_SLOT_ROOM, size, kind_slot_with_room, i);
        }
    }
    uint8_t *slot = memory->slots < max_slots ? bridge_slot_take(pages) : NULL;
    if (!slot) {
        return NULL;
    }
    memory->slots++;
    return set_up(slot + BRIDGE_SLOT_ROOM, size, kind_slot, pages);
}

// MARK: Objects from malloc

static void *link_up(bridge_memory *memory, links *object, size_t size) {
    if (!object) {
        return NULL;
    }
    object->previous = NULL;
    object->next = memory->from_malloc;
    if (object->next) {
        object->next->previous = object;
    }
    memory->from_malloc = object;
    memory->from_malloc_count++;
    return set_up(&object->head, size, kind_malloc, 0);
}

static void unlink_and_free(bridge_memory *memory, links *object) {
    if (object->next) {
        object->next->previous = object->previous;
    }
    if (object->previous) {
        object->previous->next = object->next;
    } else {
        memory->from_malloc = object->next;
    }
    memory->from_malloc_count--;
    free(object);
}

// MARK: ngtcp2's functions

static void *allocate(size_t size, void *user_data) {
    bridge_memory *memory = user_data;
    if (size > largest_size) {
        return NULL;
    }
    size = (size + 15) & ~(size_t)15;
    void *object = size >= smallest_block ? block_in_slot(memory, size) : object_in_room(memory, size);
    return object ? object : link_up(memory, malloc(sizeof(links) + size), size);
}

static void release(void *object, void *user_data) {
    bridge_memory *memory = user_data;
    if (!object) {
        return;
    }
    header *head = header_of(object);
    switch (head->kind) {
    case kind_room:
        leave_room(&memory->rooms[head->place], head);
        break;
    case kind_slot:
        memory->slots--;
        bridge_slot_give_back((uint8_t *)head - BRIDGE_SLOT_ROOM, head->place);
        break;
    case kind_slot_with_room:
        memory->rooms[head->place].has_block = false;
        break;
    default:
        unlink_and_free(memory, (links *)((uint8_t *)head - offsetof(links, head)));
        break;
    }
}

static void *allocate_zeroed(size_t count, size_t size, void *user_data) {
    if (size > 0 && count > largest_size / size) {
        return NULL;
    }
    /* Memory that is zeroed is used as a whole, so it does not belong in a slot. */
    if (count * size >= smallest_block) {
        return link_up(user_data, calloc(1, sizeof(links) + count * size), count * size);
    }
    void *object = allocate(count * size, user_data);
    if (object) {
        memset(object, 0, count * size);
    }
    return object;
}

static void *reallocate(void *object, size_t size, void *user_data) {
    if (object && header_of(object)->size >= size) {
        return object;
    }
    void *larger = allocate(size, user_data);
    if (object && larger) {
        memcpy(larger, object, header_of(object)->size);
        release(object, user_data);
    }
    return larger;
}

// MARK: The owner's functions

bridge_memory *bridge_memory_new(void) {
    /* It begins on the stack, because it lies in its own first room if there are rooms. */
    bridge_memory first = {.interface = {.malloc = allocate, .free = release, .calloc = allocate_zeroed,
                                         .realloc = reallocate}};
    bridge_memory *memory = allocate(sizeof(first), &first);
    if (memory) {
        *memory = first;
        memory->interface.user_data = memory;
    }
    return memory;
}

void bridge_memory_free(bridge_memory *memory) {
    if (!memory) {
        return;
    }
    bridge_memory last = *memory;
    release(memory, &last);
    while (last.from_malloc) {
        unlink_and_free(&last, last.from_malloc);
    }
    for (unsigned int i = 0; i < last.room_count; i++) {
        bridge_slot_give_back(last.rooms[i].slot, room_pages[i]);
    }
}

size_t bridge_memory_objects_from_malloc(const bridge_memory *memory) {
    return memory->from_malloc_count;
}

const ngtcp2_mem *bridge_memory_interface(const bridge_memory *memory) {
    return &memory->interface;
}

void *bridge_memory_zeroed(bridge_memory *memory, size_t size) {
    return allocate_zeroed(1, size, memory);
}

void bridge_memory_release(bridge_memory *memory, void *object) {
    release(object, memory);
}
