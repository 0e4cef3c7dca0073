/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a dkms.conf's BUILD_EXCLUSIVE directives leave a kernel out, and which one says so. Pure.
 */
#include "core/exclude.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

/* One question: the values of one array element, and the kernel they are held against. */
struct question {
	const struct kiln_vars *vars;
	size_t index;
	const struct kiln_kern *kern;
	const char *config; /* text; NULL: there is none */
};

static const char *value(const struct question *q, const char *name)
{
	const char *v = kiln_vars_get(q->vars, name, q->index);

	return v && *v ? v : NULL;
}

static char *by_kernel(const struct question *q)
{
	const char *v = value(q, "BUILD_EXCLUSIVE_KERNEL");

	if (!v || kiln_text_matches(q->kern->release, v))
		return NULL;
	return kiln_strf("BUILD_EXCLUSIVE_KERNEL=\"%s\" does not match kernel %s", v,
			 q->kern->release);
}

static char *by_minimum(const struct question *q)
{
	const char *v = value(q, "BUILD_EXCLUSIVE_KERNEL_MIN");

	if (!v || kiln_text_compare_versions(q->kern->release, v) >= 0)
		return NULL;
	return kiln_strf("BUILD_EXCLUSIVE_KERNEL_MIN=\"%s\": kernel %s is older", v,
			 q->kern->release);
}

/* OBSOLETE_BY says the same of the last kernel that needs the module. */
static char *by_maximum(const struct question *q)
{
	const char *name = "BUILD_EXCLUSIVE_KERNEL_MAX", *v = value(q, name);

	if (!v && !q->index)
		v = value(q, name = "OBSOLETE_BY");
	if (!v || kiln_text_compare_versions(q->kern->release, v) <= 0)
		return NULL;
	return kiln_strf("%s=\"%s\": kernel %s is newer", name, v, q->kern->release);
}

static char *by_arch(const struct question *q)
{
	const char *v = value(q, "BUILD_EXCLUSIVE_ARCH");

	if (!v || !q->kern->arch || kiln_text_matches(q->kern->arch, v))
		return NULL;
	return kiln_strf("BUILD_EXCLUSIVE_ARCH=\"%s\" does not match %s", v, q->kern->arch);
}

/* CONFIG_X=y or =m, at the beginning of a line. */
static bool config_has(const char *config, const char *symbol)
{
	size_t n = strlen(symbol);

	for (const char *at = config; (at = strstr(at, symbol)); at += n)
		if ((at == config || at[-1] == '\n') && at[n] == '=' &&
		    (at[n + 1] == 'y' || at[n + 1] == 'm'))
			return true;
	return false;
}

static char *by_config(const struct question *q)
{
	const char *v = value(q, "BUILD_EXCLUSIVE_CONFIG");
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

	if (!v || !q->config || kiln_text_split(v, " \t\n", &words) < 0)
		return NULL;
	for (size_t i = 0; i < words.n; i++) {
		bool absent = words.v[i][0] == '!';

		if (config_has(q->config, words.v[i] + absent) == absent)
			return kiln_strf(
				"BUILD_EXCLUSIVE_CONFIG: kernel %s is configured with%s %s",
				q->kern->release, absent ? "" : "out", words.v[i] + absent);
	}
	return NULL;
}

char *kiln_exclude(const struct kiln_vars *vars, size_t index, const struct kiln_kern *kern,
		   const char *config)
{
	static char *(*const rules[])(const struct question *q) = { by_kernel, by_minimum,
								    by_maximum, by_arch,
								    by_config };
	const struct question q = { vars, index, kern, config };
	char *reason = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rules) && !reason; i++)
		reason = rules[i](&q);
	if (!reason && !index && value(&q, "build_exclude"))
		reason = kiln_strf("its dkms.conf sets build_exclude for kernel %s", kern->release);
	return reason;
}
