#include "allocation_counter.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

// glibc's own names of its allocator. Since this file defines malloc and the others, the whole process uses them.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// A thread of its own that a library starts must not disturb the figures of the thread that measures.
static _Thread_local uint64_t allocations;

uint64_t allocation_counter_value(void) { return allocations; }

__attribute__((noinline)) void allocation_counter_section(void (*body)(void *context), void *context) {
    body(context);
    // Keeps the call above from becoming a jump, after which Callgrind would not see this function end.
    __asm__ volatile("" ::: "memory");
}

void *malloc(size_t size) {
    allocations += 1;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations += 1;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocations += 1;
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    allocations += 1;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    allocations += 1;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    allocations += 1;
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) {
        return ENOMEM;
    }
    *result = memory;
    return 0;
}

void *valloc(size_t size) {
    allocations += 1;
    return __libc_memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    allocations += 1;
    return __libc_memalign(page, (size + page - 1) / page * page);
}
