/*
 * work OPERATION DIR [--count N] [--size BYTES] [--processes P] [--sync]: runs the operation in P processes at once, each
 * below DIR/<number>, and prints {"operations": n, "seconds": s} from the moment when all are ready.
 */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
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
	const struct operation *all[] = { name_operations, file_operations };
	for (size_t i = 0; i < 2; i++)
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

int main(int count, char **words)
{
	const struct operation *operation = count > 2 ? find(words[1]) : NULL;
	if (!operation) {
		fprintf(stderr, "usage: work OPERATION DIR [--count N] [--size BYTES] [--processes P] [--sync]\n");
		return 16;
	}
	struct task task = { .dir = words[2], .count = 1000, .size = BLOCK };
	unsigned processes = 1;
	for (int i = 3; i < count; i++) {
		const char *value = i + 1 < count ? words[i + 1] : "0";
		if (!strcmp(words[i], "--sync"))
			task.sync = 1;
		else if (!strcmp(words[i], "--count"))
			task.count = strtoull(value, NULL, 10), i++;
		else if (!strcmp(words[i], "--size"))
			task.size = strtoull(value, NULL, 10), i++;
		else if (!strcmp(words[i], "--processes"))
			processes = (unsigned)strtoul(value, NULL, 10), i++;
	}
	task.count /= processes;
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
		exit(0);
	}
	char byte;
	for (unsigned process = 0; process < processes; process++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	double begin = seconds();
	close(go[1]);
	int failed = 0, status;
	for (unsigned process = 0; process < processes; process++)
		failed |= wait(&status) < 0 || status != 0;
	double end = seconds();
	uint64_t operations = 0, some;
	close(done[1]);
	while (read(done[0], &some, sizeof some) == sizeof some)
		operations += some;
	if (failed)
		return 1;
	printf("{\"operations\": %llu, \"seconds\": %.6f}\n", (unsigned long long)operations, end - begin);
	return 0;
}
