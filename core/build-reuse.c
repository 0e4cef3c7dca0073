/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instead of a build: the set of another kernel, if everything that a build of it
 * read is what a build for this kernel would read (reuse=proven).  Whatever
 * speaks against it means an ordinary build, and a line in the debug log.
 */
#include "core/build-steps.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/ko.h"
#include "core/reuse.h"
#include "core/tree.h"

#define LOG_MAX (64 << 20)

/* ---- what a build depends on ---- */

/* A driver of another kind than kbuild's own can ask for anything. */
static char *reason_against(struct kiln_build *b)
{
	const struct kiln_conf *conf = b->job->conf;
	_cleanup_(closep) int source = kiln_ctx_open(b->ctx, b->job->source_dir, O_RDONLY | O_DIRECTORY);
	char *asks = NULL;

	if (conf->pre_build || conf->post_build)
		return strdup("its dkms.conf has a PRE_BUILD or POST_BUILD");
	if (conf->build_depends.n)
		return strdup("it is built against the symbols of another module");
	if (!kiln_reuse_make_is_plain(conf->make, b->job->kernel->source, b->ctx->settings.install_tree, b->kern.release))
		return strdup("its MAKE is not kbuild's own");
	if (source < 0 || kiln_reuse_source_asks(source, b->kern.release, &asks) < 0)
		return strdup("its source cannot be read");
	return asks;
}

static void add_conf(struct kiln_buf *key, const struct kiln_build *b)
{
	const struct kiln_conf *conf = b->job->conf;
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

	key->failed |= conf->make && kiln_text_split(conf->make, " \t", &words) < 0;
	for (size_t i = 0; i < words.n; i++)
		if (!strstr(words.v[i], b->kern.release))
			kiln_buf_addf(key, "make %s\n", words.v[i]);
	for (size_t i = 0; i < conf->patches.n; i++)
		kiln_buf_addf(key, "patch %s\n", conf->patches.v[i]);
	for (size_t i = 0; i < conf->n_modules; i++) {
		const struct kiln_conf_module *m = &conf->modules[i];

		kiln_buf_addf(key, "module %s%s %s %d\n", m->built_location ? m->built_location : "", m->built_name,
			      m->dest_name, m->strip);
	}
}

static int make_key(struct kiln_build *b, char **ret)
{
	_cleanup_(kiln_buf_free) struct kiln_buf key = KILN_BUF_INIT;
	char sum[KILN_HASH_SIZE];
	int r = kiln_reuse_headers(b->ctx, b->job->kernel, sum);

	if (r < 0)
		return r;
	kiln_buf_addf(&key, "modkiln-reuse 1\nsource %s\n", b->inputs.source);
	kiln_buf_addf(&key, "headers %s\narch %s\nllvm %d\n", sum, b->kern.arch, b->details.llvm);
	kiln_reuse_add_compilers(b->ctx, &key);
	add_conf(&key, b);
	if (!kiln_buf_ok(&key))
		return -ENOMEM;
	kiln_hash_bytes(key.data, key.len, sum);
	*ret = strdup(sum);
	return *ret ? 0 : -ENOMEM;
}

/* ---- the set of another kernel ---- */

static bool is_as_it_was_made(struct kiln_ctx *ctx, const char *folder, const struct kiln_record *record)
{
	for (size_t i = 0; i < record->made.n; i++) {
		const char *line = record->made.v[i];
		_cleanup_(freep) char *path = kiln_strf("%s/%s", folder, line + KILN_HASH_SIZE);
		char sum[KILN_HASH_SIZE];

		if (!path || strlen(line) <= KILN_HASH_SIZE || kiln_fs_hash_file(ctx->root, kiln_rel(path), sum) < 0 ||
		    strncmp(sum, line, KILN_HASH_SIZE - 1))
			return false;
	}
	return record->made.n;
}

static bool log_is_silent(struct kiln_ctx *ctx, const char *place, const char *release)
{
	_cleanup_(freep) char *path = kiln_strf("%s/log/make.log", place), *text = NULL;

	return path && kiln_fs_read(ctx->root, kiln_rel(path), LOG_MAX, &text, NULL) >= 0 &&
	       !kiln_reuse_log_names(text, release);
}

/* Every place of a name in a module has the room that the compiler gave it. */
static bool fits(const struct kiln_build *b, const char *release)
{
	if (strlen(release) == strlen(b->kern.release))
		return true;
	kiln_log(b->ctx, KILN_LOG_DEBUG, "%s/%s is built for %s, although %s has the same headers: one name is longer "
		 "than the other, and has no room in a module made for that", b->job->mod.name, b->job->mod.version,
		 b->kern.release, release);
	return false;
}

static bool suits(struct kiln_build *b, const char *release)
{
	struct kiln_kern other = { release, b->kern.arch };
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	_cleanup_(freep) char *place = kiln_tree_kernel(b->ctx, b->job->mod, other);
	_cleanup_(freep) char *folder = kiln_tree_modules(b->ctx, b->job->mod, other);

	if (!place || !folder || kiln_kern_same(other, b->kern) ||
	    kiln_record_load(b->ctx, b->job->mod, other, &record) < 0 || record.failed || !record.reuse ||
	    strcmp(record.reuse, b->reuse_key) || !fits(b, release))
		return false;
	if (!is_as_it_was_made(b->ctx, folder, &record) || !log_is_silent(b->ctx, place, release))
		return false;
	b->older = strdup(release);
	b->older_salt = record.salt ? strdup(record.salt) : NULL;
	return b->older && (!record.salt || b->older_salt);
}

bool kiln_build_reuse(struct kiln_build *b)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) char *version = kiln_tree_module(b->ctx, b->job->mod), *against = NULL;

	if (!b->ctx->settings.reuse || !version)
		return false;
	against = reason_against(b);
	if (against || make_key(b, &b->reuse_key) < 0) {
		kiln_log(b->ctx, KILN_LOG_DEBUG, "%s/%s is built anew for each kernel: %s", b->job->mod.name,
			 b->job->mod.version, against ? against : "what a build reads cannot be read");
		return false;
	}
	if (b->job->flags & KILN_FORCE)
		return false;
	kiln_fs_list(b->ctx->root, kiln_rel(version), &names);
	for (size_t i = names.n; i-- > 0;)
		if (kiln_name_valid(names.v[i]) && suits(b, names.v[i]))
			return true;
	return false;
}

/* ---- taking it ---- */

static int open_older(const struct kiln_build *b)
{
	_cleanup_(freep) char *folder = kiln_tree_modules(b->ctx, b->job->mod, (struct kiln_kern){ b->older, b->kern.arch });

	return folder ? kiln_fs_open_dir(b->ctx->root, kiln_rel(folder)) : -ENOMEM;
}

static int fetch(const struct kiln_build *b, const char *name, char **data, size_t *n)
{
	_cleanup_(closep) int dir = open_older(b);
	_cleanup_(freep) char *file = NULL;
	int r = dir < 0 ? dir : kiln_ko_find(dir, name, &file);

	return r < 0 ? r : kiln_ko_unpack(dir, file, data, n);
}

int kiln_build_derive(struct kiln_build *b, const char *name, int to, const char *file, struct kiln_err *err)
{
	_cleanup_(freep) char *data = NULL, *note = NULL, *salt = kiln_kernel_salt(b->ctx, b->job->kernel);
	struct kiln_ko_names from = { b->older, b->older_salt }, new = { b->kern.release, salt };
	size_t n;
	int r = salt ? fetch(b, name, &data, &n) : -ENOMEM;

	if (r < 0)
		return kiln_fail(err, r, "cannot read %s of kernel %s: %s", file, b->older, kiln_code_text(r));
	r = kiln_ko_derive(data, n, &from, &new, err);
	if (r < 0)
		return r;
	note = kiln_strf("%s from that of kernel %s", file, b->older);
	kiln_build_log_begin(&b->log, "Deriving, since all that a build reads is the same", note ? note : file);
	kiln_build_log_end(&b->log, 0);
	r = kiln_fs_replace(to, file, data, n, 0644);
	return r < 0 ? kiln_fail(err, r, "cannot write %s: %s", file, kiln_code_text(r)) : 0;
}

int kiln_build_derive_symvers(const struct kiln_build *b, int to, struct kiln_err *err)
{
	static const char name[] = "Module.symvers";
	_cleanup_(closep) int dir = open_older(b);
	int r = dir < 0 ? dir : 0;

	if (r >= 0 && kiln_fs_is_file(dir, name))
		r = kiln_fs_copy_file(dir, name, to, name, 0644, false);
	return r < 0 ? kiln_fail(err, r, "cannot copy %s of kernel %s: %s", name, b->older, kiln_code_text(r)) : 0;
}

int kiln_build_made(const struct kiln_build *b, struct kiln_strv *ret)
{
	_cleanup_(freep) char *folder = kiln_tree_modules(b->ctx, b->job->mod, b->kern);
	_cleanup_(closep) int dir = folder ? kiln_fs_open_dir(b->ctx->root, kiln_rel(folder)) : -ENOMEM;
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = dir < 0 ? dir : kiln_fs_list(dir, ".", &names);

	for (size_t i = 0; i < names.n && r >= 0; i++) {
		char sum[KILN_HASH_SIZE];

		r = kiln_fs_hash_file(dir, names.v[i], sum);
		if (r >= 0)
			r = kiln_strv_addf(ret, "%s %s", sum, names.v[i]);
	}
	return r;
}
