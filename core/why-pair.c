/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a module is, or is not, installed for a kernel: a table of rules, asked in
 * the order in which a run would meet them.  A new reason is a new row.  Pure.
 */
#include "core/why.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

/* ---- answers ---- */

static char *format(const char *fmt, va_list ap)
{
	struct kiln_buf b = KILN_BUF_INIT;
	char *text = NULL;

	kiln_buf_vaddf(&b, fmt, ap);
	kiln_buf_steal(&b, &text);
	return text;
}

/* 1: this is the answer; -ENOMEM. */
static int answer(struct kiln_why *w, enum kiln_why_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int answer(struct kiln_why *w, enum kiln_why_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	w->kind = kind;
	w->reason = format(fmt, ap);
	va_end(ap);
	return w->reason ? 1 : -ENOMEM;
}

/* What to do, added to an answer; r is what that returned. */
static int next(int r, struct kiln_why *w, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int next(int r, struct kiln_why *w, const char *fmt, ...)
{
	va_list ap;

	if (r < 0)
		return r;
	va_start(ap, fmt);
	w->next = format(fmt, ap);
	va_end(ap);
	return w->next ? r : -ENOMEM;
}

/* "dkms install acme/1.2 -k RELEASE" and what it does. */
static int next_install(int r, const struct kiln_why_case *c, struct kiln_why *w, const char *does)
{
	return next(r, w, "\"dkms install %s/%s -k %s\" %s", c->module->mod.name, c->module->mod.version,
		    c->kern.release, does);
}

/* ---- rules ---- */

static int is_broken(const struct kiln_why_case *c, struct kiln_why *w)
{
	struct kiln_mod m = c->module->mod;

	if (!c->module->broken)
		return 0;
	return next(answer(w, KILN_WHY_BROKEN, "its source is missing"), w,
		    "install its package again, or give it up: dkms remove %s/%s --all", m.name, m.version);
}

static const struct kiln_open_journal *open_journal(const struct kiln_why_case *c)
{
	for (size_t i = 0; i < c->state->n_journals; i++) {
		const struct kiln_open_journal *j = &c->state->journals[i];

		if (kiln_mod_same(j->mod, c->module->mod) && kiln_kern_same(j->kern, c->kern))
			return j;
	}
	return NULL;
}

static int is_cut_off(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_open_journal *j = open_journal(c);

	if (!j)
		return 0;
	return next(answer(w, KILN_WHY_WAITING, "its %s was cut off", kiln_op_name(j->op)), w,
		    "the next run finishes it, for one: dkms autoinstall -k %s", c->kern.release);
}

/* The kernel refuses what nobody signed whom the machine trusts: better known now than at the next boot. */
static int is_refused(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_why_signed *s = c->signed_as;
	bool installed = c->instance && c->instance->level == KILN_INSTALLED;
	int r;

	if (!s || s->is == KILN_SIGNED_UNKNOWN || (s->is == KILN_SIGNED_BY_KEY && !s->key.next))
		return 0;
	if (s->is == KILN_SIGNED_BY_KEY) {
		r = answer(w, KILN_WHY_UNTRUSTED, "%s, but signed by \"%s\", which this machine does not trust%s",
			   installed ? "installed" : "built", s->key.signer, s->key.trust == KILN_TRUST_PENDING ? " yet" : "");
		return next(r, w, "%s", s->key.next);
	}
	r = answer(w, KILN_WHY_UNTRUSTED, "%s, but not signed, and this system loads only signed modules",
		   installed ? "installed" : "built");
	return next(r, w, "%s\"dkms build %s/%s -k %s --force\" signs it", s->key.signer ? "" : "once there is a key "
		    "(dkms generate_mok), ", c->module->mod.name, c->module->mod.version, c->kern.release);
}

static bool has_stale_initramfs(const struct kiln_why_case *c)
{
	return kiln_strv_has(&c->state->stale_initramfs, c->kern.release);
}

static int is_installed(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_instance *i = c->instance;
	int r;

	if (!i || i->level != KILN_INSTALLED)
		return 0;
	if (i->outdated)
		return next_install(answer(w, KILN_WHY_OUTDATED, "installed, but built before its source, its conf or "
								 "the kernel's headers changed"),
				    c, w, "builds it anew");
	r = answer(w, KILN_WHY_FINE, "installed");
	if (!has_stale_initramfs(c))
		return r;
	free(w->reason);
	return next(answer(w, KILN_WHY_FINE, "installed, but the initramfs was made before that"), w,
		    "the next package transaction refreshes it");
}

static int is_weak(const struct kiln_why_case *c, struct kiln_why *w)
{
	if (!c->instance || !c->instance->weak_from)
		return 0;
	return answer(w, KILN_WHY_FINE, "uses the module built for %s", c->instance->weak_from);
}

static int is_prebuilt(const struct kiln_why_case *c, struct kiln_why *w)
{
	if (!kiln_state_prebuilt(c->state, c->module->mod, c->kern))
		return 0;
	return answer(w, KILN_WHY_FINE, "a package brings it ready-made, so it is not built");
}

static bool is_asked_for(const struct kiln_why_case *c, const struct kiln_fact *f)
{
	return f->kind == KILN_FACT_REQUEST && kiln_mod_same(f->mod, c->module->mod) &&
	       (!f->kern.release || !strcmp(f->kern.release, c->kern.release));
}

static int is_pending(const struct kiln_why_case *c, struct kiln_why *w)
{
	for (size_t i = 0; i < c->pending->n; i++)
		if (is_asked_for(c, &c->pending->v[i]))
			return next(answer(w, KILN_WHY_WAITING, "a wish to %s it is recorded",
					   kiln_op_name(c->pending->v[i].op)), w,
				    "the next run carries it out, for one: dkms autoinstall -k %s", c->kern.release);
	return 0;
}

static int is_held(const struct kiln_why_case *c, struct kiln_why *w)
{
	if (!c->verdict || !c->verdict->held)
		return 0;
	return next_install(answer(w, KILN_WHY_SUPERSEDED, "it was rolled back, and nothing has changed since"), c, w,
			    "takes it again");
}

/* Nobody waits for a version that is not the newest; another one may do the work. */
static int is_superseded(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_module *newest = kiln_state_newest(c->state, c->module->mod.name);
	const struct kiln_module *other = kiln_state_installed(c->state, c->module->mod.name, c->kern);

	if (!newest || newest == c->module)
		return 0;
	if (other)
		return next_install(answer(w, KILN_WHY_SUPERSEDED, "version %s is installed", other->mod.version), c, w,
				    "puts this one in its place");
	return next_install(answer(w, KILN_WHY_SUPERSEDED, "version %s is newer, and the one that installs itself",
				   newest->mod.version),
			    c, w, "installs this one all the same");
}

static int has_bad_conf(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_verdict *v = c->verdict;

	if (!c->module->source)
		return next(answer(w, KILN_WHY_FAILED, "its source has no dkms.conf"), w, "install its package again");
	if (!v || (v->code != KILN_E_CONF && v->code != KILN_E_SHELL))
		return 0;
	return next(answer(w, KILN_WHY_FAILED, "%s", v->reason), w, "correct the file; \"dkms lint\" looks at all of it");
}

static int is_excluded(const struct kiln_why_case *c, struct kiln_why *w)
{
	if (!c->verdict || c->verdict->code != KILN_E_EXCLUDED)
		return 0;
	return next(answer(w, KILN_WHY_EXCLUDED, "%s", c->verdict->reason), w,
		    "a newer version of the module may support this kernel");
}

/* ---- rules for a pair that nothing of its own speaks against ---- */

static bool wants_itself(const struct kiln_why_case *c)
{
	return c->verdict && c->verdict->autoinstall && !c->state->no_autoinstall;
}

static const char *built_or_not(const struct kiln_why_case *c)
{
	return c->instance && c->instance->level == KILN_BUILT ? "built, not installed: " : "";
}

static int is_disabled(const struct kiln_why_case *c, struct kiln_why *w)
{
	const char *file = "/etc/dkms/no-autoinstall";
	int r;

	if (wants_itself(c) || c->record || !c->verdict)
		return 0;
	if (c->state->no_autoinstall) {
		r = answer(w, KILN_WHY_DISABLED, "%s%s is there, so nothing is installed of itself", built_or_not(c), file);
		return next(r, w, "remove the file, or ask: dkms install %s/%s -k %s", c->module->mod.name,
			    c->module->mod.version, c->kern.release);
	}
	r = answer(w, KILN_WHY_DISABLED, "%sits dkms.conf does not say AUTOINSTALL=\"yes\"", built_or_not(c));
	return next_install(r, c, w, "installs it");
}

static bool needs_build(const struct kiln_why_case *c)
{
	return !c->instance || c->instance->level < KILN_BUILT || c->instance->outdated;
}

static int lacks_headers(const struct kiln_why_case *c, struct kiln_why *w)
{
	int r;

	if (!needs_build(c) || (c->kernel && c->kernel->headers))
		return 0;
	r = answer(w, KILN_WHY_WAITING, "the kernel's headers are not installed");
	if (c->headers_package)
		return next(r, w, "install %s: it is built then", c->headers_package);
	return next(r, w, "install the package that brings them, or name their directory with --kernelsourcedir");
}

static int has_failed(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_record *record = c->record;
	bool changed = record && !(c->verdict && c->verdict->failed_before);
	int r;

	if (!record)
		return 0;
	r = answer(w, KILN_WHY_FAILED, "did not build: %s", record->reason ? record->reason : kiln_code_text(record->code));
	w->log = r > 0 && c->log ? strdup(c->log) : NULL;
	if (r > 0 && c->log && !w->log)
		return -ENOMEM;
	return next_install(r, c, w, changed ? "tries again; something has changed since" :
					       "tries again; nothing has changed since");
}

static int lacks_dependency(const struct kiln_why_case *c, struct kiln_why *w)
{
	for (size_t i = 0; c->verdict && i < c->verdict->depends.n; i++) {
		const char *name = c->verdict->depends.v[i];
		const struct kiln_module *m = kiln_state_newest(c->state, name);

		if (kiln_state_installed(c->state, name, c->kern) ||
		    kiln_state_prebuilt(c->state, (struct kiln_mod){ name, NULL }, c->kern))
			continue;
		if (!m)
			return next(answer(w, KILN_WHY_WAITING, "it needs %s, which is not registered", name), w,
				    "install the package that brings %s", name);
		return next(answer(w, KILN_WHY_WAITING, "it needs %s, which is not installed for this kernel", name), w,
			    "dkms why %s -k %s", name, c->kern.release);
	}
	return 0;
}

static int is_missing(const struct kiln_why_case *c, struct kiln_why *w)
{
	const struct kiln_module *other = kiln_state_installed(c->state, c->module->mod.name, c->kern);
	int r = other ? answer(w, KILN_WHY_MISSING, "version %s is installed, and this one is newer", other->mod.version) :
			answer(w, KILN_WHY_MISSING, "%snothing stands in its way", built_or_not(c));

	return next_install(r, c, w, "installs it");
}

typedef int rule_fn(const struct kiln_why_case *c, struct kiln_why *w);

static rule_fn *const rules[] = {
	is_broken,     is_cut_off,   is_refused,  is_installed, is_weak,       is_prebuilt,  is_pending, is_held,
	is_superseded, has_bad_conf, is_excluded, is_disabled,	lacks_headers, has_failed, lacks_dependency,
	is_missing,
};

int kiln_why_judge(const struct kiln_why_case *c, struct kiln_why *ret)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules) && r == 0; i++)
		r = rules[i](c, ret);
	return r < 0 ? r : 0;
}
