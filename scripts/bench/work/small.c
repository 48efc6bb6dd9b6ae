/* Operations on many small files. */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void small_path(char *to, const struct task *task, uint64_t number)
{
	snprintf(to, 4096, "%s/s%llu", task->dir, (unsigned long long)number);
}

static size_t size_of(const struct task *task, uint64_t number)
{
	return task->from == 0 ? task->size : task->from + number % (task->size - task->from + 1);
}

static uint64_t write_small(const struct task *task)
{
	char path[4096], *bytes = buffer();
	for (uint64_t i = 0; i < task->count; i++) {
		small_path(path, task, i);
		size_t size = size_of(task, i);
		int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		fill(bytes, size, i, 0);
		if (file < 0 || write(file, bytes, size) != (ssize_t)size || (task->sync && fsync(file)) || close(file))
			die("write", path);
	}
	return task->count;
}

static uint64_t read_small(const struct task *task)
{
	char path[4096], *bytes = buffer();
	uint64_t *order = shuffled(task->count);
	for (uint64_t i = 0; i < task->count; i++) {
		small_path(path, task, order[i]);
		size_t size = size_of(task, order[i]);
		int file = open(path, O_RDONLY);
		if (file < 0 || read(file, bytes, CHUNK) != (ssize_t)size || close(file))
			die("read", path);
		check(bytes, size, order[i], 0, path);
	}
	return task->count;
}

/* Whether files of `more` bytes beside what is there would leave it below `percent`. */
static int has_room(const struct task *task, uint64_t more)
{
	struct statvfs room;
	if (statvfs(task->dir, &room))
		die("statvfs", task->dir);
	uint64_t used = room.f_blocks - room.f_bfree, all = used + room.f_bavail;
	return used + (more + room.f_frsize - 1) / room.f_frsize <= all * task->percent / 100;
}

/* Files of 1 MiB, the last ones of 64 KiB; what is there already stays. Counted in MiB. */
static uint64_t fill_up(const struct task *task)
{
	char path[4096], *bytes = buffer();
	uint64_t written = 0, number = 0;
	for (size_t size = CHUNK; size >= CHUNK / 16; size /= 16)
		for (; has_room(task, size); number++) {
			snprintf(path, sizeof path, "%s/fill%u-%llu", task->dir, task->percent, (unsigned long long)number);
			int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
			for (size_t at = 0; at < size; at += BLOCK)
				fill(bytes + at, BLOCK, number, at / BLOCK);
			if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file))
				die("fill", path);
			written += size;
		}
	return written / CHUNK;
}

const struct operation small_operations[] = {
	{ "write-small", write_small, "new files of --size bytes (--from: of that many up to it); --sync: fsync each", 0 },
	{ "read-small", read_small, "those files, in random order, every byte checked", 0 },
	{ "fill", fill_up, "files until the filesystem is --percent full; counted in MiB", 0 },
	{ 0 },
};
