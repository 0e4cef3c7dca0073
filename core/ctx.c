/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "this machine" means: a root, the settings that hold in it, and where
 * messages go.  Put together once, from defaults, framework.conf and what the
 * caller says, in that order.
 */
#include "core/ctx.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/kernel.h"

#define DEFAULT_TREE "/var/lib/dkms"

/* ---- paths ---- */

const char *kiln_rel(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

int kiln_ctx_open(const struct kiln_ctx *ctx, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC) };
	long fd = -1;

	how.resolve = RESOLVE_IN_ROOT;
	errno = ENOSYS;
	for (int i = 0; *ctx->root_path && i < 8; i++) {
		fd = syscall(SYS_openat2, ctx->root, kiln_rel(path), &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN) /* something on the way was renamed meanwhile */
			break;
	}
	/* The real root, or a filter that does not know the call. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(ctx->root, kiln_rel(path), flags | O_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/*
 * Absolute, without a slash at the end; relative ones are the caller's, from where it stands.
 * NULL: out of memory.
 */
static char *absolute(const struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(freep) char *cwd = path[0] == '/' || *ctx->root_path ? NULL : getcwd(NULL, 0);
	char *p = path[0] == '/' ? strdup(path) : kiln_strf("%s/%s", cwd ? cwd : "", path);

	for (size_t n = p ? strlen(p) : 0; n > 1 && p[n - 1] == '/'; n--)
		p[n - 1] = '\0';
	return p;
}

/* ---- settings ---- */

static int processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);

	return n > 0 ? n : 1;
}

/* What holds when nobody says otherwise. */
static int set_defaults(struct kiln_settings *s)
{
	const char *tmp = getenv("TMPDIR");

	s->dkms_tree = strdup(DEFAULT_TREE);
	s->source_tree = strdup("/usr/src");
	s->install_tree = strdup("/lib/modules");
	s->tmp_location = strdup(tmp && tmp[0] == '/' ? tmp : "/tmp");
	s->defer = strdup("auto");
	s->compress_gzip_opts = strdup("");
	s->compress_xz_opts = strdup("--check=crc32 --lzma2=dict=1MiB");
	s->compress_zstd_opts = strdup("-q --rm -T0");
	s->jobs = processors();
	s->lock_wait = 60;
	s->build_seconds = 4 * 3600; /* ends what hangs, and no build that was ever seen */
	return s->dkms_tree && s->source_tree && s->install_tree && s->tmp_location && s->defer &&
	       s->compress_gzip_opts && s->compress_xz_opts && s->compress_zstd_opts ? 0 : -ENOMEM;
}

/* One path of the settings: what the caller says, or what is there, made absolute. */
static int settle(const struct kiln_ctx *ctx, char **path, const char *said)
{
	const char *from = said ? said : *path;
	char *p;

	if (!from)
		return 0;
	p = absolute(ctx, from);
	if (!p)
		return -ENOMEM;
	free(*path);
	*path = p;
	return 0;
}

static int apply_options(struct kiln_ctx *ctx, const struct kiln_options *o)
{
	struct kiln_settings *s = &ctx->settings;
	struct {
		char **path;
		const char *said;
	} paths[] = {
		{ &s->dkms_tree, o->dkms_tree },         { &s->source_tree, o->source_tree },
		{ &s->install_tree, o->install_tree },   { &s->tmp_location, NULL },
		{ &s->kernel_source, o->kernel_source }, { &s->kernel_config, o->kernel_config },
		{ &s->conf, o->conf },
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (settle(ctx, paths[i].path, paths[i].said) < 0)
			return -ENOMEM;
	if (o->directives && kiln_strv_copy(&s->directives, o->directives) < 0)
		return -ENOMEM;
	if (o->jobs)
		s->jobs = o->jobs > 0 ? o->jobs : 0;
	s->no_depmod |= o->no_depmod;
	s->symlink_modules |= o->symlink_modules;
	s->modprobe_on_install |= o->modprobe;
	s->verbose |= o->verbose;
	s->force |= o->force;
	ctx->nested = o->nested;
	ctx->leave_pending = o->leave_pending;
	return 0;
}

/* Where we keep what is ours: apart from the tree, unless the tree is not the usual one. */
static int place_state(struct kiln_ctx *ctx)
{
	bool usual = !strcmp(ctx->settings.dkms_tree, DEFAULT_TREE);

	ctx->state_dir = usual ? strdup("/var/lib/modkiln")
			       : kiln_strf("%s/.modkiln", ctx->settings.dkms_tree);
	ctx->log_dir = usual ? strdup("/var/log/modkiln")
			     : kiln_strf("%s/.modkiln/log", ctx->settings.dkms_tree);
	return ctx->state_dir && ctx->log_dir ? 0 : -ENOMEM;
}

/* ---- the object ---- */

static int open_root(struct kiln_ctx *ctx, const char *root, struct kiln_err *err)
{
	ctx->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ctx->root < 0)
		return kiln_fail(err, -errno, "cannot open the root directory %s: %m", root);
	ctx->root_path = realpath(root, NULL);
	if (!ctx->root_path)
		return kiln_fail(err, -errno, "cannot find out where the root directory %s is: %m",
				 root);
	if (!strcmp(ctx->root_path, "/"))
		ctx->root_path[0] = '\0';
	return 0;
}

/* Release and architecture of the kernel we run on; the release only where it is installed. */
static int ask_kernel(struct kiln_ctx *ctx, const char *arch, struct kiln_err *err)
{
	struct kiln_kernel running;
	struct utsname u;
	int r;

	if (uname(&u) < 0)
		return kiln_fail(err, -errno, "uname: %m");
	ctx->arch = strdup(arch ? arch : u.machine);
	if (!ctx->arch)
		return -ENOMEM;
	if (!kiln_name_valid(ctx->arch))
		return kiln_fail(err, -KILN_E_ARGUMENT, "\"%s\" is not an architecture", ctx->arch);
	if (!kiln_name_valid(u.release))
		return 0;
	r = kiln_kernel_load(ctx, (struct kiln_kern){ u.release, NULL }, &running, err);
	if (r < 0)
		return r;
	if (running.image || running.headers)
		ctx->running = TAKE_PTR(running.release);
	kiln_kernel_done(&running);
	return 0;
}

/* NAME=VALUE, where NAME can be a variable of a shell. */
static int check_directives(const struct kiln_strv *all, struct kiln_err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				      "0123456789";

	for (size_t i = 0; all && i < all->n; i++) {
		size_t n = strspn(all->v[i], letters);

		if (!n || all->v[i][n] != '=' || strchr("0123456789", all->v[i][0]))
			return kiln_fail(err, -KILN_E_ARGUMENT,
					 "--directive needs NAME=VALUE, not \"%s\"", all->v[i]);
	}
	return 0;
}

static int fill(struct kiln_ctx *ctx, const struct kiln_options *o, struct kiln_err *err)
{
	int r = check_directives(o->directives, err);

	if (r < 0)
		return r;
	r = open_root(ctx, o->root ? o->root : "/", err);
	if (r < 0)
		return r;
	r = set_defaults(&ctx->settings);
	if (r < 0)
		return r;
	r = kiln_framework_load(ctx->root, &ctx->settings, err);
	if (r < 0)
		return r;
	r = apply_options(ctx, o);
	if (r < 0)
		return r;
	ctx->not_a_machine = kiln_not_a_machine(ctx->root_path);
	r = place_state(ctx);
	if (r < 0)
		return r;
	r = kiln_distro_load(ctx->root, &ctx->distro);
	if (r < 0)
		return r;
	return ask_kernel(ctx, o->arch, err);
}

int kiln_ctx_new(const struct kiln_options *options, struct kiln_ctx **ret, struct kiln_err *err)
{
	static const struct kiln_options none;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = calloc(1, sizeof(*ctx));
	int r = -ENOMEM;

	if (ctx) {
		ctx->root = -1;
		r = fill(ctx, options ? options : &none, err);
	}
	if (r == -ENOMEM)
		return kiln_fail(err, r, "out of memory");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ctx);
	return 0;
}

void kiln_ctx_free(struct kiln_ctx *ctx)
{
	if (!ctx)
		return;
	closep(&ctx->root);
	free(ctx->root_path);
	kiln_settings_free(&ctx->settings);
	free(ctx->distro.id);
	free(ctx->arch);
	free(ctx->running);
	free(ctx->state_dir);
	free(ctx->log_dir);
	free(ctx);
}

void kiln_ctx_freep(struct kiln_ctx **ctx)
{
	kiln_ctx_free(*ctx);
}

/* ---- questions ---- */

const char *kiln_ctx_arch(const struct kiln_ctx *ctx)
{
	return ctx->arch;
}

int kiln_ctx_lock_wait(const struct kiln_ctx *ctx)
{
	return ctx->settings.lock_wait;
}

const char *kiln_ctx_defer(const struct kiln_ctx *ctx)
{
	return ctx->settings.defer;
}

const char *kiln_ctx_tmp(const struct kiln_ctx *ctx)
{
	return ctx->settings.tmp_location;
}

const char *kiln_ctx_running(const struct kiln_ctx *ctx)
{
	return ctx->running;
}

int kiln_ctx_writable(const struct kiln_ctx *ctx, struct kiln_err *err)
{
	_cleanup_(freep) char *path = strdup(kiln_rel(ctx->settings.dkms_tree));
	char *slash;

	if (!path)
		return kiln_fail(err, -ENOMEM, "out of memory");
	while (!kiln_fs_exists(ctx->root, path) && (slash = strrchr(path, '/')))
		*slash = '\0';
	if (!faccessat(ctx->root, kiln_fs_exists(ctx->root, path) ? path : ".", W_OK, AT_EACCESS))
		return 0;
	return kiln_fail(err, -KILN_E_TREE, "cannot write to %s: %m", ctx->settings.dkms_tree);
}

bool kiln_ctx_no_autoinstall(const struct kiln_ctx *ctx)
{
	return kiln_fs_exists(ctx->root, "etc/dkms/no-autoinstall");
}

/* ---- messages ---- */

void kiln_ctx_set_log(struct kiln_ctx *ctx, kiln_log_fn *fn, void *data)
{
	ctx->log = fn;
	ctx->log_data = data;
}

void kiln_log(const struct kiln_ctx *ctx, enum kiln_log_level level, const char *fmt, ...)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	va_list ap;

	if (!ctx->log)
		return;
	va_start(ap, fmt);
	kiln_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	ctx->log(ctx->log_data, level, kiln_buf_str(&b));
}
