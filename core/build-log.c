/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing make.log, and reading from it the one line that a person wants to see
 * first.
 */
#include "core/build-log.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define RULER "----------------------------------------------------------------"
#define LINE_MAX_SHOWN 300

/* ---- writing ---- */

static void put(struct kiln_build_log *l, struct kiln_buf *b)
{
	const char *p = kiln_buf_str(b);
	size_t n = b->len;

	while (n > 0) {
		ssize_t w = write(l->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* a full disk: the build will tell */
		p += w;
		n -= w;
	}
}

static void add_title(struct kiln_buf *b, struct kiln_mod mod, struct kiln_kern kern)
{
	kiln_buf_addf(b, "make.log for %s/%s for kernel %s (%s)", mod.name, mod.version, kern.release, kern.arch);
}

static void put_header(struct kiln_build_log *l, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	time_t now = time(NULL);
	char date[64] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Z %Y", &tm);
	kiln_buf_adds(&b, "DKMS (modkiln) ");
	add_title(&b, mod, kern);
	kiln_buf_addf(&b, "\n%s\n", date);
	put(l, &b);
}

int kiln_build_log_open(struct kiln_build_log *l, struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern,
			struct kiln_err *err)
{
	_cleanup_(freep) char *path = kiln_log_path(ctx, mod, kern);
	int r;

	if (!path)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = kiln_fs_make_dirs(ctx->root, kiln_rel(ctx->log_dir), 0755);
	/* A new file: whoever reads the old log reads it to its end. */
	if (r >= 0)
		r = kiln_fs_unlink(ctx->root, kiln_rel(path));
	if (r < 0)
		return kiln_fail(err, r, "cannot write the build log %s: %s", path, kiln_code_text(r));
	l->fd = openat(ctx->root, kiln_rel(path), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (l->fd < 0)
		return kiln_fail(err, -errno, "cannot write the build log %s: %m", path);
	l->path = TAKE_PTR(path);
	put_header(l, mod, kern);
	return 0;
}

void kiln_build_log_done(struct kiln_build_log *l)
{
	closep(&l->fd);
	free(l->path);
	*l = (struct kiln_build_log)KILN_BUILD_LOG_INIT;
}

void kiln_build_log_begin(struct kiln_build_log *l, const char *what, const char *command)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	l->step = lseek(l->fd, 0, SEEK_END);
	clock_gettime(CLOCK_MONOTONIC, &l->began);
	kiln_buf_addf(&b, "\n%s\n# command: %s\n", what, command);
	put(l, &b);
}

void kiln_build_log_end(struct kiln_build_log *l, int status)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	struct timespec now;
	long s;

	clock_gettime(CLOCK_MONOTONIC, &now);
	s = now.tv_sec - l->began.tv_sec;
	if (status == -ETIMEDOUT)
		kiln_buf_adds(&b, "\n# stopped: its time was up\n");
	else if (status < 0)
		kiln_buf_addf(&b, "\n# not carried out: %s\n", kiln_code_text(status));
	else
		kiln_buf_addf(&b, "\n# exit code: %d\n", status);
	kiln_buf_addf(&b, "# elapsed time: %02ld:%02ld:%02ld\n" RULER "\n", s / 3600, s / 60 % 60, s % 60);
	put(l, &b);
}

/* ---- reading ---- */

static bool has_any(const char *line, const char *const *parts)
{
	for (; *parts; parts++)
		if (strcasestr(line, *parts))
			return true;
	return false;
}

/* How much a line says about why a build failed; 0: nothing.  A cause beats its consequences. */
static int weight(const char *line)
{
	static const char *const causes[] = { "error:", NULL };
	static const char *const missing[] = {
		": not found", "command not found", "No such file or directory", "Permission denied",
		"Operation not permitted", "Read-only file system", "File too large",
		"no new privileges", "resolve host", "unable to resolve", "name resolution", "Network is unreachable", NULL,
	};
	static const char *const consequences[] = { "*** ", "Error ", "failed", NULL };

	if (kiln_text_starts(line, "# "))
		return 0;
	return has_any(line, causes) ? 3 : has_any(line, missing) ? 2 : has_any(line, consequences) ? 1 : 0;
}

/* What another try may not meet again although nothing of the module or the kernel has changed. */
static bool is_passing(const char *line)
{
	static const char *const signs[] = {
		"No space left on device", "Disk quota exceeded", "Cannot allocate memory", "memory exhausted",
		"Killed signal", "] Killed", "Input/output error", "Resource temporarily unavailable",
		": not found", "command not found", NULL,
	};

	return !kiln_text_starts(line, "# ") && has_any(line, signs);
}

/* The line without prefix, outer blanks and control characters, of a bearable length. */
static char *show(char *line, const char *prefix)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	size_t skip = prefix ? strlen(prefix) : 0, end;
	char *text;

	line += strspn(line, " \t");
	while (*line && b.len < LINE_MAX_SHOWN) {
		if (skip && !strncmp(line, prefix, skip)) {
			line += skip;
			continue;
		}
		kiln_buf_addc(&b, iscntrl((unsigned char)*line) ? ' ' : *line);
		line++;
	}
	for (end = b.len; end && isspace((unsigned char)b.data[end - 1]); end--)
		b.data[end - 1] = '\0';
	return kiln_buf_steal(&b, &text) < 0 ? NULL : text;
}

int kiln_build_log_fault(const struct kiln_build_log *l, const char *prefix, struct kiln_build_fault *ret)
{
	_cleanup_(fclosep) FILE *f = fdopen(dup(l->fd), "r");
	_cleanup_(freep) char *line = NULL, *found = NULL;
	int best = 0, w;
	size_t size = 0;

	*ret = (struct kiln_build_fault){ 0 };
	if (!f || fseek(f, l->step, SEEK_SET) < 0)
		return -errno;
	while (getline(&line, &size, f) >= 0) {
		ret->passing = ret->passing || is_passing(line);
		w = weight(line);
		if (w <= best)
			continue;
		best = w;
		free(found);
		found = show(line, prefix);
		if (!found)
			return -ENOMEM;
	}
	ret->line = TAKE_PTR(found);
	return 0;
}

bool kiln_build_log_is_of(int dir, const char *path, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(kiln_buf_free) struct kiln_buf title = KILN_BUF_INIT;
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, path, O_NOFOLLOW);
	char head[1024];
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

	if (n <= 0)
		return false;
	head[n] = '\0';
	head[strcspn(head, "\n")] = '\0';
	add_title(&title, mod, kern);
	return kiln_buf_ok(&title) && kiln_text_ends(head, title.data);
}
