/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A root with one kernel, sets of modules to install in it, and questions about what became of them. */
#pragma once

#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/place.h"

#define K	 "lib/modules/6.1"
#define OURS	 K "/updates/dkms/"
#define TREE	 "var/lib/dkms/m"
#define ARCHIVE	 TREE "/original_module/6.1/x86_64"
#define JOURNALS "var/lib/modkiln/journal"

struct world {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_kernel kernel;
	struct kiln_conf_module modules[4];
	struct kiln_conf conf;
	struct kiln_done done;
	bool changed;
};

static inline struct world *new_world(struct unit_root *root, const char *os)
{
	struct world *w = calloc(1, sizeof(*w));
	struct kiln_options o = { .root = root->path };

	assert_non_null(w);
	unit_write(root, "etc/os-release", os);
	unit_dir(root, K);
	assert_int_equal(kiln_ctx_new(&o, &w->ctx, NULL), 0);
	w->root = root;
	w->kernel.release = (char *)"6.1";
	w->kernel.arch = (char *)"x86_64";
	return w;
}

static inline void end_world(struct world *w)
{
	kiln_done_clear(&w->done);
	kiln_ctx_free(w->ctx);
	free(w);
}

/* A build leaves a record of what it was made from. */
static inline void record(struct world *w, const char *version)
{
	struct kiln_record r = { .version = 1, .inputs = (char *)"inputs" };

	assert_int_equal(kiln_record_save(w->ctx, (struct kiln_mod){ "m", version },
					  (struct kiln_kern){ "6.1", "x86_64" }, &r),
			 0);
}

/* A module of the set that is installed next: its content is "V NAME". */
static inline void give(struct world *w, const char *version, const char *name, const char *location)
{
	_cleanup_(freep) char *path = kiln_strf(TREE "/%s/6.1/x86_64/module/%s.ko", version, name);
	_cleanup_(freep) char *text = kiln_strf("%s %s", version, name);
	struct kiln_conf_module *m = &w->modules[w->conf.n_modules++];

	unit_write(w->root, path, text);
	*m = (struct kiln_conf_module){ .built_name = (char *)name,
					.dest_name = (char *)name,
					.dest_location = (char *)location };
	w->conf.modules = w->modules;
}

static inline void run(struct world *w, bool install, const char *version, const struct kiln_conf *conf,
		unsigned flags)
{
	struct kiln_place_job job = { .ctx = w->ctx,
				      .mod = { "m", version },
				      .kernel = &w->kernel,
				      .conf = conf,
				      .source_dir = "/usr/src/m",
				      .flags = flags };

	kiln_done_clear(&w->done);
	if (install)
		kiln_place_install(&job, &w->done, &w->changed);
	else
		kiln_place_uninstall(&job, &w->done, &w->changed);
}

static inline void install(struct world *w, const char *version)
{
	record(w, version);
	run(w, true, version, &w->conf, 0);
	assert_int_equal(w->done.result, KILN_DONE);
	assert_true(w->changed);
	w->conf.n_modules = 0;
}

static inline void install_again(struct world *w, const char *version)
{
	w->conf.n_modules = 1;
	install(w, version);
}

static inline void uninstall(struct world *w, const char *version)
{
	run(w, false, version, NULL, 0);
	assert_int_equal(w->done.result, KILN_DONE);
}

static inline bool there(const struct world *w, const char *path)
{
	return kiln_fs_exists(w->root->fd, path);
}

static inline void assert_active(const struct world *w, const char *expected)
{
	_cleanup_(freep) char *text = NULL;

	if (!expected) {
		assert_false(there(w, TREE "/kernel-6.1-x86_64"));
		return;
	}
	assert_int_equal(kiln_fs_read_link(w->root->fd, TREE "/kernel-6.1-x86_64", &text), 0);
	assert_string_equal(text, expected);
}

/* The record knows of just one installed module, at path. */
static inline void assert_recorded(const struct world *w, const char *version, const char *path)
{
	_cleanup_(kiln_record_done) struct kiln_record r = { 0 };

	assert_int_equal(kiln_record_load(w->ctx, (struct kiln_mod){ "m", version },
					  (struct kiln_kern){ "6.1", "x86_64" }, &r),
			 0);
	assert_int_equal(r.installed.n, 1);
	assert_string_equal(strchr(r.installed.v[0], ' ') + 1, path);
}
