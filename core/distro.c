/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the distribution decides: where out-of-tree modules go (dkms 3.2.2
 * overrides DEST_MODULE_LOCATION by os-release), and what the package with a
 * kernel's headers is called.
 */
#include "core/ctx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum { LARGEST_OS_RELEASE = 64 * 1024 };

/*
 * The flavour is the last part of the release: 6.4.0-150600.21-default, 6.6.8-1-lts,
 * 6.6.8-zen1-1-zen.
 */
static const char *flavour_of(const char *release)
{
	const char *dash = strrchr(release, '-');

	return dash && dash[1] >= 'a' && dash[1] <= 'z' ? dash + 1 : NULL;
}

static char *suse_package(const char *release)
{
	const char *flavour = flavour_of(release);

	return kiln_strf("kernel-%s-devel", flavour ? flavour : "default");
}

static char *arch_package(const char *release)
{
	const char *flavour = flavour_of(release);

	if (!flavour || kiln_text_starts(flavour, "arch"))
		return strdup("linux-headers");
	return kiln_strf("linux-%s-headers", flavour);
}

/*
 * A variant stands behind a plus: 5.14.0-427.el9.x86_64+rt belongs to
 * kernel-rt-devel-5.14.0-427.el9.x86_64.
 */
static char *fedora_package(const char *release)
{
	const char *plus = strrchr(release, '+');

	if (!plus)
		return kiln_strf("kernel-devel-%s", release);
	return kiln_strf("kernel-%s-devel-%.*s", plus + 1, (int)(plus - release), release);
}

static char *debian_package(const char *release)
{
	return kiln_strf("%s-%s",
			 kiln_text_ends(release, "-pve") ? "proxmox-headers" : "linux-headers",
			 release);
}

/*
 * Families as os-release spells them in ID and ID_LIKE; the first whose name the identity begins
 * with.
 */
static const struct family {
	const char *prefix;
	const char *module_dir;
	char *(*headers)(const char *release); /* name of the package */
} families[] = {
	{ "fedora", "/extra", fedora_package },
	{ "rhel", "/extra", fedora_package },
	{ "centos", "/extra", fedora_package },
	{ "ovm", "/extra", fedora_package },
	{ "sles", "/updates", suse_package },
	{ "suse", "/updates", suse_package },
	{ "opensuse", "/updates", suse_package },
	{ "debian", "/updates/dkms", debian_package },
	{ "ubuntu", "/updates/dkms", debian_package },
	{ "arch", "/updates/dkms", arch_package },
};

static const struct family *family_of(const char *id)
{
	for (size_t i = 0; id && i < ARRAY_SIZE(families); i++)
		if (kiln_text_starts(id, families[i].prefix))
			return &families[i];
	return NULL;
}

/* VALUE or "VALUE" or 'VALUE', cut at the first blank: of ID_LIKE the first name counts. */
static char *first_word(const char *value)
{
	size_t n;

	value += strspn(value, "\"'");
	n = strcspn(value, "\"' \t");
	return strndup(value, n);
}

static int find_value(const struct kiln_strv *lines, const char *key, char **ret)
{
	for (size_t i = 0; i < lines->n; i++)
		if (kiln_text_starts(lines->v[i], key)) {
			free(*ret);
			*ret = first_word(lines->v[i] + strlen(key));
			if (!*ret)
				return -ENOMEM;
		}
	return 0;
}

static int read_os_release(int root, struct kiln_strv *lines)
{
	static const char *const places[] = { "etc/os-release", "usr/lib/os-release" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_(freep) char *text = NULL;
		int r = kiln_fs_read(root, places[i], LARGEST_OS_RELEASE, &text, NULL);

		if (r >= 0)
			return kiln_text_lines(text, lines);
		if (r == -EIO) /* not to know would put modules into the wrong place */
			return r;
	}
	return 0;
}

int kiln_distro_load(int root, struct kiln_distro *ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *id = NULL, *like = NULL;
	const struct family *family;
	int r = read_os_release(root, &lines);

	if (r >= 0)
		r = find_value(&lines, "ID=", &id);
	if (r >= 0)
		r = find_value(&lines, "ID_LIKE=", &like);
	if (r < 0)
		return r;
	/* As dkms: Ubuntu is itself, everything else what it is first like. */
	if (like && *like && !(id && !strcmp(id, "ubuntu")))
		ret->id = TAKE_PTR(like);
	else
		ret->id = id ? TAKE_PTR(id) : strdup("");
	family = family_of(ret->id);
	ret->module_dir = family ? family->module_dir : NULL;
	return ret->id ? 0 : -ENOMEM;
}

char *kiln_distro_headers_package(const struct kiln_distro *d, const char *release)
{
	const struct family *family = family_of(d->id);

	return family ? family->headers(release) : NULL;
}
