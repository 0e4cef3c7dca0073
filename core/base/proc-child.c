/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child's side.  The parent may have threads, so only what may be called
 * after a fork there is called: everything that needs memory was made before.
 */
#include "core/base/proc-child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "core/base/cleanup.h"

extern char **environ;

void kiln_proc_child_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The parent may be gone before prctl() is called: then nobody would tell us.
 * The parent of the first process in a PID namespace reads as 0.
 */
void kiln_proc_child_die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent && getppid() != 0)
		_exit(127);
}

/* All three are moved out of the way first, as one may stand where another belongs. */
static int place_stdio(const struct kiln_proc_child *c)
{
	int from[3] = { c->in, c->out, c->err };

	for (int i = 0; i < 3; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		if (from[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(from[i], i) < 0)
			return -errno;
	return 0;
}

/* Not closed yet: prepare may still need what the caller gave it. */
static void close_on_exec(void)
{
	struct rlimit limit;

	if (!syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC))
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	for (int fd = 3; (rlim_t)fd < limit.rlim_cur; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void keep_open(const struct kiln_proc *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->keep); i++)
		if (p->keep[i] > 2)
			fcntl(p->keep[i], F_SETFD, 0);
}

/* As a shell: what cannot be executed in one directory may be there in the next. */
static int try_programs(const struct kiln_proc_child *c)
{
	char *const *argv = (char *const *)c->p->argv;
	char *const *env = c->p->env ? (char *const *)c->p->env : environ;
	int failed = ENOENT;

	for (const char *const *program = c->programs; *program; program++) {
		execve(*program, argv, env);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return errno;
		if (errno == EACCES && !access(*program, F_OK)) /* else the directory is closed to us */
			failed = EACCES;
	}
	return failed;
}

static int start(const struct kiln_proc_child *c)
{
	int r;

	kiln_proc_child_signals();
	umask(022);
	if (c->own_group)
		setpgid(0, 0);
	if (c->p->cwd >= 0 && fchdir(c->p->cwd) < 0)
		return errno;
	r = place_stdio(c);
	if (r < 0)
		return -r;
	close_on_exec();
	keep_open(c->p);
	kiln_proc_child_die_with(c->parent);
	if (c->p->prepare && c->p->prepare(c->p->prepare_data))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* which the kernel forgets when prepare changes the user */
	return try_programs(c);
}

void kiln_proc_child_exec(const struct kiln_proc_child *c)
{
	struct kiln_proc_child mine = *c;
	int failed;

	mine.report = fcntl(c->report, F_DUPFD_CLOEXEC, 3);
	failed = start(&mine);
	if (write(mine.report, &failed, sizeof(failed)) < 0)
		_exit(127);
	_exit(127);
}
