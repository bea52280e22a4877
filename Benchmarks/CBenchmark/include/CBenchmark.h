#ifndef CBENCHMARK_H
#define CBENCHMARK_H

#include <poll.h>
#include <spawn.h>
#include <stdint.h>

/* The Linux calls of the benchmarks that Swift cannot import: GNU extensions, and functions with variable arguments.
 * Each returns -1 and sets errno if it fails. */

/* Opens the network namespace that the calling thread is in. Returns its descriptor. */
int cbenchmark_current_namespace(void);

/* Opens the network namespace that `ip netns add` has given this name. Returns its descriptor. */
int cbenchmark_named_namespace(const char *name);

/* Moves the calling thread, and no other one, to a network namespace. */
int cbenchmark_enter_namespace(int descriptor);

/* Creates a TUN device in the calling thread's namespace, whose packets have no header in front. The device queues as
 * many packets as `queue_length` until they are read. Returns its descriptor, which does not block. */
int cbenchmark_open_tun(const char *name, int queue_length);

/* Waits as poll(2), but with a timeout in nanoseconds. */
int cbenchmark_poll(struct pollfd *descriptors, unsigned count, int64_t timeout_ns);

/* Closes all descriptors from `first` on in the process that is started. */
int cbenchmark_close_from(posix_spawn_file_actions_t *actions, int first);

/* Makes the calling thread's timeouts as exact as the kernel can. */
int cbenchmark_exact_timeouts(void);

#endif
