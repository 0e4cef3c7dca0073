/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variables of templates: one row each.  A new one is a new row here and in
 * the tables of spec-templates/README.md and debian-templates/README.md.
 */
#include "core/pack.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/cross.h"

enum { FOR_RPM = 1 << KILN_PACK_RPM, FOR_DEB = 1 << KILN_PACK_DEB, FOR_BOTH = FOR_RPM | FOR_DEB };

static char *or_nothing(const char *s)
{
	return strdup(s ? s : "");
}

static char *join(const struct kiln_strv *list, const char *before, const char *between)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret;

	kiln_buf_adds(&b, "");
	for (size_t i = 0; i < list->n; i++)
		kiln_buf_addf(&b, "%s%s%s", i ? between : "", before, list->v[i]);
	return kiln_buf_steal(&b, &ret) < 0 ? NULL : ret;
}

/* ---- of the module ---- */

static char *name(const struct kiln_pack *p) { return strdup(p->wish->mod.name); }
static char *version(const struct kiln_pack *p) { return strdup(p->wish->mod.version); }
static char *license(const struct kiln_pack *p) { return or_nothing(p->meta.license); }
static char *homepage(const struct kiln_pack *p) { return or_nothing(p->meta.homepage); }
static char *github(const struct kiln_pack *p) { return or_nothing(p->meta.github); }
static char *packager(const struct kiln_pack *p) { return or_nothing(p->wish->packager); }
static char *legacy(const struct kiln_pack *p) { return strdup(p->wish->legacy_postinst ? "yes" : ""); }

static char *summary(const struct kiln_pack *p)
{
	char *s = p->meta.summary ? strdup(p->meta.summary) : kiln_strf("%s kernel module", p->wish->mod.name);

	if (s)
		*s = (char)toupper((unsigned char)*s);
	return s;
}

/* ---- of a package for one kernel ---- */

static char *kernel(const struct kiln_pack *p) { return or_nothing(p->kern.release); }
static char *arch(const struct kiln_pack *p) { return or_nothing(p->kern.arch); }
static char *module_dir(const struct kiln_pack *p) { return or_nothing(p->module_dir); }

/* ---- of rpm ---- */

static char *rpm_name(const struct kiln_pack *p) { return strdup(p->names[KILN_PACK_RPM]); }
static char *rpm_version(const struct kiln_pack *p) { return strdup(p->versions[KILN_PACK_RPM]); }
static char *provides(const struct kiln_pack *p) { return join(&p->depends.provides, "Provides:       ", "\n"); }
static char *requires(const struct kiln_pack *p) { return join(&p->depends.requires, "Requires:       ", "\n"); }
static char *files(const struct kiln_pack *p) { return join(&p->files, "", "\n"); }

static char *rpm_kernel(const struct kiln_pack *p)
{
	return p->kern.release ? kiln_pack_kernel(p->kern.release, KILN_PACK_RPM) : strdup("");
}

static char *capability(const struct kiln_pack *p)
{
	return p->kern.release ? kiln_pack_capability(p->kern.release) : strdup("");
}

static char *date(const struct kiln_pack *p, const char *format)
{
	time_t when = (time_t)p->wish->when;
	char text[64];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), format, &tm);
	return strdup(text);
}

static char *rpm_date(const struct kiln_pack *p) { return date(p, "%a %b %d %Y"); }

/* ---- of Debian ---- */

static char *debian_name(const struct kiln_pack *p) { return strdup(p->names[KILN_PACK_DEB]); }
static char *debian_version(const struct kiln_pack *p) { return strdup(p->versions[KILN_PACK_DEB]); }
static char *debian_date(const struct kiln_pack *p) { return date(p, "%a, %d %b %Y %H:%M:%S +0000"); }

static char *debian_kernel(const struct kiln_pack *p)
{
	return p->kern.release ? kiln_pack_kernel(p->kern.release, KILN_PACK_DEB) : strdup("");
}

static char *debian_arch(const struct kiln_pack *p)
{
	const struct kiln_arch *a = p->kern.arch ? kiln_arch_named(p->kern.arch) : NULL;

	return or_nothing(a ? a->debian : p->kern.arch);
}

static char *section(const struct kiln_pack *p)
{
	return strdup(p->meta.license && strstr(p->meta.license, "LicenseRef-") ? "non-free/kernel" : "kernel");
}

static char *copyright(const struct kiln_pack *p)
{
	if (!p->meta.copyrights.n) {
		_cleanup_(freep) char *year = date(p, "%Y");

		return year ? kiln_strf("%s the authors of %s", year, p->wish->mod.name) : NULL;
	}
	return join(&p->meta.copyrights, "", "\n           ");
}

/* Licences as debian/copyright names them. */
static char *copyright_license(const struct kiln_pack *p)
{
	static const struct {
		const char *spdx, *debian;
	} names[] = {
		{ "GPL-2.0-only", "GPL-2" }, { "GPL-2.0-or-later", "GPL-2+" }, { "GPL-3.0-only", "GPL-3" },
		{ "GPL-3.0-or-later", "GPL-3+" }, { "MIT", "Expat" }, { "BSD-3-Clause", "BSD-3-clause" },
		{ "BSD-2-Clause", "BSD-2-clause" }, { "OR", "or" }, { "AND", "and" },
	};
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

	if (kiln_text_split(p->meta.license ? p->meta.license : "", " ", &words) < 0)
		return NULL;
	for (size_t i = 0; i < words.n; i++)
		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			if (!strcmp(words.v[i], names[j].spdx)) {
				free(words.v[i]);
				words.v[i] = strdup(names[j].debian);
				if (!words.v[i])
					return NULL;
				break;
			}
	return join(&words, "", " ");
}

static char *license_text(const struct kiln_pack *p)
{
	const char *spdx = p->meta.license ? p->meta.license : "", *gpl = strstr(spdx, "GPL-");
	char major = gpl ? gpl[strlen("GPL-")] : '\0';

	if (major != '2' && major != '3')
		return kiln_strf(" So says %s; its files tell more.", p->meta.says ? p->meta.says : "its source");
	return kiln_strf(" So says %s.\n On Debian systems, version %c of the GNU General Public License is in\n"
			 " /usr/share/common-licenses/GPL-%c.", p->meta.says ? p->meta.says : "its source", major, major);
}

/* ---- the table ---- */

static const struct kiln_pack_variable table[] = {
	{ "NAME", FOR_BOTH, name },
	{ "VERSION", FOR_BOTH, version },
	{ "SUMMARY", FOR_BOTH, summary },
	{ "LICENSE", FOR_BOTH, license },
	{ "HOMEPAGE", FOR_BOTH, homepage },
	{ "GITHUB", FOR_BOTH, github },
	{ "PACKAGER", FOR_BOTH, packager },
	{ "LEGACY", FOR_BOTH, legacy },
	{ "KERNEL", FOR_BOTH, kernel },
	{ "ARCH", FOR_BOTH, arch },
	{ "MODULE_DIR", FOR_BOTH, module_dir },
	{ "RPM_NAME", FOR_RPM, rpm_name },
	{ "RPM_VERSION", FOR_RPM, rpm_version },
	{ "RPM_KERNEL", FOR_RPM, rpm_kernel },
	{ "KERNEL_CAPABILITY", FOR_RPM, capability },
	{ "RPM_DATE", FOR_RPM, rpm_date },
	{ "PROVIDES", FOR_RPM, provides },
	{ "REQUIRES", FOR_RPM, requires },
	{ "FILES", FOR_RPM, files },
	{ "DEBIAN_NAME", FOR_DEB, debian_name },
	{ "DEBIAN_VERSION", FOR_DEB, debian_version },
	{ "DEBIAN_KERNEL", FOR_DEB, debian_kernel },
	{ "DEBIAN_ARCH", FOR_DEB, debian_arch },
	{ "DEBIAN_DATE", FOR_DEB, debian_date },
	{ "SECTION", FOR_DEB, section },
	{ "COPYRIGHT", FOR_DEB, copyright },
	{ "COPYRIGHT_LICENSE", FOR_DEB, copyright_license },
	{ "LICENSE_TEXT", FOR_DEB, license_text },
};

const struct kiln_pack_variable *kiln_pack_variables(size_t *n)
{
	*n = ARRAY_SIZE(table);
	return table;
}

int kiln_pack_set_vars(struct kiln_pack *p, enum kiln_pack_kind kind, struct kiln_err *err)
{
	free(p->v);
	kiln_strv_free(&p->words);
	p->n = 0;
	p->v = calloc(ARRAY_SIZE(table), sizeof(*p->v));
	if (!p->v)
		return kiln_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (!(table[i].kinds & 1u << kind))
			continue;
		if (kiln_strv_take(&p->words, table[i].value(p)) < 0)
			return kiln_fail(err, -ENOMEM, "out of memory");
		p->v[p->n++] = (struct kiln_template_var){ table[i].name, p->words.v[p->words.n - 1] };
	}
	return 0;
}

struct kiln_template_vars kiln_pack_vars(const struct kiln_pack *p)
{
	return (struct kiln_template_vars){ p->v, p->n };
}

const char *kiln_pack_value(const struct kiln_pack *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->v[i].name, name))
			return p->v[i].value;
	return "";
}
