/* A filesystem in memory that does as little as one can: what the benchmark calls the limit. */
#ifndef MEMORY_H
#define MEMORY_H

#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a request's or reply's payload, at most: 1 MiB and a page. */
#define PAYLOAD_MAX ((1u << 20) + 4096u)
#define PAGES_MAX 256

/* A request as either transport delivers it. */
struct request {
	const struct fuse_in_header *head;
	/* The operation's own struct, and what stands behind it: names, data. */
	const void *arg;
	const char *data;
	size_t data_size;
};

/* A reply under construction. The payload goes to `bytes` (PAYLOAD_MAX), or `from` names memory that holds it. */
struct reply {
	int error;
	size_t size;
	char *bytes;
	const void *from;
	/* FORGET and its like have none. */
	int none;
};

/* What the kernel's INIT is answered with. */
struct session {
	int over_uring;
	int writeback;
	/* Files may have extended attributes, and have none: the kernel asks for them. */
	int xattrs;
};

void memory_init(void);

/* Answers one request. */
void memory_answer(const struct session *session, const struct request *request, struct reply *reply);

/* Bytes of the operation's own struct in a request; what follows is data. */
size_t arg_size(uint32_t opcode);

#endif
