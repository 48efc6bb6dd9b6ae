/* What the benchmark's client does: each operation in its own loop, contents derived from their place and checked. */
#ifndef WORK_H
#define WORK_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK 4096u
#define CHUNK (1u << 20)

/* What an operation is run with. */
struct task {
	/* Directory of this process; files of one size and shape. */
	const char *dir;
	/* Files, or operations; files that are there already. */
	uint64_t count, first;
	/* Files of a directory, at most. */
	uint64_t spread;
	/* Bytes of a file; with `from`, files of `from` to `size` bytes in turn. */
	uint64_t size, from;
	/* How many of the `count` overwritten blocks were overwritten once more. */
	uint64_t again;
	/* How full the filesystem is to be, in percent of what programs can use. */
	unsigned percent;
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
	/* Where comparing all bytes would be what is measured: does it after the clock has stopped. */
	void (*verify)(const struct task *task);
};

extern const struct operation name_operations[], small_operations[], large_operations[];

_Noreturn void die(const char *what, const char *path);

/* Fills a block of a file with bytes that belong there and nowhere else. */
void fill(char *bytes, size_t size, uint64_t file, uint64_t block);
/* Ends the process if they are others. */
void check(const char *bytes, size_t size, uint64_t file, uint64_t block, const char *path);

/* Opens DIR/NAME; ends the process if it does not open. */
int open_in(const struct task *task, const char *name, int flags);
/* A buffer of CHUNK bytes. */
char *buffer(void);

/* A permutation of 0 to count - 1, the same each time. */
uint64_t *shuffled(uint64_t count);
uint64_t next_random(uint64_t *state);

#endif
