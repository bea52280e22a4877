#define _GNU_SOURCE
#include "CBenchmark.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int cbenchmark_current_namespace(void) { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

int cbenchmark_named_namespace(const char *name) {
    char path[256];
    int length = snprintf(path, sizeof path, "/run/netns/%s", name);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_RDONLY | O_CLOEXEC);
}

int cbenchmark_enter_namespace(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

/* The queue's length is set by way of a socket, not by the device's own descriptor. */
static int set_queue_length(struct ifreq *request, int queue_length) {
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0) return -1;
    request->ifr_qlen = queue_length;
    int result = ioctl(control, SIOCSIFTXQLEN, request);
    int error = errno;
    close(control);
    errno = error;
    return result;
}

int cbenchmark_open_tun(const char *name, int queue_length) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request.ifr_name, name);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0) return -1;
    if (ioctl(device, TUNSETIFF, &request) != 0 || set_queue_length(&request, queue_length) != 0) {
        int error = errno;
        close(device);
        errno = error;
        return -1;
    }
    return device;
}

int cbenchmark_poll(struct pollfd *descriptors, unsigned count, int64_t timeout_ns) {
    if (timeout_ns < 0) timeout_ns = 0;
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    return ppoll(descriptors, count, &timeout, NULL);
}

int cbenchmark_exact_timeouts(void) { return prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

int cbenchmark_close_from(posix_spawn_file_actions_t *actions, int first) {
    int error = posix_spawn_file_actions_addclosefrom_np(actions, first);
    if (error == 0) return 0;
    errno = error;
    return -1;
}
