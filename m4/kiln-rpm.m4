# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the plugin for rpm needs.  rpm before 4.20 does not install rpmplugin.h;
# the plugin then brings the few declarations itself.

# KILN_RPM: with_rpm becomes yes or no; sets RPM_CFLAGS, RPM_LIBS and the directories.
AC_DEFUN([KILN_RPM],
[AC_ARG_WITH([rpm],
	[AS_HELP_STRING([--without-rpm], [no plugin for rpm @<:@built where librpm is@:>@])], [], [with_rpm=check])
AC_ARG_WITH([rpmplugindir],
	[AS_HELP_STRING([--with-rpmplugindir=DIR], [where the plugin goes; rpm is told by macro @<:@where rpm looks by itself: as rpm.pc says, or LIBDIR/rpm-plugins@:>@])],
	[kiln_own_plugindir=yes], [kiln_own_plugindir=no with_rpmplugindir=])
AC_ARG_WITH([rpmmacrodir],
	[AS_HELP_STRING([--with-rpmmacrodir=DIR], [where rpm reads macro files @<:@PREFIX/lib/rpm/macros.d@:>@])],
	[], [with_rpmmacrodir='${prefix}/lib/rpm/macros.d'])
AC_ARG_WITH([rpmfileattrsdir],
	[AS_HELP_STRING([--with-rpmfileattrsdir=DIR], [where rpmbuild looks for dependency generators @<:@PREFIX/lib/rpm/fileattrs@:>@])],
	[], [with_rpmfileattrsdir='${prefix}/lib/rpm/fileattrs'])

AS_IF([test "$with_rpm" != no],
	[PKG_CHECK_MODULES([RPM], [rpm >= 4.18], [kiln_found=yes], [kiln_found=no])
	AS_IF([test "$kiln_found$with_rpm" = noyes],
		[AC_MSG_ERROR([librpm was not found: install librpm-dev (rpm-devel), or say --without-rpm])])
	with_rpm=$kiln_found])
AS_IF([test "$with_rpm" = yes],
	[kiln_saved_cppflags=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS $RPM_CFLAGS"
	AC_CHECK_HEADERS([rpm/rpmplugin.h])
	CPPFLAGS=$kiln_saved_cppflags
	AS_IF([test -z "$with_rpmplugindir"],
		[PKG_CHECK_VAR([RPM_PC_PLUGINDIR], [rpm], [rpmplugindir], [], [:])
		with_rpmplugindir=$RPM_PC_PLUGINDIR])])
AM_CONDITIONAL([RPM_PLUGINDIR_MACRO], [test "$kiln_own_plugindir" = yes])
AS_IF([test -z "$with_rpmplugindir"], [with_rpmplugindir='${libdir}/rpm-plugins'])
AC_SUBST([rpmplugindir], [$with_rpmplugindir])
AC_SUBST([rpmmacrodir], [$with_rpmmacrodir])
AC_SUBST([rpmfileattrsdir], [$with_rpmfileattrsdir])
AM_CONDITIONAL([WITH_RPM], [test "$with_rpm" = yes])
])
