/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of hooks that rpm looks up in a plugin.  rpm installs a header for
 * it only since 4.20; before, the same table has to be declared by whoever
 * needs it.  The order of the members is the interface: it is the same in every
 * rpm from 4.13 on, except for the arguments of the hooks for single files,
 * which therefore stay empty here.
 */
#pragma once

#ifdef HAVE_RPM_RPMPLUGIN_H

#include <rpm/rpmplugin.h>

#else

#include <rpm/rpmtypes.h>

struct rpmPluginHooks_s {
	rpmRC (*init)(rpmPlugin plugin, rpmts ts);
	void (*cleanup)(rpmPlugin plugin);
	rpmRC (*tsm_pre)(rpmPlugin plugin, rpmts ts);
	rpmRC (*tsm_post)(rpmPlugin plugin, rpmts ts, int res);
	rpmRC (*psm_pre)(rpmPlugin plugin, rpmte te);
	rpmRC (*psm_post)(rpmPlugin plugin, rpmte te, int res);
	rpmRC (*scriptlet_pre)(rpmPlugin plugin, const char *name, int type);
	rpmRC (*scriptlet_fork_post)(rpmPlugin plugin, const char *path, int type);
	rpmRC (*scriptlet_post)(rpmPlugin plugin, const char *name, int type, int res);
	void (*fsm_file_pre)(void);
	void (*fsm_file_post)(void);
	void (*fsm_file_prepare)(void);
};

/* The options that stand behind the path in the macro; borrowed, may be NULL. */
const char *rpmPluginOpts(rpmPlugin plugin);
void rpmPluginSetData(rpmPlugin plugin, void *data);
void *rpmPluginGetData(rpmPlugin plugin);

#endif
