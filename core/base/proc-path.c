/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PATH, as it is in an environment that need not be ours. */
#include "core/base/proc-path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/proc.h"
#include "core/base/text.h"

#define PATH_DEFAULT "/usr/sbin:/usr/bin:/sbin:/bin"

static const char *path_of(const char *const *env)
{
	const char *path = env ? NULL : getenv("PATH");

	for (; env && *env; env++)
		if (kiln_text_starts(*env, "PATH="))
			path = *env + strlen("PATH=");
	return path ? path : PATH_DEFAULT;
}

int kiln_proc_path(const char *program, const char *const *env, struct kiln_strv *ret)
{
	struct kiln_strv dirs = KILN_STRV_INIT;
	int r;

	if (strchr(program, '/'))
		return kiln_strv_add(ret, program);
	r = kiln_text_split(path_of(env), ":", &dirs);
	for (size_t i = 0; i < dirs.n && r == 0; i++)
		if (dirs.v[i][0] == '/')
			r = kiln_strv_addf(ret, "%s/%s", dirs.v[i], program);
	kiln_strv_free(&dirs);
	return r;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

bool kiln_proc_have(const char *program)
{
	struct kiln_strv paths = KILN_STRV_INIT;
	bool have = false;

	if (kiln_proc_path(program, NULL, &paths) == 0)
		for (size_t i = 0; i < paths.n && !have; i++)
			have = is_program(paths.v[i]);
	kiln_strv_free(&paths);
	return have;
}
