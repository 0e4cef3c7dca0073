/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was built from which inputs, so that a build is repeated when one of
 * them has changed and not repeated when it failed with the very same ones.
 * A cache: a record that is lost or unreadable costs one build, nothing else.
 */
#include "core/build.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/build-steps.h"
#include "core/once.h"
#include "core/tree.h"

#define FIRST_LINE "modkiln-record 1"
#define CONF_DIR "etc/dkms"
#define RECORD_MAX (1024 * 1024)
#define CONFIG_MAX (16 * 1024 * 1024)
#define COMPILER "\nCONFIG_CC_VERSION_TEXT="

/* ---- the file ---- */

static char *record_path(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *pair = kiln_pair_name(mod, kern);
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "records");

	return pair && dir ? kiln_strf("%s/%s", dir, pair) : NULL;
}

void kiln_record_done(struct kiln_record *r)
{
	free(r->reason);
	free(r->isolation);
	free(r->inputs);
	free(r->tools);
	free(r->reuse);
	free(r->salt);
	kiln_strv_free(&r->made);
	kiln_strv_free(&r->installed);
	*r = (struct kiln_record){ 0 };
}

static int set_string(char **to, const char *word)
{
	free(*to);
	*to = strdup(word);
	return *to ? 0 : -ENOMEM;
}

/* "KEY WORD"; keys of a later format are passed over. */
static int read_line(struct kiln_record *r, const char *key, const char *word)
{
	if (!strcmp(key, "failed")) {
		r->failed = true;
		r->code = kiln_code_from_name(word);
	} else if (!strcmp(key, "held")) {
		r->held = true;
	} else if (!strcmp(key, "reason")) {
		return set_string(&r->reason, word);
	} else if (!strcmp(key, "isolation")) {
		return set_string(&r->isolation, word);
	} else if (!strcmp(key, "inputs")) {
		return set_string(&r->inputs, word);
	} else if (!strcmp(key, "tools")) {
		return set_string(&r->tools, word);
	} else if (!strcmp(key, "reuse")) {
		return set_string(&r->reuse, word);
	} else if (!strcmp(key, "salt")) {
		return set_string(&r->salt, word);
	} else if (!strcmp(key, "made")) {
		return kiln_strv_add(&r->made, word);
	} else if (!strcmp(key, "installed")) {
		return kiln_strv_add(&r->installed, word);
	}
	return 0;
}

static int read_lines(struct kiln_record *r, const struct kiln_strv *lines)
{
	int e = 0;

	if (!lines->n || strcmp(lines->v[0], FIRST_LINE))
		return -EBADMSG;
	r->version = 1;
	for (size_t i = 1; i < lines->n && e >= 0; i++) {
		char *word = strchr(lines->v[i], ' ');

		if (!word)
			return -EBADMSG;
		*word++ = '\0';
		kiln_text_unquote(word);
		e = read_line(r, lines->v[i], word);
	}
	return e < 0 ? e : r->inputs ? 0 : -EBADMSG;
}

int kiln_record_load(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, struct kiln_record *ret)
{
	_cleanup_(freep) char *path = record_path(ctx, mod, kern);
	_cleanup_(kiln_record_done) struct kiln_record got = { 0 };
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;
	int r;

	if (!path)
		return -ENOMEM;
	r = kiln_fs_read(ctx->root, kiln_rel(path), RECORD_MAX, &text, NULL);
	if (r >= 0)
		r = kiln_text_lines(text, &lines);
	if (r >= 0)
		r = read_lines(&got, &lines);
	if (r < 0 && r != -EBADMSG && r != -EFBIG && r != -EISDIR)
		return r; /* there is none, or (EIO, no memory) what there is may be good */
	if (r < 0) {
		kiln_fs_unlink(ctx->root, kiln_rel(path));
		return -ENOENT;
	}
	*ret = got;
	got = (struct kiln_record){ 0 };
	return 0;
}

static void print_line(struct kiln_buf *b, const char *key, const char *word)
{
	_cleanup_(freep) char *quoted = word ? kiln_text_quote(word) : NULL;

	if (!word)
		return;
	b->failed = b->failed || !quoted;
	if (quoted)
		kiln_buf_addf(b, "%s %s\n", key, quoted);
}

static void print_record(struct kiln_buf *b, const struct kiln_record *r)
{
	const char *code = kiln_code_name(r->code);

	kiln_buf_adds(b, FIRST_LINE "\n");
	if (r->failed)
		print_line(b, "failed", code ? code : "-");
	if (r->held)
		print_line(b, "held", "yes");
	print_line(b, "inputs", r->inputs ? r->inputs : "");
	print_line(b, "tools", r->tools);
	print_line(b, "reason", r->reason);
	print_line(b, "isolation", r->isolation);
	print_line(b, "reuse", r->reuse);
	print_line(b, "salt", r->salt);
	for (size_t i = 0; i < r->made.n; i++)
		print_line(b, "made", r->made.v[i]);
	for (size_t i = 0; i < r->installed.n; i++)
		print_line(b, "installed", r->installed.v[i]);
}

int kiln_record_save(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, const struct kiln_record *r)
{
	_cleanup_(freep) char *path = record_path(ctx, mod, kern), *dir = kiln_state_path(ctx, "records");
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int e;

	if (!path || !dir)
		return -ENOMEM;
	print_record(&b, r);
	if (!kiln_buf_ok(&b))
		return -ENOMEM;
	e = kiln_fs_make_dirs(ctx->root, kiln_rel(dir), 0755);
	return e < 0 ? e : kiln_fs_replace(ctx->root, kiln_rel(path), b.data, b.len, 0644);
}

int kiln_record_drop(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern)
{
	_cleanup_(freep) char *path = record_path(ctx, mod, kern);

	return path ? kiln_fs_unlink(ctx->root, kiln_rel(path)) : -ENOMEM;
}

int kiln_record_drop_module(struct kiln_ctx *ctx, struct kiln_mod mod)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *dir = kiln_state_path(ctx, "records"), *module = kiln_pair_name(mod, (struct kiln_kern){ NULL, NULL });
	_cleanup_(freep) char *first = module ? kiln_strf("%s,", module) : NULL;
	int r = dir && first ? kiln_fs_list(ctx->root, kiln_rel(dir), &names) : -ENOMEM;

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, names.v[i]);

		if (kiln_text_starts(names.v[i], first))
			r = path ? kiln_fs_unlink(ctx->root, kiln_rel(path)) : -ENOMEM;
	}
	return r == -ENOENT ? 0 : r;
}

void kiln_record_exclude(struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern kern, const char *reason)
{
	_cleanup_(kiln_record_done) struct kiln_record old = { 0 };
	_cleanup_(freep) char *built = kiln_tree_modules(ctx, mod, kern);
	struct kiln_record r = { .version = 1, .failed = true, .code = KILN_E_EXCLUDED };

	if (!built || kiln_fs_exists(ctx->root, kiln_rel(built)))
		return;
	if (kiln_record_load(ctx, mod, kern, &old) >= 0 && !old.failed)
		return;
	r.reason = (char *)reason;
	kiln_record_save(ctx, mod, kern, &r);
}

/* ---- the inputs ---- */

int kiln_record_renew(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		      const struct kiln_kernel *kernel, struct kiln_record *ret)
{
	struct kiln_inputs now = { 0 };
	int r = kiln_record_inputs(ctx, source_dir, mod, kernel, &now, NULL);

	return r < 0 ? r : set_string(&ret->inputs, now.hash);
}

/* The directory that the kernel's config is in, by way of links that mean this root; fd or -errno. */
static int open_config_dir(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, const char **name)
{
	const char *slash = kernel->config ? strrchr(kernel->config, '/') : NULL;
	_cleanup_(freep) char *dir = slash ? strndup(kernel->config, slash - kernel->config + 1) : NULL;

	if (!dir)
		return -ENOENT;
	*name = slash + 1;
	return kiln_ctx_open(ctx, dir, O_RDONLY | O_DIRECTORY);
}

/* key: with a newline before and '=' behind it; "" where the config does not say. */
static char *config_text(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, const char *key)
{
	const char *name;
	_cleanup_(closep) int dir = open_config_dir(ctx, kernel, &name);
	_cleanup_(freep) char *text = NULL;
	const char *at;

	if (dir < 0 || kiln_fs_read(dir, name, CONFIG_MAX, &text, NULL) < 0)
		return strdup("");
	at = strstr(text, key); /* never the first line */
	if (!at)
		return strdup("");
	at += strlen(key);
	at += *at == '"'; /* .config has quotes, auto.conf has none since Linux 5.19 */
	return strndup(at, strcspn(at, "\"\n"));
}

/*
 * Every pair asks for it, and a config is large: known by its hash, which is
 * kept, too.  As many as a machine has kernels.
 */
char *kiln_kernel_compiler(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	static struct {
		char config[KILN_HASH_SIZE], *compiler;
	} kept[16];
	static size_t next;
	const char *name;
	_cleanup_(closep) int dir = open_config_dir(ctx, kernel, &name);
	char sum[KILN_HASH_SIZE], *found;

	if (dir < 0 || kiln_once_hash(dir, name, sum) < 0)
		return config_text(ctx, kernel, COMPILER);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i].compiler && !strcmp(kept[i].config, sum))
			return strdup(kept[i].compiler);
	found = config_text(ctx, kernel, COMPILER);
	if (!found)
		return NULL;
	free(kept[next].compiler);
	memcpy(kept[next].config, sum, sizeof(sum));
	kept[next].compiler = strdup(found);
	next = (next + 1) % ARRAY_SIZE(kept);
	return found;
}

char *kiln_kernel_salt(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	return config_text(ctx, kernel, "\nCONFIG_BUILD_SALT=");
}

/* Adds "WHAT HASH" for a file; one that is not there is an input, too. */
static void add_file(struct kiln_buf *b, int dir, const char *path, const char *what)
{
	char sum[KILN_HASH_SIZE];

	if (kiln_once_hash(dir, path, sum) < 0)
		kiln_buf_addf(b, "%s -\n", what);
	else
		kiln_buf_addf(b, "%s %s\n", what, sum);
}

/* The files that dkms reads over a module's own conf, by name alone: their meaning is in their content. */
static void add_overlays(struct kiln_buf *b, struct kiln_ctx *ctx, struct kiln_mod mod, struct kiln_kern k)
{
	const char *m = mod.name, *v = mod.version;
	char *names[] = {
		kiln_strf(CONF_DIR "/%s.conf", m),
		kiln_strf(CONF_DIR "/%s-%s.conf", m, v),
		kiln_strf(CONF_DIR "/%s-%s-%s.conf", m, v, k.release),
		kiln_strf(CONF_DIR "/%s-%s-%s-%s.conf", m, v, k.release, k.arch),
		kiln_strf(CONF_DIR "/%s--%s.conf", m, k.release),
		kiln_strf(CONF_DIR "/%s--%s-%s.conf", m, k.release, k.arch),
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		b->failed = b->failed || !names[i];
		if (names[i] && kiln_fs_exists(ctx->root, names[i]))
			add_file(b, ctx->root, names[i], names[i]);
		free(names[i]);
	}
}

/* Patches and scripts of the administrator's for this module. */
static void add_own_files(struct kiln_buf *b, struct kiln_ctx *ctx, struct kiln_mod mod)
{
	_cleanup_(freep) char *dir = kiln_strf(CONF_DIR "/%s", mod.name);
	char sum[KILN_HASH_SIZE];

	b->failed = b->failed || !dir;
	if (dir && kiln_fs_is_dir(ctx->root, dir) && kiln_fs_hash_tree(ctx->root, dir, sum) >= 0)
		kiln_buf_addf(b, "etc %s\n", sum);
}

static void add_headers(struct kiln_buf *b, struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	static const char *const files[] = {
		"Module.symvers", "include/generated/utsrelease.h", "include/generated/autoconf.h",
	};
	_cleanup_(closep) int dir = kernel->source ? kiln_ctx_open(ctx, kernel->source, O_RDONLY | O_DIRECTORY) : -1;
	const char *name;
	_cleanup_(closep) int config = open_config_dir(ctx, kernel, &name);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_file(b, dir, files[i], files[i]);
	if (config >= 0)
		add_file(b, config, name, "config");
}

void kiln_record_prepare(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	add_headers(&b, ctx, kernel);
}

int kiln_record_inputs(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		       const struct kiln_kernel *kernel, struct kiln_inputs *ret, struct kiln_err *err)
{
	_cleanup_(closep) int source = kiln_ctx_open(ctx, source_dir, O_RDONLY | O_DIRECTORY);
	_cleanup_(freep) char *compiler = kiln_kernel_compiler(ctx, kernel);
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int r = source < 0 ? source : *ret->source ? 0 : kiln_fs_hash_tree(source, ".", ret->source);

	*ret->hash = '\0';
	if (r < 0)
		return kiln_fail(err, r, "cannot read the source %s: %s", source_dir, kiln_code_text(r));
	kiln_buf_addf(&b, "modkiln-inputs 1\nsource %s\n", ret->source);
	add_overlays(&b, ctx, mod, (struct kiln_kern){ kernel->release, kernel->arch });
	add_own_files(&b, ctx, mod);
	add_headers(&b, ctx, kernel);
	kiln_buf_addf(&b, "compiler %s\n", compiler ? compiler : "");
	/* What failed for want of a right may succeed when the administrator gives it. */
	if (ctx->settings.build_isolation != KILN_WISH_AUTO)
		kiln_buf_addf(&b, "isolation %d\n", ctx->settings.build_isolation);
	if (!compiler || !kiln_buf_ok(&b))
		return kiln_fail(err, -ENOMEM, "out of memory");
	kiln_hash_bytes(b.data, b.len, ret->hash);
	return 0;
}
