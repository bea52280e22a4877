#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/// How often the calling thread has asked for heap memory since it began: by malloc, calloc, realloc, memalign,
/// posix_memalign, aligned_alloc, valloc and pvalloc, whether it was Swift or a C library that asked. The program that
/// links this target uses glibc's allocator through the counting functions of the same names.
uint64_t allocation_counter_value(void);

/// Calls `body` with `context`. Callgrind recognizes this function by its name, and counts only what runs inside it.
void allocation_counter_section(void (*body)(void *context), void *context);

#endif
