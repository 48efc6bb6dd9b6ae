/* What each request does to the nodes. */
#define _GNU_SOURCE
#include "memory.h"
#include "nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOR_EVER 31536000u

static void attributes(const struct node *node, struct fuse_attr *attr)
{
	memset(attr, 0, sizeof *attr);
	attr->ino = id_of(node);
	attr->size = S_ISDIR(node->mode) ? 4096 : node->size;
	attr->blocks = (attr->size + 511) / 512;
	attr->atime = (uint64_t)node->atime.tv_sec;
	attr->mtime = (uint64_t)node->mtime.tv_sec;
	attr->ctime = (uint64_t)node->ctime.tv_sec;
	attr->atimensec = (uint32_t)node->atime.tv_nsec;
	attr->mtimensec = (uint32_t)node->mtime.tv_nsec;
	attr->ctimensec = (uint32_t)node->ctime.tv_nsec;
	attr->mode = node->mode;
	attr->nlink = node->nlink;
	attr->uid = node->uid;
	attr->gid = node->gid;
	attr->blksize = 4096;
}

static void entry(struct node *node, struct fuse_entry_out *out)
{
	memset(out, 0, sizeof *out);
	__atomic_add_fetch(&node->lookups, 1, __ATOMIC_ACQ_REL);
	out->nodeid = id_of(node);
	out->entry_valid = out->attr_valid = FOR_EVER;
	attributes(node, &out->attr);
}

static void reply_attr(struct node *node, struct reply *reply)
{
	struct fuse_attr_out *out = (void *)reply->bytes;
	memset(out, 0, sizeof *out);
	out->attr_valid = FOR_EVER;
	attributes(node, &out->attr);
	reply->size = sizeof *out;
}

static void reply_entry(struct node *node, struct reply *reply)
{
	entry(node, (void *)reply->bytes);
	reply->size = sizeof(struct fuse_entry_out);
}

static void lookup(struct node *dir, const struct request *request, struct reply *reply)
{
	size_t length = strnlen(request->data, request->data_size);
	pthread_rwlock_rdlock(&dir->lock);
	struct name *name = *find_name(dir, request->data, length);
	if (name) {
		reply_entry(name->node, reply);
	} else {
		/* A negative entry, as the session under test gives: the kernel remembers it. */
		struct fuse_entry_out *out = (void *)reply->bytes;
		memset(out, 0, sizeof *out);
		out->entry_valid = FOR_EVER;
		reply->size = sizeof *out;
	}
	pthread_rwlock_unlock(&dir->lock);
}

static void make(struct node *dir, const struct request *request, struct reply *reply, uint32_t mode,
		 const char *text, const char *target)
{
	size_t length = strlen(text);
	pthread_rwlock_wrlock(&dir->lock);
	if (*find_name(dir, text, length)) {
		reply->error = EEXIST;
	} else {
		struct node *node = new_node(mode, request->head->uid, request->head->gid);
		if (target) {
			node->size = strlen(target);
			node->bytes = strdup(target);
		}
		enter(dir, text, length, node);
		if (S_ISDIR(mode))
			dir->nlink++;
		reply_entry(node, reply);
	}
	pthread_rwlock_unlock(&dir->lock);
}

static void take_away(struct node *dir, const struct request *request, struct reply *reply, int is_dir)
{
	size_t length = strnlen(request->data, request->data_size);
	pthread_rwlock_wrlock(&dir->lock);
	struct name **at = find_name(dir, request->data, length);
	if (!*at) {
		reply->error = ENOENT;
	} else if (is_dir && (*at)->node->names > 0) {
		reply->error = ENOTEMPTY;
	} else {
		struct node *node = leave(dir, at);
		if (is_dir)
			dir->nlink--;
		__atomic_store_n(&node->nlink, is_dir ? 0 : node->nlink - 1, __ATOMIC_RELEASE);
		forget(node, 0);
	}
	pthread_rwlock_unlock(&dir->lock);
}

static void rename_name(struct node *from, const struct request *request, struct reply *reply, uint64_t to_id,
			uint32_t flags)
{
	struct node *to = node_of(to_id);
	const char *old = request->data, *new = old + strlen(old) + 1;
	size_t old_length = strlen(old), new_length = strlen(new);
	struct node *first = from < to ? from : to, *second = from < to ? to : from;
	if (flags) {
		reply->error = EINVAL;
		return;
	}
	pthread_rwlock_wrlock(&first->lock);
	if (second != first)
		pthread_rwlock_wrlock(&second->lock);
	struct name **at = find_name(from, old, old_length);
	if (!*at) {
		reply->error = ENOENT;
	} else {
		struct name **over = find_name(to, new, new_length);
		if (*over) {
			struct node *gone = leave(to, over);
			__atomic_store_n(&gone->nlink, gone->nlink - 1, __ATOMIC_RELEASE);
			forget(gone, 0);
			at = find_name(from, old, old_length);
		}
		struct node *node = leave(from, at);
		enter(to, new, new_length, node);
		if (S_ISDIR(node->mode) && from != to) {
			from->nlink--;
			to->nlink++;
		}
	}
	if (second != first)
		pthread_rwlock_unlock(&second->lock);
	pthread_rwlock_unlock(&first->lock);
}

/* Room for `size` bytes; new ones are zeros. */
static int make_room(struct node *node, uint64_t size)
{
	if (size <= node->room)
		return 0;
	uint64_t room = node->room ? node->room : 4096;
	while (room < size)
		room *= 2;
	char *bytes = realloc(node->bytes, room);
	if (!bytes)
		return ENOSPC;
	memset(bytes + node->room, 0, room - node->room);
	node->bytes = bytes;
	node->room = room;
	return 0;
}

static void set_attributes(struct node *node, const struct fuse_setattr_in *in, struct reply *reply)
{
	pthread_rwlock_wrlock(&node->lock);
	if (in->valid & FATTR_SIZE) {
		if ((reply->error = make_room(node, in->size)) == 0) {
			if (in->size < node->size)
				memset(node->bytes + in->size, 0, node->size - in->size);
			node->size = in->size;
		}
	}
	if (in->valid & FATTR_MODE)
		node->mode = (node->mode & S_IFMT) | (in->mode & 07777);
	if (in->valid & FATTR_UID)
		node->uid = in->uid;
	if (in->valid & FATTR_GID)
		node->gid = in->gid;
	if (in->valid & (FATTR_ATIME | FATTR_ATIME_NOW))
		node->atime = in->valid & FATTR_ATIME_NOW ? now() : (struct timespec){ (time_t)in->atime, in->atimensec };
	if (in->valid & (FATTR_MTIME | FATTR_MTIME_NOW))
		node->mtime = in->valid & FATTR_MTIME_NOW ? now() : (struct timespec){ (time_t)in->mtime, in->mtimensec };
	node->ctime = now();
	if (!reply->error)
		reply_attr(node, reply);
	pthread_rwlock_unlock(&node->lock);
}

static void write_data(struct node *node, const struct fuse_write_in *in, const char *data, struct reply *reply)
{
	pthread_rwlock_wrlock(&node->lock);
	uint64_t end = in->offset + in->size;
	if ((reply->error = make_room(node, end)) == 0) {
		memcpy(node->bytes + in->offset, data, in->size);
		node->size = end > node->size ? end : node->size;
		node->mtime = node->ctime = now();
		struct fuse_write_out *out = (void *)reply->bytes;
		*out = (struct fuse_write_out){ .size = in->size };
		reply->size = sizeof *out;
	}
	pthread_rwlock_unlock(&node->lock);
}

/* The reply points into the file: a benchmark does not cut a file that it reads. */
static void read_data(struct node *node, const struct fuse_read_in *in, struct reply *reply)
{
	pthread_rwlock_rdlock(&node->lock);
	uint64_t left = in->offset < node->size ? node->size - in->offset : 0;
	reply->size = left < in->size ? left : in->size;
	reply->from = node->bytes + in->offset;
	pthread_rwlock_unlock(&node->lock);
}

static void list(struct node *dir, const struct fuse_read_in *in, int plus, struct reply *reply)
{
	size_t head = plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
	size_t room = in->size < PAYLOAD_MAX ? in->size : PAYLOAD_MAX;
	pthread_rwlock_rdlock(&dir->lock);
	/* Offsets 1 and 2 stand behind "." and "..". */
	for (uint64_t at = in->offset; at < (uint64_t)dir->order_length + 2; at++) {
		struct name *name = at < 2 ? NULL : dir->order[at - 2];
		if (at >= 2 && !name)
			continue;
		const char *text = name ? name->text : "..";
		size_t length = name ? name->length : at + 1;
		size_t size = (head + length + 7) & ~(size_t)7;
		if (reply->size + size > room)
			break;
		char *to = reply->bytes + reply->size;
		memset(to, 0, size);
		struct fuse_dirent *dirent = (void *)to;
		if (plus) {
			struct fuse_direntplus *both = (void *)to;
			dirent = &both->dirent;
			if (name)
				entry(name->node, &both->entry_out);
		}
		dirent->ino = name ? id_of(name->node) : FUSE_ROOT_ID;
		dirent->off = at + 1;
		dirent->namelen = (uint32_t)length;
		dirent->type = (name ? name->node->mode : S_IFDIR) >> 12;
		memcpy(dirent->name, text, length);
		reply->size += size;
	}
	pthread_rwlock_unlock(&dir->lock);
}

static void init(const struct session *session, const struct fuse_init_in *in, struct reply *reply)
{
	struct fuse_init_out *out = (void *)reply->bytes;
	uint64_t wanted = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_PARALLEL_DIROPS | FUSE_DO_READDIRPLUS |
			  FUSE_READDIRPLUS_AUTO | FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT | FUSE_MAX_PAGES |
			  FUSE_CACHE_SYMLINKS | FUSE_INIT_EXT | (session->writeback ? FUSE_WRITEBACK_CACHE : 0) |
			  (session->xattrs ? FUSE_HANDLE_KILLPRIV_V2 : 0);
	uint64_t offered = in->flags | (uint64_t)in->flags2 << 32;
	uint64_t flags = wanted & offered;
	/* FUSE_OVER_IO_URING, which older headers do not have. */
	if (session->over_uring)
		flags |= offered & (1ull << 41);
	memset(out, 0, sizeof *out);
	out->major = FUSE_KERNEL_VERSION;
	out->minor = FUSE_KERNEL_MINOR_VERSION;
	out->max_readahead = in->max_readahead;
	out->flags = (uint32_t)flags;
	out->flags2 = (uint32_t)(flags >> 32);
	out->max_background = 64;
	out->congestion_threshold = 48;
	out->max_write = 1u << 20;
	out->time_gran = 1;
	out->max_pages = PAGES_MAX;
	reply->size = sizeof *out;
}

static void statistics(struct reply *reply)
{
	struct fuse_statfs_out *out = (void *)reply->bytes;
	memset(out, 0, sizeof *out);
	out->st.blocks = out->st.bfree = out->st.bavail = 1u << 24;
	out->st.files = out->st.ffree = 1u << 24;
	out->st.bsize = out->st.frsize = 4096;
	out->st.namelen = 255;
	reply->size = sizeof *out;
}

void memory_init(void)
{
	new_node(S_IFDIR | 0755, 0, 0);
}

void memory_answer(const struct session *session, const struct request *request, struct reply *reply)
{
	struct node *node = node_of(request->head->nodeid);
	const char *text = request->data;
	switch (request->head->opcode) {
	case FUSE_INIT:
		return init(session, request->arg, reply);
	case FUSE_LOOKUP:
		return lookup(node, request, reply);
	case FUSE_FORGET:
		reply->none = 1;
		return forget(node, ((const struct fuse_forget_in *)request->arg)->nlookup);
	case FUSE_BATCH_FORGET: {
		const struct fuse_batch_forget_in *in = request->arg;
		const struct fuse_forget_one *all = (const void *)request->data;
		for (uint32_t i = 0; i < in->count; i++)
			forget(node_of(all[i].nodeid), all[i].nlookup);
		reply->none = 1;
		return;
	}
	case FUSE_INTERRUPT:
		reply->none = 1;
		return;
	case FUSE_GETATTR:
		return reply_attr(node, reply);
	case FUSE_SETATTR:
		return set_attributes(node, request->arg, reply);
	case FUSE_MKNOD:
		return make(node, request, reply, ((const struct fuse_mknod_in *)request->arg)->mode, text, NULL);
	case FUSE_MKDIR:
		return make(node, request, reply, S_IFDIR | ((const struct fuse_mkdir_in *)request->arg)->mode, text, NULL);
	case FUSE_SYMLINK:
		return make(node, request, reply, S_IFLNK | 0777, text, text + strlen(text) + 1);
	case FUSE_READLINK:
		reply->from = node->bytes;
		reply->size = node->size;
		return;
	case FUSE_UNLINK:
		return take_away(node, request, reply, 0);
	case FUSE_RMDIR:
		return take_away(node, request, reply, 1);
	case FUSE_RENAME:
		return rename_name(node, request, reply, ((const struct fuse_rename_in *)request->arg)->newdir, 0);
	case FUSE_RENAME2: {
		const struct fuse_rename2_in *in = request->arg;
		return rename_name(node, request, reply, in->newdir, in->flags & ~1u);
	}
	case FUSE_READ:
		return read_data(node, request->arg, reply);
	case FUSE_WRITE:
		return write_data(node, request->arg, request->data, reply);
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return list(node, request->arg, request->head->opcode == FUSE_READDIRPLUS, reply);
	case FUSE_STATFS:
		return statistics(reply);
	case FUSE_GETXATTR:
		reply->error = session->xattrs ? ENODATA : ENOSYS;
		return;
	case FUSE_LISTXATTR:
		/* Asked for the size of the list, then for the list: both are nothing. */
		if (!session->xattrs)
			reply->error = ENOSYS;
		else if (((const struct fuse_getxattr_in *)request->arg)->size == 0)
			reply->size = sizeof(struct fuse_getxattr_out), memset(reply->bytes, 0, reply->size);
		return;
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_SYNCFS:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_DESTROY:
		return;
	default:
		/* OPEN, OPENDIR, CREATE, FLUSH, ...: the kernel does not ask again. */
		reply->error = ENOSYS;
	}
}

size_t arg_size(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_INIT:
		return sizeof(struct fuse_init_in);
	case FUSE_FORGET:
		return sizeof(struct fuse_forget_in);
	case FUSE_BATCH_FORGET:
		return sizeof(struct fuse_batch_forget_in);
	case FUSE_SETATTR:
		return sizeof(struct fuse_setattr_in);
	case FUSE_MKNOD:
		return sizeof(struct fuse_mknod_in);
	case FUSE_MKDIR:
		return sizeof(struct fuse_mkdir_in);
	case FUSE_RENAME:
		return sizeof(struct fuse_rename_in);
	case FUSE_RENAME2:
		return sizeof(struct fuse_rename2_in);
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return sizeof(struct fuse_read_in);
	case FUSE_WRITE:
		return sizeof(struct fuse_write_in);
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
		return sizeof(struct fuse_getxattr_in);
	default:
		return 0;
	}
}
