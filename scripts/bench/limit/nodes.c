#define _GNU_SOURCE
#include "nodes.h"

#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct node *root;

struct timespec now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME_COARSE, &time);
	return time;
}

struct node *node_of(uint64_t id)
{
	return id == FUSE_ROOT_ID ? root : (struct node *)(uintptr_t)id;
}

uint64_t id_of(const struct node *node)
{
	return node == root ? FUSE_ROOT_ID : (uint64_t)(uintptr_t)node;
}

struct node *new_node(uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct node *node = calloc(1, sizeof *node);
	pthread_rwlock_init(&node->lock, NULL);
	node->mode = mode;
	node->nlink = S_ISDIR(mode) ? 2 : 1;
	node->uid = uid;
	node->gid = gid;
	node->atime = node->mtime = node->ctime = now();
	if (!root)
		root = node;
	if (S_ISDIR(mode)) {
		node->bucket_count = 16;
		node->buckets = calloc(node->bucket_count, sizeof *node->buckets);
	}
	return node;
}

static void drop(struct node *node)
{
	for (uint32_t i = 0; i < node->order_length; i++)
		free(node->order[i]);
	free(node->order);
	free(node->buckets);
	free(node->bytes);
	pthread_rwlock_destroy(&node->lock);
	free(node);
}

void forget(struct node *node, uint64_t count)
{
	uint64_t left = __atomic_sub_fetch(&node->lookups, count, __ATOMIC_ACQ_REL);
	if (left == 0 && __atomic_load_n(&node->nlink, __ATOMIC_ACQUIRE) == 0 && node != root)
		drop(node);
}

static uint32_t hash_of(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

struct name **find_name(struct node *dir, const char *text, size_t length)
{
	uint32_t hash = hash_of(text, length);
	struct name **at = &dir->buckets[hash & (dir->bucket_count - 1)];
	for (; *at; at = &(*at)->next)
		if ((*at)->hash == hash && (*at)->length == length && !memcmp((*at)->text, text, length))
			break;
	return at;
}

static void grow(struct node *dir)
{
	uint32_t count = dir->bucket_count * 4;
	struct name **buckets = calloc(count, sizeof *buckets);
	for (uint32_t i = 0; i < dir->bucket_count; i++)
		for (struct name *name = dir->buckets[i], *next; name; name = next) {
			next = name->next;
			name->next = buckets[name->hash & (count - 1)];
			buckets[name->hash & (count - 1)] = name;
		}
	free(dir->buckets);
	dir->buckets = buckets;
	dir->bucket_count = count;
}

void enter(struct node *dir, const char *text, size_t length, struct node *node)
{
	struct name *name = malloc(sizeof *name + length);
	name->node = node;
	name->hash = hash_of(text, length);
	name->length = (uint16_t)length;
	memcpy(name->text, text, length);
	if (dir->order_length == dir->order_room) {
		dir->order_room = dir->order_room ? dir->order_room * 2 : 16;
		dir->order = realloc(dir->order, dir->order_room * sizeof *dir->order);
	}
	name->place = dir->order_length;
	dir->order[dir->order_length++] = name;
	if (dir->names++ > dir->bucket_count * 2)
		grow(dir);
	struct name **bucket = &dir->buckets[name->hash & (dir->bucket_count - 1)];
	name->next = *bucket;
	*bucket = name;
	dir->mtime = dir->ctime = now();
}

struct node *leave(struct node *dir, struct name **at)
{
	struct name *name = *at;
	struct node *node = name->node;
	*at = name->next;
	dir->order[name->place] = NULL;
	dir->names--;
	while (dir->order_length > 0 && !dir->order[dir->order_length - 1])
		dir->order_length--;
	free(name);
	dir->mtime = dir->ctime = now();
	return node;
}
