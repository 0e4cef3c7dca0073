/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of confining a child, in the order in which each still may be done,
 * and the level that they add up to.  Runs between fork() and exec(): system
 * calls only, and those by number where libc would do more than the call.
 */
#include "core/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/confine-watch.h"

enum {
	CPU_SECONDS = 10,
	OWN_PROCESSES = 256,
	MEMORY = 1 << 30
};

#ifdef SYS_setresuid32 /* the plain ones take 16 bits there */
enum { SETRESUID = SYS_setresuid32, SETRESGID = SYS_setresgid32, SETGROUPS = SYS_setgroups32 };
#else
enum { SETRESUID = SYS_setresuid, SETRESGID = SYS_setresgid, SETGROUPS = SYS_setgroups };
#endif

struct kiln_confine {
	struct kiln_user user;
	struct sock_fprog *filter;
	int root;                         /* that it is to be in; -1: ours */
	struct kiln_landlock_rule *rules; /* with the paths of the caller */
	size_t n;
	unsigned long processes; /* that the user may have; 0: no limit */
	struct kiln_watch *watch; /* NULL: nobody wants to know */
	enum kiln_confinement least;
	enum kiln_confinement *reached; /* shared with the child */
};

/* ---- in the parent ---- */

unsigned long kiln_most_processes(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return 1024 + 32 * (processors > 0 ? (unsigned long)processors : 1);
}

static struct kiln_user choose_user(void)
{
	_cleanup_(closep) int root = kiln_fs_open_dir(AT_FDCWD, "/");

	return kiln_user_find(root);
}

static int make_rules(struct kiln_confine *c, const struct kiln_strv *sight)
{
	size_t n = sight ? sight->n : 1;

	c->rules = calloc(n + 1, sizeof(*c->rules));
	if (!c->rules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		c->rules[i] = (struct kiln_landlock_rule){ sight ? sight->v[i] : "/", KILN_MAY_READ };
	c->rules[n] = (struct kiln_landlock_rule){ "/dev/null", KILN_MAY_USE };
	c->n = n + 1;
	return 0;
}

int kiln_confine_new(enum kiln_confinement least, const struct kiln_strv *sight, struct kiln_confine **ret,
		     struct kiln_err *err)
{
	_cleanup_(kiln_confine_freep) struct kiln_confine *c = calloc(1, sizeof(*c));
	void *shared;

	if (!c)
		return kiln_fail(err, -ENOMEM, "out of memory");
	c->root = -1;
	shared = mmap(NULL, sizeof(*c->reached), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return kiln_fail(err, -errno, "out of memory");
	c->reached = shared;
	c->least = least;
	c->filter = kiln_calls_filter(KILN_CALLS_READING);
	if (make_rules(c, sight) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	c->user = choose_user();
	c->processes = c->user.uid != geteuid() ? kiln_most_processes() + OWN_PROCESSES : 0;
	*ret = TAKE_PTR(c);
	return 0;
}

void kiln_confine_watch(struct kiln_confine *c, struct kiln_watch *w)
{
	c->watch = w;
}

void kiln_confine_inside(struct kiln_confine *c, int root)
{
	c->root = root;
}

void kiln_confine_free(struct kiln_confine *c)
{
	if (!c)
		return;
	if (c->reached)
		munmap(c->reached, sizeof(*c->reached));
	kiln_calls_filter_free(c->filter);
	free(c->rules);
	free(c);
}

void kiln_confine_freep(struct kiln_confine **c)
{
	kiln_confine_free(*c);
}

enum kiln_confinement kiln_confine_reached(const struct kiln_confine *c)
{
	return *c->reached;
}

const char *kiln_confinement_text(enum kiln_confinement level)
{
	static const char *const texts[] = {
		[KILN_CONFINED_ELSEWHERE] = "outside of the root",
		[KILN_CONFINED_NOT] = "not confined",
		[KILN_CONFINED_USER] = "as an unprivileged user",
		[KILN_CONFINED_CALLS] = "as an unprivileged user, with system calls filtered",
		[KILN_CONFINED_READ_ONLY] =
			"as an unprivileged user, read-only, with system calls filtered",
		[KILN_CONFINED_ISOLATED] =
			"as an unprivileged user, read-only, with processes and network of its own",
	};

	return texts[level];
}

/* ---- in the child ---- */

void kiln_limit(int what, unsigned long value)
{
	struct rlimit l;

	if (getrlimit(what, &l) < 0)
		return;
	if (l.rlim_max == RLIM_INFINITY || l.rlim_max > value)
		l.rlim_max = value;
	if (l.rlim_cur == RLIM_INFINITY || l.rlim_cur > l.rlim_max)
		l.rlim_cur = l.rlim_max;
	setrlimit(what, &l);
}

/* The kernel counts what a user has everywhere: beside the builds of the same one, and not with a person's. */
static void set_limits(const struct kiln_confine *c)
{
	kiln_limit(RLIMIT_CPU, CPU_SECONDS);
	kiln_limit(RLIMIT_AS, MEMORY);
	if (c->processes)
		kiln_limit(RLIMIT_NPROC, c->processes);
	kiln_limit(RLIMIT_FSIZE, 0);
	kiln_limit(RLIMIT_CORE, 0);
	signal(SIGXFSZ, SIG_IGN); /* a write too many is an error, no reason to die */
}

/* Ends as the process did that it stands for, which may be the first of a namespace. */
static void end_as(pid_t first)
{
	int status = 0;

	syscall(SYS_close_range, 0U, ~0U, 0U);
	while (waitpid(first, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

bool kiln_own_processes(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		return false;
	pid = fork();
	if (pid < 0)
		_exit(126);
	if (pid)
		end_as(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return true;
}

/* The same with the one that stays behind as the watcher, also where there is no such namespace. */
static bool own_processes_watched(struct kiln_watch *w, bool allowed)
{
	bool own = allowed && unshare(CLONE_NEWPID) == 0;
	pid_t pid = kiln_watch_open(w) ? fork() : -1;

	if (pid < 0)
		_exit(126);
	if (pid) {
		kiln_watch_run(w, pid);
		end_as(pid);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return own;
}

bool kiln_drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	for (unsigned long cap = 0; cap < 64; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	return syscall(SYS_capset, &head, none) == 0;
}

bool kiln_become_user(struct kiln_user u)
{
	return syscall(SETGROUPS, 0, NULL) == 0 && syscall(SETRESGID, u.gid, u.gid, u.gid) == 0 &&
	       syscall(SETRESUID, u.uid, u.uid, u.uid) == 0;
}

/*
 * In a user namespace with one user there is no other to become; there "root"
 * is that user, and without capabilities it has nothing that the user has not.
 */
static bool drop_privileges(const struct kiln_confine *c)
{
	if (syscall(SYS_geteuid) != 0)
		return true;
	return (c->user.uid == 0 || kiln_become_user(c->user)) && kiln_drop_capabilities();
}

/* Who is not root may enter one in a user namespace, and has no privilege left of it after exec(). */
static bool enter_root(int root)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (syscall(SYS_geteuid) != 0)
		unshare(CLONE_NEWUSER);
	return here >= 0 && fchdir(root) == 0 && chroot(".") == 0 && fchdir(here) == 0;
}

/* Paths are meant in the root that the child is in. */
static bool enforce_rules(const struct kiln_confine *c)
{
	int rules = kiln_landlock_new(c->rules, c->n);

	return rules >= 0 && kiln_landlock_enforce(rules) == 0;
}

static enum kiln_confinement confine(const struct kiln_confine *c)
{
	bool network, processes, calls, files;

	if (c->root >= 0 && !enter_root(c->root))
		return KILN_CONFINED_ELSEWHERE;
	set_limits(c);
	network = unshare(CLONE_NEWNET) == 0;
	processes = unshare(CLONE_NEWIPC | CLONE_NEWUTS) == 0;
	if (c->watch)
		processes = own_processes_watched(c->watch, processes);
	else
		processes = processes && kiln_own_processes();
	if (!drop_privileges(c) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return KILN_CONFINED_NOT;
	files = enforce_rules(c);
	if (c->watch)
		kiln_watch_begin(c->watch);
	calls = c->filter && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, c->filter) == 0;
	if (!(calls || (files && network)))
		return KILN_CONFINED_USER;
	if (!files)
		return KILN_CONFINED_CALLS;
	return network && processes ? KILN_CONFINED_ISOLATED : KILN_CONFINED_READ_ONLY;
}

int kiln_confine_child(void *confine_)
{
	struct kiln_confine *c = confine_;
	enum kiln_confinement level = confine(c);

	*c->reached = level;
	return level < c->least;
}
