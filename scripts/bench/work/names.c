/* Operations on names: files without content, directories, lists. */
#define _GNU_SOURCE
#include "work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of(char *to, const struct task *task, const char *kind, uint64_t number)
{
	snprintf(to, 4096, "%s/%llu/%s%llu", task->dir, (unsigned long long)(number / task->spread), kind,
		 (unsigned long long)number);
}

static void folders(const struct task *task)
{
	char path[4096];
	for (uint64_t i = task->first / task->spread; i <= (task->first + task->count - 1) / task->spread; i++) {
		snprintf(path, sizeof path, "%s/%llu", task->dir, (unsigned long long)i);
		if (mkdir(path, 0755) && errno != EEXIST)
			die("mkdir", path);
	}
}

static uint64_t create(const struct task *task)
{
	char path[4096];
	folders(task);
	for (uint64_t i = 0; i < task->count; i++) {
		path_of(path, task, "f", task->first + i);
		int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (file < 0 || close(file))
			die("create", path);
	}
	return task->count;
}

static uint64_t rename_all(const struct task *task)
{
	char from[4096], to[4096];
	for (uint64_t i = 0; i < task->count; i++) {
		path_of(from, task, "f", i);
		path_of(to, task, "g", i);
		if (rename(from, to))
			die("rename", from);
	}
	return task->count;
}

static uint64_t stat_all(const struct task *task)
{
	char path[4096];
	struct stat found;
	uint64_t *order = shuffled(task->count);
	for (uint64_t i = 0; i < task->count; i++) {
		path_of(path, task, "g", order[i]);
		if (lstat(path, &found) || found.st_size != 0)
			die("stat", path);
	}
	return task->count;
}

/* Of the created files, any of the first ones, none twice (the factor is a prime beyond their number). */
static uint64_t look_up(const struct task *task)
{
	char path[4096];
	struct stat found;
	for (uint64_t i = 0; i < task->count; i++) {
		path_of(path, task, "f", i * 2654435761u % task->first);
		if (lstat(path, &found) || found.st_size != 0)
			die("stat", path);
	}
	return task->count;
}

/* One call for each path of a kind. */
static uint64_t each(const struct task *task, const char *kind, int (*call)(const char *), const char *what)
{
	char path[4096];
	for (uint64_t i = 0; i < task->count; i++) {
		path_of(path, task, kind, i);
		if (call(path))
			die(what, path);
	}
	return task->count;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0755);
}

static uint64_t unlink_all(const struct task *task)
{
	return each(task, "g", unlink, "unlink");
}

static uint64_t make_directories(const struct task *task)
{
	folders(task);
	return each(task, "d", make_directory, "mkdir");
}

static uint64_t remove_directories(const struct task *task)
{
	return each(task, "d", rmdir, "rmdir");
}

static uint64_t list_directory(const struct task *task, int and_stat)
{
	char path[4096];
	uint64_t names = 0;
	for (uint64_t i = 0; i <= (task->count - 1) / task->spread; i++) {
		snprintf(path, sizeof path, "%s/%llu", task->dir, (unsigned long long)i);
		DIR *dir = opendir(path);
		if (!dir)
			die("opendir", path);
		struct stat found;
		for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
			if (entry->d_name[0] == '.')
				continue;
			names++;
			if (and_stat && fstatat(dirfd(dir), entry->d_name, &found, AT_SYMLINK_NOFOLLOW))
				die("stat", path);
		}
		closedir(dir);
	}
	errno = 0;
	if (names != task->count)
		die("number of names", task->dir);
	return names;
}

static uint64_t list(const struct task *task)
{
	return list_directory(task, 0);
}

static uint64_t list_and_stat(const struct task *task)
{
	return list_directory(task, 1);
}

const struct operation name_operations[] = {
	{ "create", create, "empty files, behind the --first ones that are there", 0 },
	{ "look-up", look_up, "stat of any of the --first created files", 0 },
	{ "rename", rename_all, "of the created files", 0 },
	{ "stat", stat_all, "of the renamed files, in random order", 0 },
	{ "list", list, "names of all directories", 0 },
	{ "list-stat", list_and_stat, "names and attributes", 0 },
	{ "unlink", unlink_all, "of the renamed files", 0 },
	{ "mkdir", make_directories, "empty directories", 0 },
	{ "rmdir", remove_directories, "of the made directories", 0 },
	{ 0 },
};
