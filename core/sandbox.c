/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object: everything that needs memory or looks at the machine, before any child is started. */
#include "core/sandbox.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/confine.h"
#include "core/sandbox-steps.h"

const char *kiln_isolation_name(enum kiln_isolation level)
{
	static const char *const names[] = {
		[KILN_ISOLATION_NONE] = "none",
		[KILN_ISOLATION_USER] = "user",
		[KILN_ISOLATION_CONFINED] = "confined",
		[KILN_ISOLATION_ISOLATED] = "isolated",
	};

	return names[level];
}

/* ---- what is covered, and what stays to be seen ---- */

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int add_dirs(struct kiln_strv *to, const char *const *dirs)
{
	int r = 0;

	for (; *dirs && r == 0; dirs++)
		if (is_dir(*dirs))
			r = kiln_strv_add(to, *dirs);
	return r;
}

/* Home directories are the administrator's to show when we are not root: the tree may be in one. */
static int choose_covers(struct kiln_sandbox *s)
{
	static const char *const writable[] = { "/tmp", "/var/tmp", "/dev/shm", NULL };
	static const char *const masked[] = { "/run", NULL }, *const homes[] = { "/root", "/home", NULL };
	int r = add_dirs(&s->writable, writable);

	if (r == 0)
		r = add_dirs(&s->masked, masked);
	return r == 0 && geteuid() == 0 ? add_dirs(&s->masked, homes) : r;
}

static bool is_below(const char *path, const struct kiln_strv *dirs)
{
	for (size_t i = 0; i < dirs->n; i++) {
		_cleanup_(freep) char *real = realpath(dirs->v[i], NULL);
		size_t n = real ? strlen(real) : 0;

		if (n && !strncmp(path, real, n) && (path[n] == '/' || !path[n]))
			return true;
	}
	return false;
}

/* Only what would be covered needs it. */
static int keep(struct kiln_sandbox *s, const char *path)
{
	_cleanup_(freep) char *real = path ? realpath(path, NULL) : NULL;

	if (!real || s->n_kept == KILN_MOST_KEPT ||
	    !(is_below(real, &s->masked) || is_below(real, &s->writable)))
		return 0;
	s->kept[s->n_kept++] = (struct kiln_sandbox_keep){ TAKE_PTR(real), -1 };
	return 0;
}

static int choose_mounts(struct kiln_ctx *ctx, struct kiln_sandbox *s, const struct kiln_sandbox_job *job)
{
	_cleanup_(freep) char *behind = job->headers ? kiln_strf("%s/source", job->headers) : NULL;
	int r = choose_covers(s);
	struct stat st;

	s->no_devices = geteuid() == 0 && is_dir("/dev") && (stat("/dev/null", &st) < 0 || !S_ISCHR(st.st_mode));
	if (r == 0 && *ctx->root_path)
		r = keep(s, ctx->root_path);
	if (r == 0)
		r = keep(s, job->headers);
	if (r == 0)
		r = keep(s, job->sources);
	if (r == 0)
		r = keep(s, behind); /* where headers were built apart from their source */
	return r;
}

/* ---- limits ---- */

static void choose_limits(struct kiln_sandbox *s)
{
	unsigned long pages = (unsigned long)sysconf(_SC_PHYS_PAGES), least = 2UL << 30;

	/* What one process may take: as much as there is, so that no compiler meets it. */
	s->memory = pages * (unsigned long)sysconf(_SC_PAGESIZE);
	if (s->memory < least)
		s->memory = least;
	/* The kernel counts what a user has everywhere; those of a person are not to be counted in. */
	if (s->other_user || s->level == KILN_ISOLATION_ISOLATED)
		s->processes = kiln_most_processes();
}

/* ---- below "isolated" there is no private /tmp ---- */

static int make_scratch(struct kiln_sandbox *s)
{
	_cleanup_(closep) int dir = -1;
	int r = kiln_fs_remove_tree(s->root, kiln_rel(s->scratch_inside));

	if (r < 0)
		return r;
	dir = kiln_fs_open_new_dir(s->root, kiln_rel(s->scratch_inside), 0755);
	if (dir < 0)
		return dir;
	if (fchmod(dir, 0700) < 0)
		return -errno;
	return s->other_user && fchown(dir, s->user.uid, s->user.gid) < 0 ? -errno : 0;
}

static int copy_texts(struct kiln_ctx *ctx, struct kiln_sandbox *s, const struct kiln_sandbox_job *job)
{
	s->place = job->place ? strdup(job->place) : NULL;
	s->headers = job->headers ? kiln_strf("%s/Makefile", job->headers) : NULL;
	if (job->scratch && job->level < KILN_ISOLATION_ISOLATED && job->level > KILN_ISOLATION_NONE) {
		s->scratch = kiln_strf("%s%s", ctx->root_path, job->scratch);
		s->scratch_inside = strdup(job->scratch);
	}
	snprintf(s->map_user, sizeof(s->map_user), "%u %u 1\n", geteuid(), geteuid());
	snprintf(s->map_group, sizeof(s->map_group), "%u %u 1\n", getegid(), getegid());
	if ((job->place && !s->place) || (job->headers && !s->headers))
		return -ENOMEM;
	return kiln_strv_copy(&s->hidden, &job->hidden);
}

static int fill(struct kiln_ctx *ctx, struct kiln_sandbox *s, const struct kiln_sandbox_job *job)
{
	void *shared = mmap(NULL, sizeof(*s->said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return -errno;
	s->said = shared;
	s->root = ctx->root;
	s->level = job->level;
	s->user = kiln_user_find(ctx->root);
	s->other_user = s->user.uid != geteuid() && job->level > KILN_ISOLATION_NONE;
	if (job->level >= KILN_ISOLATION_CONFINED)
		s->filter = kiln_calls_filter(KILN_CALLS_BUILDING);
	choose_limits(s);
	r = copy_texts(ctx, s, job);
	if (r == 0 && job->level == KILN_ISOLATION_ISOLATED)
		r = choose_mounts(ctx, s, job);
	return r == 0 && s->scratch ? make_scratch(s) : r;
}

int kiln_sandbox_new(struct kiln_ctx *ctx, const struct kiln_sandbox_job *job, struct kiln_sandbox **ret,
		     struct kiln_err *err)
{
	_cleanup_(kiln_sandbox_freep) struct kiln_sandbox *s = calloc(1, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	if (s) {
		s->rules = -1;
		r = fill(ctx, s, job);
	}
	if (r < 0)
		return kiln_fail(err, r, "cannot prepare the isolation of the build: %s", kiln_code_text(r));
	*ret = TAKE_PTR(s);
	return 0;
}

void kiln_sandbox_free(struct kiln_sandbox *s)
{
	if (!s)
		return;
	if (s->scratch_inside)
		kiln_fs_remove_tree(s->root, kiln_rel(s->scratch_inside));
	if (s->said)
		munmap(s->said, sizeof(*s->said));
	for (size_t i = 0; i < s->n_kept; i++)
		free(s->kept[i].path);
	kiln_calls_filter_free(s->filter);
	closep(&s->rules);
	kiln_strv_free(&s->hidden);
	kiln_strv_free(&s->masked);
	kiln_strv_free(&s->writable);
	free(s->place);
	free(s->headers);
	free(s->scratch);
	free(s->scratch_inside);
	free(s->shared);
	free(s);
}

void kiln_sandbox_freep(struct kiln_sandbox **s)
{
	kiln_sandbox_free(*s);
}

enum kiln_isolation kiln_sandbox_level(const struct kiln_sandbox *s)
{
	return s->level;
}
