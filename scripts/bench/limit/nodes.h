/* Nodes that the kernel names by their address, and directories: names in a hash table, and in an order. */
#ifndef NODES_H
#define NODES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct name {
	struct name *next;
	struct node *node;
	uint32_t hash;
	uint32_t place;
	uint16_t length;
	char text[];
};

struct node {
	pthread_rwlock_t lock;
	uint64_t lookups;
	uint32_t mode, nlink, uid, gid;
	struct timespec atime, mtime, ctime;
	/* Files, links. */
	uint64_t size, room;
	char *bytes;
	/* Directories: names by hash, and in the order of their making (holes are null). */
	struct name **buckets;
	uint32_t bucket_count, names;
	struct name **order;
	uint32_t order_length, order_room;
};

struct timespec now(void);

/* The first one that is made is the root. */
struct node *new_node(uint32_t mode, uint32_t uid, uint32_t gid);
struct node *node_of(uint64_t id);
uint64_t id_of(const struct node *node);
/* Forgotten and without a name: gone. */
void forget(struct node *node, uint64_t count);

/* Where a name stands in its directory, or where null does. The directory is locked by the caller, here and below. */
struct name **find_name(struct node *dir, const char *text, size_t length);
void enter(struct node *dir, const char *text, size_t length, struct node *node);
/* Takes a found name away; the node that had it. */
struct node *leave(struct node *dir, struct name **at);

#endif
