/// The pool of large blocks for ngtcp2, whose pages become resident one by one as they are used.
///
/// ngtcp2 allocates its objects by the dozen, in blocks of 4 to 12 KB: 64 streams, 64 packets in flight, and so on. An
/// idle connection uses a few hundred bytes of each of its eight to ten blocks. In malloc's heap, where blocks lie
/// anywhere, such a block occupies two or three pages; here it occupies one.
#include "slots.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* How many unused slots of a size stay resident. They serve the next handshakes. */
enum { warm_capacity = 32 };

static const size_t chunk_size = 4 * 1024 * 1024;

typedef struct {
    uint8_t *warm[warm_capacity];
    size_t warm_count;
    /// Slots whose pages were returned to the system.
    uint8_t **cold;
    size_t cold_count;
    /// Room for every slot of this size, so that giving back never fails.
    size_t cold_capacity;
    size_t made;
} slot_class;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static slot_class classes[BRIDGE_SLOT_MAX_PAGES + 1];
static uint8_t *chunk;
static size_t chunk_left;

static uint8_t *carve(size_t size) {
    if (chunk_left < size) {
        void *fresh = mmap(NULL, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED) {
            return NULL;
        }
        /* A huge page would make everything resident at once. */
        (void)madvise(fresh, chunk_size, MADV_NOHUGEPAGE);
        chunk = fresh;
        chunk_left = chunk_size;
    }
    uint8_t *slot = chunk;
    chunk += size;
    chunk_left -= size;
    return slot;
}

static uint8_t *make(slot_class *class, size_t pages) {
    if (class->made == class->cold_capacity) {
        size_t capacity = class->cold_capacity == 0 ? 512 : 2 * class->cold_capacity;
        uint8_t **larger = realloc(class->cold, capacity * sizeof(*larger));
        if (!larger) {
            return NULL;
        }
        class->cold = larger;
        class->cold_capacity = capacity;
    }
    uint8_t *slot = carve(pages * BRIDGE_SLOT_PAGE);
    class->made += slot ? 1 : 0;
    return slot;
}

/* With larger pages, as some kernels for arm64 have them, nothing is saved, and pages of slots would overlap. */
static bool has_pages_of_slots(void) {
    return sysconf(_SC_PAGESIZE) == BRIDGE_SLOT_PAGE;
}

uint8_t *bridge_slot_take(size_t pages) {
    if (!has_pages_of_slots()) {
        return NULL;
    }
    slot_class *class = &classes[pages];
    uint8_t *slot;
    pthread_mutex_lock(&lock);
    if (class->warm_count > 0) {
        slot = class->warm[--class->warm_count];
    } else if (class->cold_count > 0) {
        slot = class->cold[--class->cold_count];
    } else {
        slot = make(class, pages);
    }
    pthread_mutex_unlock(&lock);
    return slot;
}

void bridge_slot_give_back(uint8_t *slot, size_t pages) {
    slot_class *class = &classes[pages];
    pthread_mutex_lock(&lock);
    if (class->warm_count < warm_capacity) {
        class->warm[class->warm_count++] = slot;
    } else {
        (void)madvise(slot, pages * BRIDGE_SLOT_PAGE, MADV_DONTNEED);
        class->cold[class->cold_count++] = slot;
    }
    pthread_mutex_unlock(&lock);
}
