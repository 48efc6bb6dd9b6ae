/* How requests come and replies go. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "memory.h"

/* Serves /dev/fuse on `device` with a clone of it per thread, until the mount is gone. */
void serve_device(const struct session *session, int device, int threads);

/*
 * Answers INIT over the device, then serves a queue for each possible processor over io_uring: `threads` of them a
 * processor, each with a ring and one entry. What still comes over the device (FORGET, INTERRUPT) is served beside.
 * Returns when the mount is gone; ends the process where the kernel refuses.
 */
void serve_uring(const struct session *session, int device, int threads, int pinned);

/* Answers what a read from a device brought. */
void answer_bytes(const struct session *session, int device, const char *bytes, size_t size, char *payload);

/* Prints what failed and ends the process. */
_Noreturn void die(const char *what);

#endif
