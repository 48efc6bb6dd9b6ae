/* Operations on one large file. */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_large(const struct task *task, int flags)
{
	return open_in(task, "large", flags);
}

/* Contents of the file after it was overwritten so many times differ. */
static uint64_t version(uint64_t file, unsigned overwrites)
{
	return file + overwrites * 1000003ull;
}

static void write_chunks(const struct task *task, int file)
{
	char *bytes = buffer();
	for (uint64_t at = 0; at < task->size; at += CHUNK) {
		size_t size = task->size - at < CHUNK ? task->size - at : CHUNK;
		for (size_t in = 0; in < size; in += BLOCK)
			fill(bytes + in, BLOCK, task->process, (at + in) / BLOCK);
		if (write(file, bytes, size) != (ssize_t)size)
			die("write", task->dir);
	}
	free(bytes);
}

static uint64_t write_large(const struct task *task)
{
	int file = open_large(task, O_CREAT | O_TRUNC | O_WRONLY);
	write_chunks(task, file);
	if (fsync(file) || close(file))
		die("fsync", task->dir);
	return task->size / CHUNK;
}

/* For filesystems that have no room for a long stream. */
static uint64_t rewrite_large(const struct task *task)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/again", task->dir);
	for (uint64_t i = 0; i < task->count; i++) {
		int file = open_in(task, "again", O_CREAT | O_EXCL | O_WRONLY);
		write_chunks(task, file);
		if (fsync(file) || close(file) || unlink(path))
			die("fsync", path);
	}
	return task->count * task->size / CHUNK;
}

/* One block of each chunk is checked in the clock: comparing all would measure the comparison. */
static uint64_t read_large(const struct task *task)
{
	char *bytes = buffer();
	int file = open_large(task, O_RDONLY);
	for (uint64_t at = 0; at < task->size; at += CHUNK) {
		if (read(file, bytes, CHUNK) != CHUNK)
			die("read", task->dir);
		uint64_t inside = at / CHUNK % (CHUNK / BLOCK);
		check(bytes + inside * BLOCK, BLOCK, task->process, at / BLOCK + inside, task->dir);
	}
	close(file);
	return task->size / CHUNK;
}

/* Which blocks an overwrite meets: the same sequence each time. */
static uint64_t next_block(const struct task *task, uint64_t *state)
{
	if (*state == 0)
		*state = 88172645463325252u + task->process;
	return next_random(state) % (task->size / BLOCK);
}

/* Every block: of the last overwrite that met it, of `count`, the first `again` of which came once more. */
static void check_large(const struct task *task, uint64_t count, uint64_t again)
{
	char *bytes = buffer(), *times = calloc(task->size / BLOCK, 1);
	uint64_t state = 0;
	for (uint64_t i = 0; i < count; i++)
		times[next_block(task, &state)] = 1;
	state = 0;
	for (uint64_t i = 0; i < again; i++)
		times[next_block(task, &state)] = 2;
	int file = open_large(task, O_RDONLY);
	for (uint64_t at = 0; at < task->size; at += CHUNK) {
		if (read(file, bytes, CHUNK) != CHUNK)
			die("read", task->dir);
		for (size_t in = 0; in < CHUNK; in += BLOCK) {
			uint64_t block = (at + in) / BLOCK;
			check(bytes + in, BLOCK, version(task->process, times[block]), block, task->dir);
		}
	}
	close(file);
}

static void verify_large(const struct task *task)
{
	check_large(task, 0, 0);
}

static uint64_t read_overwritten(const struct task *task)
{
	check_large(task, task->count, task->again);
	return task->size / CHUNK;
}

/* All processes read the file of the first. */
static uint64_t read_random(const struct task *task)
{
	char *bytes = buffer();
	int file = open_in(task, "../0/large", O_RDONLY);
	uint64_t state = 88172645463325252u + task->process;
	for (uint64_t i = 0; i < task->count; i++) {
		uint64_t block = next_random(&state) % (task->size / BLOCK);
		if (pread(file, bytes, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
			die("read", task->dir);
		check(bytes, BLOCK, 0, block, task->dir);
	}
	close(file);
	return task->count;
}

static uint64_t overwrite(const struct task *task)
{
	char *bytes = buffer();
	int file = open_large(task, O_WRONLY);
	uint64_t state = 0;
	for (uint64_t i = 0; i < task->count; i++) {
		uint64_t block = next_block(task, &state);
		fill(bytes, BLOCK, version(task->process, task->sync ? 2 : 1), block);
		if (pwrite(file, bytes, BLOCK, (off_t)(block * BLOCK)) != BLOCK || (task->sync && fdatasync(file)))
			die("write", task->dir);
	}
	if (fsync(file) || close(file))
		die("fsync", task->dir);
	return task->count;
}

static uint64_t append_dsync(const struct task *task)
{
	char *bytes = buffer();
	int file = open_in(task, "log", O_CREAT | O_TRUNC | O_WRONLY | O_DSYNC);
	for (uint64_t i = 0; i < task->count; i++) {
		fill(bytes, BLOCK, task->process, i);
		if (write(file, bytes, BLOCK) != BLOCK)
			die("write", task->dir);
	}
	close(file);
	return task->count;
}

static uint64_t read_log(const struct task *task)
{
	char *bytes = buffer();
	int file = open_in(task, "log", O_RDONLY);
	for (uint64_t i = 0; i < task->count; i++) {
		if (read(file, bytes, BLOCK) != BLOCK)
			die("read", task->dir);
		check(bytes, BLOCK, task->process, i, task->dir);
	}
	close(file);
	return task->count;
}

const struct operation large_operations[] = {
	{ "write-large", write_large, "a file of --size bytes in writes of 1 MiB, one fsync; counted in MiB", 0 },
	{ "rewrite-large", rewrite_large, "--count times a file of --size bytes, fsync, unlink; counted in MiB", 0 },
	{ "read-large", read_large, "that file in reads of 1 MiB; counted in MiB", verify_large },
	{ "read-random", read_random, "4 KiB at random places of the first process's file, checked", 0 },
	{ "overwrite", overwrite, "4 KiB at random places, one fsync; --sync: fdatasync each", 0 },
	{ "read-overwritten", read_overwritten, "the file after --count overwrites and --again with --sync, checked", 0 },
	{ "append-dsync", append_dsync, "4 KiB appended to a file opened with O_DSYNC", 0 },
	{ "read-log", read_log, "those blocks, checked", 0 },
	{ 0 },
};
