/* Operations on content. */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1u << 20)

static char *buffer(void)
{
	char *bytes = aligned_alloc(BLOCK, CHUNK);
	if (!bytes)
		die("memory", "work");
	return bytes;
}

static void small_path(char *to, const struct task *task, uint64_t number)
{
	snprintf(to, 4096, "%s/s%llu", task->dir, (unsigned long long)number);
}

static int open_large(const struct task *task, int flags)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/large", task->dir);
	int file = open(path, flags, 0644);
	if (file < 0)
		die("open", path);
	return file;
}

static uint64_t write_small(const struct task *task)
{
	char path[4096], *bytes = buffer();
	for (uint64_t i = 0; i < task->count; i++) {
		small_path(path, task, i);
		int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		fill(bytes, task->size, i, 0);
		if (file < 0 || write(file, bytes, task->size) != (ssize_t)task->size || (task->sync && fsync(file)) ||
		    close(file))
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
		int file = open(path, O_RDONLY);
		if (file < 0 || read(file, bytes, CHUNK) != (ssize_t)task->size || close(file))
			die("read", path);
		check(bytes, task->size, order[i], 0, path);
	}
	return task->count;
}

/* Bytes of block `block` of the large file: those of the last overwrite, where there was one. */
static void fill_blocks(char *bytes, uint64_t first, size_t size, uint64_t file)
{
	for (size_t at = 0; at < size; at += BLOCK)
		fill(bytes + at, BLOCK, file, first + at / BLOCK);
}

static uint64_t write_large(const struct task *task)
{
	char *bytes = buffer();
	int file = open_large(task, O_CREAT | O_TRUNC | O_WRONLY);
	for (uint64_t at = 0; at < task->size; at += CHUNK) {
		fill_blocks(bytes, at / BLOCK, CHUNK, task->process);
		if (write(file, bytes, CHUNK) != CHUNK)
			die("write", task->dir);
	}
	if (fsync(file) || close(file))
		die("fsync", task->dir);
	return task->size / CHUNK;
}

static uint64_t read_large(const struct task *task)
{
	char *bytes = buffer();
	int file = open_large(task, O_RDONLY);
	for (uint64_t at = 0; at < task->size; at += CHUNK) {
		if (read(file, bytes, CHUNK) != CHUNK)
			die("read", task->dir);
		/* One block of each chunk: comparing all would measure the comparison. */
		uint64_t inside = at / CHUNK % (CHUNK / BLOCK);
		check(bytes + inside * BLOCK, BLOCK, task->process, at / BLOCK + inside, task->dir);
	}
	close(file);
	return task->size / CHUNK;
}

/* All processes read the file of the first. */
static uint64_t read_random(const struct task *task)
{
	char path[4096], *bytes = buffer();
	snprintf(path, sizeof path, "%s/../0/large", task->dir);
	int file = open(path, O_RDONLY);
	if (file < 0)
		die("open", path);
	uint64_t state = 88172645463325252u + task->process;
	for (uint64_t i = 0; i < task->count; i++) {
		uint64_t block = next_random(&state) % (task->size / BLOCK);
		if (pread(file, bytes, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
			die("read", path);
		check(bytes, BLOCK, 0, block, path);
	}
	close(file);
	return task->count;
}

/* The same bytes that stood there: a later reading phase checks them still. */
static uint64_t overwrite(const struct task *task)
{
	char *bytes = buffer();
	int file = open_large(task, O_WRONLY);
	uint64_t state = 88172645463325252u + task->process;
	for (uint64_t i = 0; i < task->count; i++) {
		uint64_t block = next_random(&state) % (task->size / BLOCK);
		fill(bytes, BLOCK, task->process, block);
		if (pwrite(file, bytes, BLOCK, (off_t)(block * BLOCK)) != BLOCK || (task->sync && fdatasync(file)))
			die("write", task->dir);
	}
	if (fsync(file) || close(file))
		die("fsync", task->dir);
	return task->count;
}

static uint64_t append_dsync(const struct task *task)
{
	char path[4096], *bytes = buffer();
	snprintf(path, sizeof path, "%s/log", task->dir);
	int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_DSYNC, 0644);
	if (file < 0)
		die("open", path);
	for (uint64_t i = 0; i < task->count; i++) {
		fill(bytes, BLOCK, task->process, i);
		if (write(file, bytes, BLOCK) != BLOCK)
			die("write", path);
	}
	close(file);
	return task->count;
}

const struct operation file_operations[] = {
	{ "write-small", write_small, "new files of --size bytes; --sync: fsync each" },
	{ "read-small", read_small, "those files, in random order, every byte checked" },
	{ "write-large", write_large, "a file of --size bytes in writes of 1 MiB, one fsync; counted in MiB" },
	{ "read-large", read_large, "that file in reads of 1 MiB; counted in MiB" },
	{ "read-random", read_random, "4 KiB at random places of the first process's file, checked" },
	{ "overwrite", overwrite, "4 KiB at random places, one fsync; --sync: fdatasync each" },
	{ "append-dsync", append_dsync, "4 KiB appended to a file opened with O_DSYNC" },
	{ 0 },
};
