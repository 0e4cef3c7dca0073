/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The make that builds find first: MAKE lines of real modules, through a shell,
 * and what arrives at the real make behind it, which is a script here.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/build-steps.h"

#define KERNEL "6.1.0-9-amd64"

/* Ends with the pipe's ends, which are opened as 7 and 8. */
#define OURS " -j4 --jobserver-auth=7,8"

static const struct {
	const char *make;
	const char *arrives; /* words of the command line, one make a line; "!" before one without our jobserver */
} cases[] = {
	/* Debian's */
	{ "make -C /k M=/b", "KERNELRELEASE=" KERNEL " -C /k M=/b" },
	{ "make KVERSION=" KERNEL, "KERNELRELEASE=" KERNEL " KVERSION=" KERNEL },
	{ "(make modules KVERS=1 MODULES_EXTRA='dahdi_dummy dahdi_echocan_oslec'; make KVERS=1)",
	  "modules KVERS=1 MODULES_EXTRA=dahdi_dummy dahdi_echocan_oslec\nKVERS=1" },
	{ "KERNELDIR=/lib/modules/1/build make driver", "driver" },
	{ "ln -sf a b; make -C /k M=/b/extensions modules ; true", "-C /k M=/b/extensions modules" },
	{ "make -C /k M=/b MODULE_CFLAGS='-fno-PIE' modules", "KERNELRELEASE=" KERNEL " -C /k M=/b MODULE_CFLAGS=-fno-PIE modules" },
	{ "make RTPENGINE_VERSION=\"10.5\"", "KERNELRELEASE=" KERNEL " RTPENGINE_VERSION=10.5" },
	/* with jobs of their own */
	{ "'make' -j$(echo 16) NV_EXCLUDE_BUILD_MODULES='' KERNEL_UNAME=1 modules", "NV_EXCLUDE_BUILD_MODULES= KERNEL_UNAME=1 modules" },
	{ "unset ARCH; env NV_VERBOSE=1 'make' module KERNDIR=/k", "module KERNDIR=/k" },
	{ "'make' -j4 KVER=1", "KVER=1" },
	{ "'make' -j 4 KVER=1", "KVER=1" },
	{ "'make' -j KVER=1", "KVER=1" },
	{ "'make' --jobs=4 all", "all" },
	{ "'make' --jobs 4 all", "all" },
	{ "'make' --jobs all", "all" },
	{ "'make' -skj8 all", "-sk all" },
	{ "'make' -C src -j8", "-C src" },
	{ "make -j8 all", "KERNELRELEASE=" KERNEL " all" },
	{ "/usr/bin/make -j8 all", "all" },
	{ "cd . && make -j$(nproc --ignore=0) all", "all" },
	{ "MAKEFLAGS=-j8 make all", "all" },
	{ "MAKEFLAGS='k -j8 -- CC=gcc' make all", "all" },
	{ "unset MAKEFLAGS; make all", "all" },
	{ "env -u MAKEFLAGS make -j2 all", "all" },
	/* in a recipe of make 4.4 that is not known to start a make */
	{ "MAKEFLAGS=\" k$MAKEFLAGS --jobserver-auth=-2,-2 -- CC=-j8\" make all", "!all" },
	/* the numbers are in use for something else */
	{ "unset MAKEFLAGS; make all 7</dev/null 8>&7", "!all" },
	/* not theirs to take away */
	{ "'make' -j1 all", "-j1 all" },
	{ "'make' -j 1 all", "-j 1 all" },
	{ "unset MAKEFLAGS; make --jobs=1 all", "!--jobs=1 all" },
	{ "'make' -C -j8 all", "-C -j8 all" },
	{ "'make' --directory -j8 all", "--directory -j8 all" },
	{ "'make' -f j4 -Ij5 V=-j6 all", "-f j4 -Ij5 V=-j6 all" },
	{ "'make' -l 4 -O all", "-l 4 -O all" },
	{ "'make' -- -j4", "-- -j4" },
};

static void real_make(const struct unit_root *root)
{
	_cleanup_(freep) char *text = kiln_strf("#!/bin/sh\n"
						"case \" $MAKEFLAGS\" in *'" OURS "'*) ;; *) printf ! >>%s/said ;; esac\n"
						"case ${MAKEFLAGS%%%%--\\ *} in *-j8*|*-2,-2*) printf 8 >>%s/said ;; esac\n"
						"echo \"$@\" >>%s/said\n", root->path, root->path, root->path);

	unit_write(root, "bin/make", text);
	assert_int_equal(fchmodat(root->fd, "bin/make", 0755, 0), 0);
}

/* What the engine makes of a MAKE line, run with the environment of a build. */
static void run(const char *make)
{
	const struct kiln_kernel kernel = { .source = (char *)"/k" };
	const struct kiln_conf conf = { .make = (char *)make };
	const struct kiln_build_job job = { .conf = &conf, .kernel = &kernel, .jobs = { 4, 7, 8 } };
	const struct kiln_build b = { .job = &job, .kern = { KERNEL, "x86_64" } };
	_cleanup_(freep) char *command = kiln_build_command(&b);
	const char *argv[] = { "bash", "-c", command, NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	p.argv = argv;
	p.out = p.err = STDERR_FILENO;
	p.keep[0] = 7;
	p.keep[1] = 8;
	assert_int_equal(kiln_proc_run(&p, NULL), 0);
}

static void set_up(struct unit_root *root)
{
	_cleanup_(freep) char *path = kiln_strf("%s/cli/bin:%s/bin:/usr/bin:/bin", getenv("top_builddir"), root->path);
	int fds[2];

	assert_non_null(getenv("top_builddir"));
	setenv("PATH", path, 1);
	real_make(root);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[0], 7), 7);
	assert_int_equal(dup2(fds[1], 8), 8);
}

static void test_lines(void **state)
{
	struct unit_root *root = *state;

	set_up(root);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *said = NULL, *want = kiln_strf("%s\n", cases[i].arrives);

		setenv(KILN_MAKE_JOBS, OURS, 1);
		setenv("MAKEFLAGS", OURS, 1);
		run(cases[i].make);
		assert_int_equal(kiln_fs_read(root->fd, "said", 1 << 16, &said, NULL), 0);
		if (strcmp(said, want))
			fail_msg("%s\n  arrived as %s  instead of %s", cases[i].make, said, want);
		kiln_fs_unlink(root->fd, "said");
	}
}

/* Outside of a build of ours, and where the pipes are closed: as if it were not there. */
static void test_elsewhere(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *said = NULL;

	set_up(root);
	unsetenv(KILN_MAKE_JOBS);
	unsetenv("MAKEFLAGS");
	run("'make' -j5 all");
	setenv(KILN_MAKE_JOBS, " -j4 --jobserver-auth=57,58", 1);
	run("'make' -j5 all");
	assert_int_equal(kiln_fs_read(root->fd, "said", 1 << 16, &said, NULL), 0);
	assert_string_equal(said, "!-j5 all\n!all\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { unit_test_with_root(test_lines), unit_test_with_root(test_elsewhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
