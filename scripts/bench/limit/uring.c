/*
 * FUSE over io_uring (Linux 6.14, Documentation/filesystems/fuse/fuse-io-uring.rst): each entry is lent to the kernel,
 * which fills it with a request; the next command on it carries the reply and lends it again.
 */
#define _GNU_SOURCE
#include "transport.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* uapi/linux/fuse.h of 6.14. */
enum { CMD_REGISTER = 1, CMD_COMMIT_AND_FETCH = 2 };
struct entry_record {
	uint64_t flags, commit_id;
	uint32_t payload_size, padding;
	uint64_t reserved;
};
struct entry_head {
	char in_out[128];
	char arg[128];
	struct entry_record record;
};
struct command {
	uint64_t flags, commit_id;
	uint16_t queue;
	uint8_t padding[6];
};

struct ring {
	const struct session *session;
	int device, ring, processor, pinned;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_cqe *cqes;
	char *sqes;
	struct entry_head *head;
	char *payload;
	struct iovec parts[2];
};

static void set_up(struct ring *ring)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	ring->ring = (int)syscall(SYS_io_uring_setup, 2, &params);
	if (ring->ring < 0)
		die("io_uring_setup");
	size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->ring, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, params.sq_entries * 128, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->ring,
			  IORING_OFF_SQES);
	if (map == MAP_FAILED || ring->sqes == MAP_FAILED)
		die("mapping of a ring");
	ring->sq_tail = (void *)(map + params.sq_off.tail);
	ring->sq_mask = (void *)(map + params.sq_off.ring_mask);
	ring->sq_array = (void *)(map + params.sq_off.array);
	ring->cq_head = (void *)(map + params.cq_off.head);
	ring->cq_tail = (void *)(map + params.cq_off.tail);
	ring->cq_mask = (void *)(map + params.cq_off.ring_mask);
	ring->cqes = (void *)(map + params.cq_off.cqes);
	ring->head = aligned_alloc(4096, 4096);
	ring->payload = mmap(NULL, PAYLOAD_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!ring->head || ring->payload == MAP_FAILED)
		die("memory");
	ring->parts[0] = (struct iovec){ ring->head, sizeof *ring->head };
	ring->parts[1] = (struct iovec){ ring->payload, PAYLOAD_MAX };
}

static void push(struct ring *ring, uint32_t code, uint64_t commit_id)
{
	uint32_t tail = *ring->sq_tail, index = tail & *ring->sq_mask;
	char *bytes = ring->sqes + index * 128;
	struct io_uring_sqe *sqe = (void *)bytes;
	memset(bytes, 0, 128);
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = ring->device;
	sqe->cmd_op = code;
	if (code == CMD_REGISTER) {
		sqe->addr = (uint64_t)(uintptr_t)ring->parts;
		sqe->len = 2;
	}
	/* The command's own bytes begin where a short entry ends its fixed part: byte 48. */
	struct command command = { .commit_id = commit_id, .queue = (uint16_t)ring->processor };
	memcpy(bytes + 48, &command, sizeof command);
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

/* The reply takes the request's place. */
static uint64_t answer(struct ring *ring)
{
	struct fuse_in_header head;
	memcpy(&head, ring->head->in_out, sizeof head);
	struct request request = {
		.head = &head,
		.arg = ring->head->arg,
		.data = ring->payload,
		.data_size = ring->head->record.payload_size,
	};
	/* Names and data lie in the payload; the reply would overwrite them. */
	static __thread char names[8192];
	if (head.opcode != FUSE_WRITE && request.data_size <= sizeof names) {
		memcpy(names, ring->payload, request.data_size);
		request.data = names;
	}
	struct reply reply = { .bytes = ring->payload };
	memory_answer(ring->session, &request, &reply);
	size_t size = reply.error ? 0 : reply.size;
	if (reply.from && size > 0)
		memcpy(ring->payload, reply.from, size);
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof out + size),
		.error = -reply.error,
		.unique = head.unique,
	};
	memcpy(ring->head->in_out, &out, sizeof out);
	uint64_t commit_id = ring->head->record.commit_id;
	ring->head->record = (struct entry_record){ .commit_id = commit_id, .payload_size = (uint32_t)size };
	return commit_id;
}

static void *work(void *of)
{
	struct ring *ring = of;
	if (ring->pinned) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(ring->processor, &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	set_up(ring);
	push(ring, CMD_REGISTER, 0);
	for (uint32_t submit = 1;;) {
		if (syscall(SYS_io_uring_enter, ring->ring, submit, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 &&
		    errno != EINTR && errno != EAGAIN && errno != EBUSY)
			die("io_uring_enter");
		submit = 0;
		uint32_t at = *ring->cq_head;
		if (at == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
			continue;
		int result = ring->cqes[at & *ring->cq_mask].res;
		__atomic_store_n(ring->cq_head, at + 1, __ATOMIC_RELEASE);
		if (result == -ENOTCONN || result == -ECANCELED || result == -ENODEV)
			return NULL;
		if (result < 0) {
			errno = -result;
			die("FUSE over io_uring");
		}
		push(ring, CMD_COMMIT_AND_FETCH, answer(ring));
		submit = 1;
	}
}

void serve_uring(const struct session *session, int device, int threads, int pinned)
{
	/* INIT comes over the device; only then may entries be registered. */
	char *bytes = aligned_alloc(4096, PAYLOAD_MAX + 4096), *payload = aligned_alloc(4096, PAYLOAD_MAX);
	ssize_t size = read(device, bytes, PAYLOAD_MAX + 4096);
	if (size < 0)
		die("INIT");
	answer_bytes(session, device, bytes, (size_t)size, payload);
	int processors = (int)sysconf(_SC_NPROCESSORS_CONF), count = processors * threads;
	struct ring *rings = calloc((size_t)count, sizeof *rings);
	for (int i = 0; i < count; i++) {
		pthread_t id;
		rings[i] = (struct ring){ .session = session, .device = device, .processor = i % processors, .pinned = pinned };
		if (pthread_create(&id, NULL, work, &rings[i]) != 0)
			die("thread");
	}
	serve_device(session, device, 1);
}
