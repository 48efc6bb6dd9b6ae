/* /dev/fuse: a read brings a request, a write takes the reply. */
#define _GNU_SOURCE
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

struct worker {
	const struct session *session;
	int device;
};

_Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

void answer_bytes(const struct session *session, int device, const char *bytes, size_t size, char *payload)
{
	const struct fuse_in_header *head = (const void *)bytes;
	if (size < sizeof *head)
		return;
	size_t arg = arg_size(head->opcode);
	struct request request = {
		.head = head,
		.arg = bytes + sizeof *head,
		.data = bytes + sizeof *head + arg,
		.data_size = size - sizeof *head - arg,
	};
	struct reply reply = { .bytes = payload };
	memory_answer(session, &request, &reply);
	if (reply.none)
		return;
	size_t length = reply.error ? 0 : reply.size;
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof out + length),
		.error = -reply.error,
		.unique = head->unique,
	};
	struct iovec parts[] = {
		{ &out, sizeof out },
		{ (void *)(uintptr_t)(reply.from ? reply.from : reply.bytes), length },
	};
	/* The kernel may have forgotten the request: ENOENT. */
	if (writev(device, parts, length > 0 ? 2 : 1) < 0 && errno != ENOENT && errno != ENODEV)
		die("reply");
}

static void *work(void *of)
{
	const struct worker *worker = of;
	size_t room = PAYLOAD_MAX + 4096;
	char *bytes = aligned_alloc(4096, room), *payload = aligned_alloc(4096, PAYLOAD_MAX);
	if (!bytes || !payload)
		die("memory");
	for (;;) {
		ssize_t size = read(worker->device, bytes, room);
		if (size >= 0)
			answer_bytes(worker->session, worker->device, bytes, (size_t)size, payload);
		else if (errno == ENODEV)
			return NULL;
		else if (errno != EINTR && errno != EAGAIN && errno != ENOENT)
			die("request");
	}
}

void serve_device(const struct session *session, int device, int threads)
{
	pthread_t ids[64];
	struct worker workers[64];
	if (threads > 64)
		threads = 64;
	for (int i = 0; i < threads; i++) {
		uint32_t source = (uint32_t)device;
		workers[i] = (struct worker){ session, i == 0 ? device : open("/dev/fuse", O_RDWR | O_CLOEXEC) };
		if (i > 0 && (workers[i].device < 0 || ioctl(workers[i].device, FUSE_DEV_IOC_CLONE, &source) < 0))
			die("clone of /dev/fuse");
		if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0)
			die("thread");
	}
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}
