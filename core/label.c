/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels of SELinux.  A file gets that of its directory, which need not be the
 * one that the policy has for it, and of a root that is not running nobody else
 * sees to that.  libselinux is not linked: most systems that this runs on do
 * without, so it is loaded where the root has a policy, and asked for that one.
 */
#include "core/label.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/tree.h"

#define LIBRARY "libselinux.so.1"
#define ATTRIBUTE "security.selinux"

enum { LARGEST_CONFIG = 65536, LONGEST_LABEL = 4096 };

/* ---- libselinux, by its documented interface: selabel_open(3), selabel_lookup(3), selinux_set_callback(3) ---- */

enum { BACKEND_FILE = 0, OPTION_PATH = 3, CALLBACK_LOG = 0 };

struct option {
	int type;
	const char *value;
};

union callback {
	int (*log)(int type, const char *fmt, ...);
};

struct selinux {
	void *library, *policy;
	void *(*open)(unsigned backend, const struct option *options, unsigned n);
	int (*lookup)(void *policy, char **label, const char *path, int mode);
	void (*close)(void *policy);
	void (*freecon)(char *label);
	void (*set_callback)(int type, union callback callback);
};

static void selinux_close(struct selinux *s)
{
	if (s->policy)
		s->close(s->policy);
	if (s->library)
		dlclose(s->library);
}

/* What it has to say about a policy would go to the terminal of the transaction. */
static int say_nothing(int type, const char *fmt, ...)
{
	(void)type;
	(void)fmt;
	return 0;
}

static int load_library(struct selinux *s)
{
	const struct {
		const char *name;
		void *function;
	} wanted[] = {
		{ "selabel_open", &s->open },   { "selabel_lookup_raw", &s->lookup },
		{ "selabel_close", &s->close }, { "freecon", &s->freecon },
		{ "selinux_set_callback", &s->set_callback },
	};

	s->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!s->library)
		return -ENOTSUP;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		void *function = dlsym(s->library, wanted[i].name);

		if (!function)
			return -ENOTSUP;
		memcpy(wanted[i].function, &function, sizeof(function));
	}
	s->set_callback(CALLBACK_LOG, (union callback){ .log = say_nothing });
	return 0;
}

/* ---- the policy of the root: selinux_config(5) ---- */

/* Value of KEY=, blanks around it left out; NULL: it is not there. */
static char *setting(const struct kiln_strv *lines, const char *key)
{
	char *ret = NULL;

	for (size_t i = 0; i < lines->n; i++) {
		const char *value = lines->v[i] + strspn(lines->v[i], " \t");

		if (!kiln_text_starts(value, key))
			continue;
		value += strlen(key);
		value += strspn(value, " \t");
		free(ret);
		ret = strndup(value, strcspn(value, " \t\r"));
	}
	return ret;
}

/* The file contexts, as a process sees them that is not in the root; NULL: no policy is in use. */
static char *find_policy(const struct kiln_ctx *ctx)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL, *mode = NULL, *type = NULL, *path = NULL;

	if (kiln_fs_read(ctx->root, "etc/selinux/config", LARGEST_CONFIG, &text, NULL) < 0 ||
	    kiln_text_lines(text, &lines) < 0)
		return NULL;
	mode = setting(&lines, "SELINUX=");
	type = setting(&lines, "SELINUXTYPE=");
	if (!mode || !strcasecmp(mode, "disabled") || !type || !kiln_name_valid(type))
		return NULL;
	path = kiln_strf("/etc/selinux/%s/contexts/files/file_contexts", type);
	if (!path || !kiln_fs_is_file(ctx->root, kiln_rel(path)))
		return NULL;
	return kiln_strf("%s%s", ctx->root_path, path);
}

static int selinux_open(struct kiln_ctx *ctx, struct selinux *s)
{
	_cleanup_(freep) char *path = find_policy(ctx);
	struct option option = { OPTION_PATH, path };
	int r = path ? load_library(s) : -ENOTSUP;

	if (r < 0)
		return r;
	s->policy = s->open(BACKEND_FILE, &option, 1);
	return s->policy ? 0 : -ENOTSUP;
}

static int look_up(struct selinux *s, const char *path, mode_t mode, char **ret)
{
	char *label = NULL;

	if (s->lookup(s->policy, &label, path, (int)mode) < 0)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	*ret = strdup(label);
	s->freecon(label);
	return *ret ? 0 : -ENOMEM;
}

int kiln_label_wanted(struct kiln_ctx *ctx, const char *path, mode_t mode, char **ret)
{
	_cleanup_(selinux_close) struct selinux s = { 0 };
	int r = selinux_open(ctx, &s);

	return r < 0 ? r : look_up(&s, path, mode, ret);
}

/* ---- labelling ---- */

/* USER:ROLE:TYPE[:RANGE]: the type is what the rules of a policy are about. */
static bool same_type(const char *a, const char *b)
{
	for (int i = 0; i < 2 && a && b; i++) {
		a = strchr(a, ':');
		b = strchr(b, ':');
		a = a ? a + 1 : NULL;
		b = b ? b + 1 : NULL;
	}
	return a && b && strcspn(a, ":") == strcspn(b, ":") && !strncmp(a, b, strcspn(a, ":"));
}

static int label_opened(struct selinux *s, int fd, const char *path)
{
	_cleanup_(freep) char *wanted = NULL;
	char now[LONGEST_LABEL + 1];
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	r = look_up(s, path, st.st_mode, &wanted);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	n = fgetxattr(fd, ATTRIBUTE, now, LONGEST_LABEL);
	now[n > 0 ? n : 0] = '\0';
	if (same_type(now, wanted))
		return 0;
	return fsetxattr(fd, ATTRIBUTE, wanted, strlen(wanted) + 1, 0) < 0 ? -errno : 0;
}

/* A link has no say in what its target is labelled; what has gone needs no label. */
static int label_one(struct kiln_ctx *ctx, struct selinux *s, const char *path)
{
	_cleanup_(closep) int fd = openat(ctx->root, kiln_rel(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	return label_opened(s, fd, path);
}

/* Where SELinux does not run (a container, an image that is made) this is how it has to be. */
static void complain(struct kiln_ctx *ctx, const char *path, int code)
{
	bool runs = !*ctx->root_path && !access("/sys/fs/selinux/enforce", F_OK);

	kiln_log(ctx, runs ? KILN_LOG_WARNING : KILN_LOG_INFO,
		 "%s keeps the SELinux label of its directory: %s; \"restorecon -R %s\" gives it its own", path,
		 kiln_code_text(code), ctx->settings.install_tree);
}

void kiln_label_files(struct kiln_ctx *ctx, const struct kiln_strv *paths)
{
	_cleanup_(selinux_close) struct selinux s = { 0 };

	if (!paths->n || selinux_open(ctx, &s) < 0)
		return;
	for (size_t i = 0; i < paths->n; i++) {
		int r = label_one(ctx, &s, paths->v[i]);

		if (r < 0) {
			complain(ctx, paths->v[i], r);
			return;
		}
	}
}

void kiln_label_index(struct kiln_ctx *ctx, struct kiln_kern kern)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT, paths = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = kiln_tree_install_dir(ctx, kern), *policy = find_policy(ctx);
	int r = policy && dir ? kiln_fs_list(ctx->root, kiln_rel(dir), &names) : -ENOENT;

	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (kiln_text_starts(names.v[i], "modules."))
			r = kiln_strv_addf(&paths, "%s/%s", dir, names.v[i]);
	kiln_label_files(ctx, &paths);
}
