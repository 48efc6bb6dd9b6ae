/* What the benchmark's client does: each operation in its own loop, contents derived from their place and checked. */
#ifndef WORK_H
#define WORK_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK 4096u

/* What an operation is run with. */
struct task {
	/* Directory of this process; files of one size and shape. */
	const char *dir;
	/* Files, or operations. */
	uint64_t count;
	/* Bytes of a file. */
	uint64_t size;
	/* Which of the processes this is. */
	unsigned process;
	/* fsync after each. */
	int sync;
};

struct operation {
	const char *name;
	/* Returns how many operations were done. */
	uint64_t (*run)(const struct task *task);
	const char *help;
};

extern const struct operation name_operations[], file_operations[];

_Noreturn void die(const char *what, const char *path);

/* Fills a block of a file with bytes that belong there and nowhere else. */
void fill(char *bytes, size_t size, uint64_t file, uint64_t block);
/* Ends the process if they are others. */
void check(const char *bytes, size_t size, uint64_t file, uint64_t block, const char *path);

/* A permutation of 0 to count - 1, the same each time. */
uint64_t *shuffled(uint64_t count);
uint64_t next_random(uint64_t *state);

#endif
