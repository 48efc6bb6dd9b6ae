/*
 * work OPERATION DIR [--count N] [--first N] [--spread N] [--size BYTES] [--from BYTES] [--again N] [--percent N]
 * [--processes P] [--sync]: runs the operation in P processes at once, each below DIR/<number>, and prints
 * {"operations": n, "seconds": s}, from the moment when all are ready until all have done their part.
 * work cpu PID: prints {"cpu_ns": n}, what the process and its threads, ended ones too, have used.
 * work settle DIR: returns when all that was changed there is on its device (syncfs).
 */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn void die(const char *what, const char *path)
{
	fprintf(stderr, "work: %s: %s: %s\n", path, what, errno ? strerror(errno) : "wrong");
	exit(1);
}

uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void fill(char *bytes, size_t size, uint64_t file, uint64_t block)
{
	/* Cheap, so that a stream of it is not what is measured. */
	uint64_t seed = (file + 1) * 0x9e3779b97f4a7c15u ^ (block + 1) * 0xc2b2ae3d27d4eb4fu;
	uint64_t words = size / 8;
	for (uint64_t i = 0; i < words; i++) {
		uint64_t word = seed + i * 0xff51afd7ed558ccdu;
		memcpy(bytes + i * 8, &word, 8);
	}
	memcpy(bytes + words * 8, &seed, size - words * 8);
}

void check(const char *bytes, size_t size, uint64_t file, uint64_t block, const char *path)
{
	static __thread char expected[BLOCK];
	fill(expected, size, file, block);
	if (memcmp(bytes, expected, size) != 0) {
		errno = 0;
		die("content", path);
	}
}

char *buffer(void)
{
	char *bytes = aligned_alloc(BLOCK, CHUNK);
	if (!bytes)
		die("memory", "work");
	return bytes;
}

int open_in(const struct task *task, const char *name, int flags)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", task->dir, name);
	int file = open(path, flags, 0644);
	if (file < 0)
		die("open", path);
	return file;
}

uint64_t *shuffled(uint64_t count)
{
	uint64_t *order = malloc(count * sizeof *order), state = 0x5bd1e995;
	for (uint64_t i = 0; i < count; i++)
		order[i] = i;
	for (uint64_t i = count; i > 1; i--) {
		uint64_t j = next_random(&state) % i, kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
	return order;
}

static const struct operation *find(const char *name)
{
	const struct operation *all[] = { name_operations, small_operations, large_operations };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (const struct operation *at = all[i]; at->name; at++)
			if (!strcmp(at->name, name))
				return at;
	return NULL;
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The clock of a process's CPU time: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of linux/posix-timers.h. */
static int print_cpu(const char *pid)
{
	struct timespec used;
	errno = 0;
	if (clock_gettime((clockid_t)(~(unsigned)atoi(pid) << 3 | 2), &used))
		die("CPU time", pid);
	printf("{\"cpu_ns\": %llu}\n", (unsigned long long)used.tv_sec * 1000000000ull + (unsigned long long)used.tv_nsec);
	return 0;
}

static int settle(const char *dir)
{
	int file = open(dir, O_RDONLY | O_DIRECTORY);
	if (file < 0 || syncfs(file))
		die("syncfs", dir);
	return 0;
}

static struct task task_of(int count, char **words, unsigned *processes)
{
	/* A thousand files of a directory, as a source tree might have at most. */
	struct task task = { .dir = words[2], .count = 1000, .spread = 1000, .size = BLOCK };
	for (int i = 3; i < count; i++) {
		uint64_t value = i + 1 < count ? strtoull(words[i + 1], NULL, 10) : 0;
		if (!strcmp(words[i], "--sync"))
			task.sync = 1;
		else if (!strcmp(words[i], "--count"))
			task.count = value, i++;
		else if (!strcmp(words[i], "--first"))
			task.first = value, i++;
		else if (!strcmp(words[i], "--spread"))
			task.spread = value, i++;
		else if (!strcmp(words[i], "--size"))
			task.size = value, i++;
		else if (!strcmp(words[i], "--from"))
			task.from = value, i++;
		else if (!strcmp(words[i], "--again"))
			task.again = value, i++;
		else if (!strcmp(words[i], "--percent"))
			task.percent = (unsigned)value, i++;
		else if (!strcmp(words[i], "--processes"))
			*processes = (unsigned)value, i++;
		else {
			fprintf(stderr, "work: %s: no such option\n", words[i]);
			exit(16);
		}
	}
	task.count /= *processes;
	return task;
}

int main(int count, char **words)
{
	if (count == 3 && !strcmp(words[1], "cpu"))
		return print_cpu(words[2]);
	if (count == 3 && !strcmp(words[1], "settle"))
		return settle(words[2]);
	const struct operation *operation = count > 2 ? find(words[1]) : NULL;
	if (!operation) {
		fprintf(stderr, "usage: work OPERATION DIR [--count N] [--size BYTES] [--processes P] [--sync] ...\n");
		return 16;
	}
	unsigned processes = 1;
	struct task task = task_of(count, words, &processes);
	int ready[2], go[2], done[2];
	if (pipe(ready) || pipe(go) || pipe(done))
		die("pipe", words[2]);
	for (unsigned process = 0; process < processes; process++) {
		if (fork() != 0)
			continue;
		char dir[4096], byte = 0;
		snprintf(dir, sizeof dir, "%s/%u", task.dir, process);
		if (mkdir(dir, 0755) && errno != EEXIST)
			die("mkdir", dir);
		task.dir = dir;
		task.process = process;
		close(go[1]);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) < 0)
			die("pipe", dir);
		uint64_t operations = operation->run(&task);
		if (write(done[1], &operations, sizeof operations) != sizeof operations)
			die("pipe", dir);
		close(done[1]);
		if (operation->verify)
			operation->verify(&task);
		exit(0);
	}
	char byte;
	for (unsigned process = 0; process < processes; process++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	double begin = seconds();
	close(go[1]);
	close(done[1]);
	uint64_t operations = 0, some;
	while (read(done[0], &some, sizeof some) == sizeof some)
		operations += some;
	double end = seconds();
	int failed = 0, status;
	for (unsigned process = 0; process < processes; process++)
		failed |= wait(&status) < 0 || status != 0;
	if (failed)
		return 1;
	printf("{\"operations\": %llu, \"seconds\": %.6f}\n", (unsigned long long)operations, end - begin);
	return 0;
}
