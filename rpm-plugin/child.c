/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin's own processes: the only place where it forks, enters a root and
 * runs a program.  The host may have threads, open files, odd signal masks and
 * any environment; the child leaves all of that behind before it becomes the
 * engine, and until then it makes system calls only.
 */
#include "rpm-plugin/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/kiln.h"

#define ENGINE PKGLIBEXECDIR "/engine"
#define PENDING "/var/lib/modkiln/pending"

/* Descriptors of the engine; its options name the middle two. */
enum { FACTS_FD = 3, REPORT_FD = 4, ENGINE_FD = 5, FIRST_UNUSED_FD = 6, SAFE_FD = 16 };

static const char *const engine_argv[] = {
	ENGINE, "--facts-fd", "3", "--report-fd", "4", NULL,
};

static const char *const engine_amid_argv[] = {
	ENGINE, "--facts-fd", "3", "--report-fd", "4", "--mid-transaction", NULL,
};

/* ---- the child: from here on no allocation, no lock, no library that could hold one ---- */

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* rpm may be inside the root already, but with its directory outside. */
static int enter_root(const struct kiln_rpm_job *job)
{
	int dir;

	if (job->enter && chroot(job->enter) < 0)
		return -errno;
	umask(022);
	dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fchdir(dir) < 0 ? -errno : 0;
}

static void close_from(unsigned first)
{
	struct rlimit limit = { .rlim_cur = 1024 };

#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	getrlimit(RLIMIT_NOFILE, &limit);
	for (rlim_t fd = first; fd < limit.rlim_cur && fd < 65536; fd++)
		close((int)fd);
}

/* Out of the way of the numbers that are about to be taken. */
static int move_up(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SAFE_FD);
}

static int arrange_descriptors(int input, int facts, int report, int engine)
{
	input = move_up(input);
	facts = move_up(facts);
	report = move_up(report);
	engine = move_up(engine);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(report, STDOUT_FILENO) < 0 ||
	    dup2(report, STDERR_FILENO) < 0 || dup2(facts, FACTS_FD) < 0 || dup2(report, REPORT_FD) < 0)
		return -errno;
	if (engine < 0 || dup3(engine, ENGINE_FD, O_CLOEXEC) < 0)
		close(ENGINE_FD);
	close_from(FIRST_UNUSED_FD);
	return 0;
}

/*
 * The engine in the root comes first: after an upgrade it is the one whose
 * libraries are there.  The descriptor is for the transaction that removes it.
 */
static void become_engine(bool amid, char *const env[])
{
	const char *const *argv = amid ? engine_amid_argv : engine_argv;

	execve(ENGINE, (char *const *)argv, env);
	syscall(SYS_execveat, ENGINE_FD, "", argv, env, AT_EMPTY_PATH);
}

static int write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, text, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		n -= (size_t)done;
	}
	return 0;
}

static int open_pending(void)
{
	static const char *const dirs[] = { "/var", "/var/lib", "/var/lib/modkiln", PENDING };
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0 && errno != EEXIST)
			return -errno;
	fd = open(PENDING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Complete under its name, or not there: temporary is a name that readers skip. */
static int write_pending(const char *facts, const char *temporary, const char *name)
{
	int dir = open_pending(), fd, r;

	if (dir < 0)
		return dir;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = write_all(fd, facts, strlen(facts));
	if (r < 0)
		return r;
	if (fsync(fd) < 0 || renameat(dir, temporary, dir, name) < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}

/* ---- the parent ---- */

/* An input with nothing in it: /dev/null, or in a root without one an empty file. */
static int open_empty(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : memfd_create("empty", MFD_CLOEXEC);
}

static int open_facts(const char *text)
{
	_cleanup_(closep) int fd = memfd_create("facts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return TAKE_FD(fd);
}

static int open_pipe(int *out, int *in)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*out = ends[0];
	*in = ends[1];
	return fcntl(*out, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* All that is there now, within reason; closes the pipe at its end. */
static void drain(int *fd, kiln_rpm_output_fn *fn, void *data)
{
	char bytes[4096];

	for (int i = 0; i < 256 && *fd >= 0; i++) {
		ssize_t n = read(*fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close(TAKE_FD(*fd));
			return;
		}
		fn(data, bytes, (size_t)n);
	}
}

/* 1 once the child has ended; a host that collects every child itself leaves us no status. */
static int collect(pid_t pid, int flags, int *status)
{
	int wait_status = 0;
	pid_t r;

	do
		r = waitpid(pid, &wait_status, flags);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	*status = r < 0 ? -errno : WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	return 1;
}

/* Without a pidfd (Linux before 5.3) the end is noticed a tenth of a second later. */
static int follow(pid_t pid, int *out, kiln_rpm_output_fn *fn, void *data)
{
	_cleanup_(closep) int pidfd = -1;
	int status = 0;

#ifdef SYS_pidfd_open
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
#endif
	for (;;) {
		struct pollfd fds[] = { { .fd = *out, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
		int ended;

		poll(fds, ARRAY_SIZE(fds), pidfd < 0 ? 100 : -1);
		ended = collect(pid, WNOHANG, &status);
		drain(out, fn, data);
		if (ended)
			return status;
	}
}

/* The one variable that is handed on: this transaction may be the work of a module's script. */
static const char *inside_run(void)
{
	return getenv(KILN_NESTED) ? KILN_NESTED "=1" : NULL;
}

int kiln_rpm_child_engine(const struct kiln_rpm_job *job, kiln_rpm_output_fn *fn, void *data)
{
	_cleanup_(freep) char *path = kiln_strf("PATH=%s", job->path);
	char *const env[] = { path, (char *)"HOME=/root", (char *)"LANG=C.UTF-8", (char *)inside_run(), NULL };
	_cleanup_(closep) int input = open_empty(), facts = open_facts(job->facts), out = -1, report = -1;
	pid_t pid;
	int r;

	if (!path)
		return -ENOMEM;
	if (facts < 0)
		return facts;
	r = open_pipe(&out, &report);
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		reset_signals();
		if (enter_root(job) < 0)
			_exit(KILN_RPM_NO_ROOT);
		if (arrange_descriptors(input, facts, report, job->engine) == 0)
			become_engine(job->amid, env);
		_exit(KILN_RPM_NO_ENGINE);
	}
	close(TAKE_FD(report));
	return follow(pid, &out, fn, data);
}

int kiln_rpm_child_record(const struct kiln_rpm_job *job, const char *name)
{
	_cleanup_(freep) char *temporary = kiln_strf(".%s", name);
	int status = 0;
	pid_t pid;

	if (!temporary)
		return -ENOMEM;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int r;

		reset_signals();
		r = enter_root(job);
		_exit(-(r < 0 ? r : write_pending(job->facts, temporary, name)));
	}
	collect(pid, 0, &status);
	return status > 0 ? -status : status;
}

void kiln_rpm_child_mark(const char *variable)
{
	setenv(variable, "1", 1);
}
