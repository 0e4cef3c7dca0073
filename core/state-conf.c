/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each dkms.conf says about each kernel, for exactly the pairs that the
 * facts can concern, and for the modules that those depend on.  A conf that
 * cannot be evaluated is a verdict as any other: it must not stop the rest.
 */
#include "core/state-load.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/build.h"
#include "core/prebuilt.h"
#include "core/tree.h"

enum { LARGEST_CONF = 1 << 20 };

struct judge {
	struct kiln_ctx *ctx;
	struct kiln_state *state;
	char *tools; /* KILN_HASH_SIZE bytes: kiln_record_tools(), "" until a failed build asks for it */
};

static struct kiln_kern name_of(const struct kiln_kernel *k)
{
	return (struct kiln_kern){ k->release, k->arch };
}

/* ---- one pair ---- */

static int copy_reason(struct kiln_verdict *v, int code, const char *reason)
{
	v->code = code;
	v->reason = strdup(reason);
	return v->reason ? 0 : -ENOMEM;
}

/* Two codes tell the planner something; whatever else goes wrong with a conf makes it unusable. */
static int note_failure(struct kiln_verdict *v, int r, const struct kiln_err *err)
{
	if (r == -ENOMEM)
		return r;
	return copy_reason(v, r == -KILN_E_SHELL ? KILN_E_SHELL : KILN_E_CONF, kiln_err_text(err));
}

/* What the set that there is was built against; a file that is missing means that nobody knows, as for dkms. */
static int read_against(const struct judge *j, const struct kiln_module *m, struct kiln_verdict *v)
{
	for (size_t i = 0; i < v->depends.n; i++) {
		_cleanup_(freep) char *path = kiln_tree_against(j->ctx, m->mod, v->kern, v->depends.v[i]);
		_cleanup_(freep) char *text = NULL;

		if (!path)
			return -ENOMEM;
		if (kiln_fs_read(j->ctx->root, kiln_rel(path), NAME_MAX, &text, NULL) >= 0)
			text[strcspn(text, "\n")] = '\0';
		if (kiln_strv_add(&v->against, text ? text : "") < 0)
			return -ENOMEM;
	}
	return 0;
}

static int evaluate(const struct judge *j, const struct kiln_module *m, struct kiln_verdict *v)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = kiln_conf_load_early(j->ctx, m->source_dir, m->mod, v->kern, &v->conf, &err);

	if (r < 0)
		return note_failure(v, r, &err);
	v->autoinstall = v->conf->autoinstall;
	v->rebuild = v->conf->build_depends_rebuild;
	if (kiln_strv_copy(&v->depends, &v->conf->build_depends) < 0 || (v->rebuild && read_against(j, m, v) < 0))
		return -ENOMEM;
	return v->conf->excluded ? copy_reason(v, KILN_E_EXCLUDED, v->conf->excluded) : 0;
}

/* Hash over what a build would read now; "": cannot be told, as without headers. */
static void inputs_now(const struct judge *j, struct kiln_module *m, struct kiln_kern kern, struct kiln_inputs *ret)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	const struct kiln_kernel *k = kiln_state_kernel(j->state, kern);

	memcpy(ret->source, m->source_hash, sizeof(ret->source));
	if (k && k->headers && kiln_record_inputs(j->ctx, m->source_dir, m->mod, k, ret, &err) < 0)
		kiln_log(j->ctx, KILN_LOG_INFO, "%s/%s: %s", m->mod.name, m->mod.version,
			 kiln_err_text(&err));
	if (*ret->hash)
		memcpy(m->source_hash, ret->source, sizeof(ret->source));
}

/* Whether a build that failed would find the compilers and programs that it found then. */
static bool has_same_tools(const struct judge *j, const struct kiln_record *record)
{
	if (!record->tools || (!*j->tools && kiln_record_tools(j->ctx, j->tools) < 0))
		return true;
	return !strcmp(record->tools, j->tools);
}

/*
 * What was tried before.  A set without a record was built by bash dkms and is
 * taken as it is.  Behind a failed build there may still be the set that was
 * to be replaced: it is what it was, out of date.
 */
static int consult_record(const struct judge *j, struct kiln_module *m, struct kiln_verdict *v)
{
	struct kiln_instance *have = kiln_module_instance(m, v->kern);
	_cleanup_(kiln_record_done) struct kiln_record record = { 0 };
	struct kiln_inputs now = { 0 };
	bool same;

	if (kiln_record_load(j->ctx, m->mod, v->kern, &record) < 0)
		return 0;
	if (!record.failed && !record.held && (!have || have->level < KILN_BUILT))
		return 0;
	inputs_now(j, m, v->kern, &now);
	if (!*now.hash || !record.inputs)
		return 0;
	same = !strcmp(record.inputs, now.hash);
	v->held = record.held && same;
	if (have)
		have->outdated = record.failed || !same;
	if (!record.failed || !same || !has_same_tools(j, &record))
		return 0;
	v->failed_before = true;
	v->failed_reason = strdup(record.reason ? record.reason : kiln_code_text(record.code));
	return v->failed_reason ? 0 : -ENOMEM;
}

/* ---- pairs and what they depend on ---- */

static bool is_usable(const struct kiln_module *m)
{
	return m && m->source && !m->broken;
}

/* What a package brings ready-made counts only if it is what it was, and would load. */
static int judge_prebuilt(const struct judge *j, const struct kiln_module *m, struct kiln_kern kern)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	const struct kiln_kernel *k = kiln_state_kernel(j->state, kern);
	struct kiln_strv *list = &j->state->prebuilt;
	_cleanup_(freep) char *pair = NULL;
	int r;

	if (!k || !kiln_state_prebuilt(j->state, m->mod, kern))
		return 0;
	r = kiln_prebuilt_verify(j->ctx, m->mod, k, &err);
	if (r == -ENOMEM || r >= 0)
		return r;
	kiln_log(j->ctx, KILN_LOG_WARNING, "the ready-made modules of %s/%s for %s are not taken: %s", m->mod.name,
		 m->mod.version, kern.release, kiln_err_text(&err));
	pair = kiln_pair_name(m->mod, kern);
	for (size_t i = list->n; pair && i-- > 0;)
		if (!strcmp(list->v[i], pair))
			kiln_strv_remove(list, i);
	return pair ? 0 : -ENOMEM;
}

static int judge_pair(const struct judge *j, struct kiln_module *m, struct kiln_kern kern);

/* A module named in BUILD_DEPENDS: the version that would be installed, and the one that is. */
static int judge_name(const struct judge *j, const char *name, struct kiln_kern kern)
{
	struct kiln_module *newest = kiln_state_newest(j->state, name);
	struct kiln_module *installed = kiln_state_installed(j->state, name, kern);
	int r = newest ? judge_pair(j, newest, kern) : 0;

	return r >= 0 && installed ? judge_pair(j, installed, kern) : r;
}

/*
 * Ends in spite of cycles: a pair that has a verdict is done.  Adding verdicts
 * moves them, hence the look-ups.
 */
static int judge_pair(const struct judge *j, struct kiln_module *m, struct kiln_kern kern)
{
	struct kiln_verdict *v;
	size_t n;
	int r;

	if (!is_usable(m) || kiln_module_verdict(m, kern))
		return 0;
	v = kiln_module_add_verdict(m, kern);
	r = v ? evaluate(j, m, v) : -ENOMEM;
	if (r >= 0)
		r = consult_record(j, m, v);
	if (r >= 0)
		r = judge_prebuilt(j, m, kern);
	n = r >= 0 ? v->depends.n : 0;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = judge_name(j, kiln_module_verdict(m, kern)->depends.v[i], kern);
	return r;
}

/* ---- what a fact concerns ---- */

/* Every module in the version that installs itself, for one kernel. */
static int judge_kernel(const struct judge *j, struct kiln_kern kern)
{
	int r = 0;

	for (size_t i = 0; i < j->state->n_modules && r >= 0; i++) {
		struct kiln_module *m = &j->state->modules[i];

		if (kiln_state_newest(j->state, m->mod.name) == m)
			r = judge_pair(j, m, kern);
	}
	return r;
}

/* One module for every kernel that it has something for. */
static int judge_instances(const struct judge *j, struct kiln_module *m)
{
	int r = 0;

	for (size_t i = 0; m && i < m->n_instances && r >= 0; i++)
		r = judge_pair(j, m, m->instances[i].kern);
	return r;
}

/* Every module that has something for one kernel. */
static int judge_sets(const struct judge *j, struct kiln_kern kern)
{
	int r = 0;

	for (size_t i = 0; i < j->state->n_modules && r >= 0; i++)
		if (kiln_module_instance(&j->state->modules[i], kern))
			r = judge_pair(j, &j->state->modules[i], kern);
	return r;
}

static int judge_source(const struct judge *j, struct kiln_module *m)
{
	int r = 0;

	for (size_t i = 0; m && i < j->state->n_kernels && r >= 0; i++)
		if (kiln_state_is_target(j->state, &j->state->kernels[i]))
			r = judge_pair(j, m, name_of(&j->state->kernels[i]));
	return r;
}

static int judge_everything(const struct judge *j)
{
	int r = 0;

	for (size_t i = 0; i < j->state->n_kernels && r >= 0; i++)
		if (kiln_state_is_target(j->state, &j->state->kernels[i]))
			r = judge_kernel(j, name_of(&j->state->kernels[i]));
	for (size_t i = 0; i < j->state->n_modules && r >= 0; i++) {
		struct kiln_module *m = &j->state->modules[i];

		r = m->found ? judge_source(j, m) : judge_instances(j, m);
	}
	return r;
}

static int judge_fact(const struct judge *j, const struct kiln_fact *f)
{
	struct kiln_module *m = f->mod.name ? kiln_state_module(j->state, f->mod) : NULL;
	struct kiln_kern kern = kiln_state_kern(j->state, f->kern);

	switch (f->kind) {
	case KILN_FACT_KERNEL_ADDED:
	case KILN_FACT_HEADERS_ADDED:
	case KILN_FACT_AUTOINSTALL:
		return j->state->no_autoinstall ? 0 : judge_kernel(j, kern);
	case KILN_FACT_KERNEL_REPLACED:
		return judge_sets(j, kern);
	case KILN_FACT_SOURCE_ADDED:
		return j->state->no_autoinstall ? 0 : judge_source(j, m);
	case KILN_FACT_RECONCILE:
		return j->state->no_autoinstall ? 0 : judge_everything(j);
	case KILN_FACT_REQUEST:
		return m && f->kern.release ? judge_pair(j, m, kern) : judge_instances(j, m);
	case KILN_FACT_KERNEL_REMOVED:
	case KILN_FACT_SOURCE_REMOVED:
	case KILN_FACT_KERNEL_UNSETTLED:
	case KILN_FACT_SOURCE_UNSETTLED:
		break;
	}
	return 0;
}

/* ---- who has to be built again with what a fact concerns ---- */

/* Only a conf that says so by name is worth evaluating. */
static bool may_rebuild(const struct judge *j, const struct kiln_module *m)
{
	_cleanup_(closep) int dir = kiln_ctx_open(j->ctx, m->source_dir, O_PATH | O_DIRECTORY);
	_cleanup_(freep) char *text = NULL;

	return dir >= 0 && kiln_fs_read(dir, "dkms.conf", LARGEST_CONF, &text, NULL) >= 0 &&
	       strstr(text, "BUILD_DEPENDS_REBUILD");
}

static bool concerns(const struct kiln_state *s, struct kiln_kern kern)
{
	for (size_t i = 0; i < s->n_modules; i++)
		if (kiln_module_verdict(&s->modules[i], kern))
			return true;
	return false;
}

static int judge_dependants(const struct judge *j)
{
	int r = 0;

	for (size_t i = 0; i < j->state->n_modules && r >= 0; i++) {
		struct kiln_module *m = &j->state->modules[i];

		if (!is_usable(m) || !m->n_instances || !may_rebuild(j, m))
			continue;
		for (size_t k = 0; k < m->n_instances && r >= 0; k++)
			if (m->instances[k].level == KILN_INSTALLED && concerns(j->state, m->instances[k].kern))
				r = judge_pair(j, m, m->instances[k].kern);
	}
	return r;
}

int kiln_state_read_confs(struct kiln_ctx *ctx, struct kiln_state *s,
			  const struct kiln_facts *facts, struct kiln_err *err)
{
	char tools[KILN_HASH_SIZE] = "";
	struct judge j = { ctx, s, tools };
	int r = 0;

	for (size_t i = 0; i < facts->n && r >= 0; i++)
		r = judge_fact(&j, &facts->v[i]);
	if (r >= 0)
		r = judge_dependants(&j);
	return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
}
