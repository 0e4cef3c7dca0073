/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock by its system calls: headers of the build machine must not decide
 * what the running kernel is asked for.
 */
#include "core/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/cleanup.h"

/* The same numbers on all architectures. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { ASK_VERSION = 1, RULE_PATH_BENEATH = 1 };

/* Of linux/landlock.h, as bits: */
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REFER = 1 << 13,     /* version 2 */
	FS_TRUNCATE = 1 << 14,  /* 3 */
	FS_IOCTL_DEV = 1 << 15, /* 5 */
	FS_ALL_OF_1 = (1 << 13) - 1,
	NET_ALL = 3,            /* 4: bind and connect */
	SCOPE_ALL = 3,          /* 6: abstract sockets and signals */
};

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static struct ruleset handled_by(long version)
{
	return (struct ruleset){
		.fs = FS_ALL_OF_1 | (version >= 2 ? FS_REFER : 0) |
		      (version >= 3 ? FS_TRUNCATE : 0) | (version >= 5 ? FS_IOCTL_DEV : 0),
		.net = version >= 4 ? NET_ALL : 0,
		.scoped = version >= 6 ? SCOPE_ALL : 0,
	};
}

/* A path that is not there needs no permission. */
static int allow(int ruleset, const char *path, uint64_t what)
{
	_cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_beneath rule = { .allowed = what, .parent = fd };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int kiln_landlock_read_only(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
	struct ruleset rules = handled_by(version);
	_cleanup_(closep) int ruleset = -1;
	int r;

	if (version < 0)
		return -errno;
	/* A kernel before version 4 knows only the first field, and refuses more. */
	ruleset = (int)syscall(CREATE_RULESET, &rules,
			       version < 4 ? sizeof(rules.fs) : sizeof(rules), 0);
	if (ruleset < 0 && version < 6)
		ruleset = (int)syscall(CREATE_RULESET, &rules, 2 * sizeof(rules.fs), 0);
	if (ruleset < 0)
		return -errno;
	r = allow(ruleset, "/", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR);
	if (r == 0)
		r = allow(ruleset, "/dev/null",
			  rules.fs & (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV));
	if (r == 0 && syscall(RESTRICT_SELF, ruleset, 0) < 0)
		r = -errno;
	return r;
}
