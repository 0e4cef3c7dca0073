/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dependency generator that rpmbuild calls for packages with a dkms.conf
 * (fileattrs/dkms.attr): paths come in, one a line, capabilities go out.  What
 * cannot be read is said, and no reason for a package not to be made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/kiln.h"

typedef int generate_fn(struct kiln_ctx *ctx, const char *conf, struct kiln_strv *ret, struct kiln_err *err);

static int provides(struct kiln_ctx *ctx, const char *conf, struct kiln_strv *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *name = NULL, *version = NULL, *capability = NULL;
	int r = kiln_source_identify(ctx, conf, &name, &version, err);

	if (r < 0)
		return r;
	capability = kiln_package_provides(name, version);
	return capability ? kiln_strv_add_new(ret, capability) : 0;
}

static int requires(struct kiln_ctx *ctx, const char *conf, struct kiln_strv *ret, struct kiln_err *err)
{
	(void)ctx;
	(void)conf;
	(void)err;
	return kiln_strv_add_new(ret, "dkms");
}

static int supplements(struct kiln_ctx *ctx, const char *conf, struct kiln_strv *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *dir = strndup(conf, (size_t)(strrchr(conf, '/') - conf));

	return dir ? kiln_package_devices(ctx, dir, ret, err) : -ENOMEM;
}

static const struct {
	const char *name;
	generate_fn *run;
} kinds[] = {
	{ "provides", provides },
	{ "requires", requires },
	{ "supplements", supplements },
};

static generate_fn *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].run;
	return NULL;
}

static void print_all(struct kiln_ctx *ctx, generate_fn *generate)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (kiln_text_ends(line, "/dkms.conf") && generate(ctx, line, &lines, &err) < 0)
			fprintf(stderr, "modkiln: %s\n", kiln_err_text(&err));
	}
	for (size_t i = 0; i < lines.n; i++)
		puts(lines.v[i]);
}

int main(int argc, char **argv)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	generate_fn *generate = argc == 2 ? find(argv[1]) : NULL;
	struct kiln_options options = { .root = NULL };

	if (!generate) {
		fprintf(stderr, "usage: rpm-depends provides|requires|supplements <PATHS\n");
		return 2;
	}
	if (kiln_ctx_new(&options, &ctx, &err) < 0) {
		fprintf(stderr, "modkiln: %s\n", kiln_err_text(&err));
		return 1;
	}
	print_all(ctx, generate);
	return fflush(stdout) == 0 ? 0 : 1;
}
