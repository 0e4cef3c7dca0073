/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock by its system calls: headers of the build machine must not decide
 * what the running kernel is asked for.
 */
#include "core/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
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
	FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
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

static uint64_t rights(enum kiln_landlock_access access)
{
	switch (access) {
	case KILN_MAY_READ:
		return FS_EXECUTE | FS_READ_FILE | FS_READ_DIR;
	case KILN_MAY_USE:
		return FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
	default:
		return ~(uint64_t)0;
	}
}

/* A path that is not there needs no permission. */
static int allow(int ruleset, const struct kiln_landlock_rule *r, uint64_t handled)
{
	_cleanup_(closep) int fd = open(r->path, O_PATH | O_CLOEXEC);
	struct path_beneath rule = { .allowed = rights(r->access) & handled, .parent = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_FILES;
	return syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

static int make_ruleset(struct ruleset *rules)
{
	long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
	size_t size = version < 4 ? sizeof(rules->fs) :
		      version < 6 ? 2 * sizeof(rules->fs) : sizeof(*rules);

	if (version < 0)
		return -errno;
	*rules = handled_by(version);
	/* A kernel refuses fields that it does not know. */
	return (int)syscall(CREATE_RULESET, rules, size, 0);
}

int kiln_landlock_new(const struct kiln_landlock_rule *list, size_t n)
{
	struct ruleset rules;
	_cleanup_(closep) int ruleset = make_ruleset(&rules);
	int r = ruleset < 0 ? -errno : 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = allow(ruleset, &list[i], rules.fs);
	return r < 0 ? r : TAKE_FD(ruleset);
}

int kiln_landlock_enforce(int rules)
{
	return syscall(RESTRICT_SELF, rules, 0) < 0 ? -errno : 0;
}
