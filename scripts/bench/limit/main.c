/*
 * memfuse DIR [--uring] [--unpinned] [--writeback] [--xattrs] [--threads N]: mounts a filesystem in memory on DIR as root
 * and serves it in front, until it is unmounted. What a FUSE daemon can do at best: requests, answers, and nothing
 * behind them; with --xattrs what one can that has extended attributes.
 */
#define _GNU_SOURCE
#include "transport.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

int main(int count, char **words)
{
	const char *where = NULL;
	struct session session = { 0 };
	int threads = 4, pinned = 1;
	for (int i = 1; i < count; i++) {
		if (!strcmp(words[i], "--uring"))
			session.over_uring = 1;
		else if (!strcmp(words[i], "--unpinned"))
			pinned = 0;
		else if (!strcmp(words[i], "--writeback"))
			session.writeback = 1;
		else if (!strcmp(words[i], "--xattrs"))
			session.xattrs = 1;
		else if (!strcmp(words[i], "--threads") && i + 1 < count)
			threads = atoi(words[++i]);
		else
			where = words[i];
	}
	if (!where || threads < 1) {
		fprintf(stderr, "usage: memfuse DIR [--uring] [--unpinned] [--writeback] [--xattrs] [--threads N]\n");
		return 16;
	}
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/fuse");
	char options[128];
	snprintf(options, sizeof options, "fd=%d,rootmode=40755,user_id=0,group_id=0,default_permissions,allow_other", device);
	memory_init();
	if (mount("memfuse", where, "fuse.memfuse", MS_NOSUID | MS_NODEV, options) < 0)
		die(where);
	if (session.over_uring)
		serve_uring(&session, device, threads, pinned);
	else
		serve_device(&session, device, threads);
	return 0;
}
