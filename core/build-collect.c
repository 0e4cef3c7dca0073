/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the build directory to files that can be installed: each module that the
 * conf names, stripped, looked at, signed, compressed.  From the second on all
 * of it is done to a copy.
 */
#include "core/build-steps.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/ko.h"

#define HEADER_MAX (64 * 1024)

/* ---- was it built for this kernel ---- */

static bool headers_are_of(const struct kiln_build *b, const char *release)
{
	_cleanup_(closep) int dir = kiln_ctx_open(b->ctx, b->job->kernel->source, O_RDONLY | O_DIRECTORY);
	_cleanup_(freep) char *want = kiln_strf("\"%s\"", release), *text = NULL;

	return dir >= 0 && want && kiln_fs_read(dir, "include/generated/utsrelease.h", HEADER_MAX, &text, NULL) >= 0 &&
	       strstr(text, want);
}

/*
 * A Makefile that asks uname -r builds for the kernel that runs.  Where the
 * headers themselves bear another name than the kernel, nothing is held against
 * the module.
 */
static int check_release(const struct kiln_build *b, int dir, const char *file, struct kiln_err *err)
{
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };
	int r = kiln_ko_load(dir, file, &ko, NULL);
	size_t n;

	if (r < 0 || !ko.vermagic)
		return 0;
	n = strcspn(ko.vermagic, " ");
	ko.vermagic[n] = '\0';
	if (!strcmp(ko.vermagic, b->kern.release) || !headers_are_of(b, b->kern.release))
		return 0;
	return kiln_fail(err, -KILN_E_NOTMADE,
			 "%s was built for kernel %s instead of %s; does its Makefile or dkms.conf ask uname -r?",
			 file, ko.vermagic, b->kern.release);
}

/* ---- stripping ---- */

static char *strip_program(const struct kiln_kernel_details *d)
{
	if (d->llvm)
		return kiln_strf("llvm-strip%s", d->llvm_suffix ? d->llvm_suffix : "");
	return kiln_strf("%sstrip", d->cross ? d->cross : "");
}

/*
 * strip reads what strangers wrote: inside the sandbox, before anything is taken
 * out of it.  One that it cannot strip is as good as it was.
 */
static void strip_all(struct kiln_build *b)
{
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT;
	_cleanup_(freep) char *program = strip_program(&b->details);
	const struct kiln_conf *conf = b->job->conf;
	struct kiln_proc p = KILN_PROC_INIT;
	int r = program ? kiln_strv_add(&argv, program) : -ENOMEM;

	if (r >= 0)
		r = kiln_strv_add(&argv, "-g");
	for (size_t i = 0; i < conf->n_modules && r >= 0; i++) {
		const struct kiln_conf_module *m = &conf->modules[i];
		const char *where = m->built_location ? m->built_location : "";

		if (m->strip)
			r = kiln_strv_addf(&argv, "./%s%s.ko", where, m->built_name);
	}
	if (r < 0 || argv.n == 2)
		return;
	p.argv = (const char *const *)argv.v;
	p.env = (const char *const *)b->env.v;
	p.cwd = b->dir;
	p.seconds = kiln_build_seconds(b);
	kiln_sandbox_run(b->sandbox, &p, NULL);
}

/* ---- one module ---- */

/* The options of framework.conf; NULL where they are what we do by ourselves. */
static const char *compress_options(const struct kiln_build *b)
{
	const struct kiln_settings *s = &b->ctx->settings;
	const struct {
		const char *set, *ours;
	} options[] = {
		[KILN_PLAIN] = { NULL, NULL },
		[KILN_GZIP] = { s->compress_gzip_opts, "" },
		[KILN_XZ] = { s->compress_xz_opts, "--check=crc32 --lzma2=dict=1MiB" },
		[KILN_ZSTD] = { s->compress_zstd_opts, "-q --rm -T0" },
	};
	const char *set = options[b->details.compression].set;

	return set && strcmp(set, options[b->details.compression].ours) ? set : NULL;
}

/* A module that cannot be signed is as good as it was: whether it may be installed is not decided here. */
static void sign(struct kiln_build *b, const struct kiln_signer *s, int to, const char *file, struct kiln_done *d)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (kiln_signer_run(b, s, to, file, &err) < 0)
		kiln_done_note(&d->note, kiln_strf("%s could not be signed: %s", file, kiln_err_text(&err)));
}

static void check_signature(const struct kiln_signer *s, int to, const char *name, struct kiln_done *d)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *file = NULL;

	if (kiln_ko_find(to, name, &file) >= 0 && kiln_signer_check(s, to, file, &err) < 0)
		kiln_done_note(&d->note, kiln_strf("%s would not be loaded where signatures are required: %s", file, kiln_err_text(&err)));
}

/* A module that cannot be compressed is as good as it was. */
static void compress(struct kiln_build *b, int to, const char *file, struct kiln_done *d)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (kiln_ko_compress(to, file, b->details.compression, compress_options(b), &err) < 0)
		kiln_done_note(&d->note, kiln_strf("%s stays uncompressed: %s", file, kiln_err_text(&err)));
}

static int collect_one(struct kiln_build *b, const struct kiln_conf_module *m, int to, const char *file,
		       struct kiln_err *err)
{
	_cleanup_(freep) char *from = kiln_strf("%s%s.ko", m->built_location ? m->built_location : "", m->built_name);
	int r;

	if (!from)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (b->older)
		return kiln_build_derive(b, m->dest_name, to, file, err);
	r = kiln_sandbox_fetch(b->sandbox, b->dir, from, to, file, err);
	return r >= 0 ? check_release(b, to, file, err) : r;
}

/* Strip, sign, compress: each would spoil what comes after it in another order. */
static int finish_one(struct kiln_build *b, const struct kiln_conf_module *m, const struct kiln_signer *s, int to,
		      struct kiln_done *d, struct kiln_err *err)
{
	_cleanup_(freep) char *file = kiln_strf("%s.ko", m->dest_name);
	int r = file ? collect_one(b, m, to, file, err) : kiln_fail(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	if (s)
		sign(b, s, to, file, d);
	compress(b, to, file, d);
	if (s)
		check_signature(s, to, m->dest_name, d);
	return 0;
}

static void log_unsigned(struct kiln_build *b, const struct kiln_err *why)
{
	kiln_build_log_begin(&b->log, "Signing nothing", kiln_err_text(why));
	kiln_build_log_end(&b->log, 0);
}

int kiln_build_collect(struct kiln_build *b, int to, struct kiln_done *d, struct kiln_err *err)
{
	_cleanup_(kiln_signer_done) struct kiln_signer signer = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	bool signs = kiln_signer_find(b, &signer, &why) >= 0;
	const struct kiln_conf *conf = b->job->conf;
	int r = 0;

	if (!b->older)
		strip_all(b);
	if (!signs && b->details.module_sig)
		log_unsigned(b, &why);
	for (size_t i = 0; i < conf->n_modules && r >= 0; i++)
		r = finish_one(b, &conf->modules[i], signs ? &signer : NULL, to, d, err);
	if (r >= 0 && b->older)
		return kiln_build_derive_symvers(b, to, err);
	if (r >= 0 && kiln_fs_is_file(b->dir, "Module.symvers"))
		r = kiln_sandbox_fetch(b->sandbox, b->dir, "Module.symvers", to, "Module.symvers", err);
	return r;
}
