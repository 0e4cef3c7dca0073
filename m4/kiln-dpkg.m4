# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the dpkg trigger needs.  libdpkg is a static library without a stable
# interface; its headers stop unless LIBDPKG_VOLATILE_API says that we know.

# KILN_DPKG: with_dpkg becomes yes or no; sets DPKG_CFLAGS and DPKG_LIBS.
AC_DEFUN([KILN_DPKG],
[AC_ARG_WITH([dpkg],
	[AS_HELP_STRING([--without-dpkg], [no dpkg trigger @<:@built where libdpkg is@:>@])], [], [with_dpkg=check])

AS_IF([test "$with_dpkg" != no],
	[PKG_CHECK_MODULES_STATIC([DPKG], [libdpkg >= 1.21], [kiln_found=yes], [kiln_found=no])
	AS_IF([test "$kiln_found$with_dpkg" = noyes],
		[AC_MSG_ERROR([libdpkg was not found: install libdpkg-dev, or say --without-dpkg])])
	with_dpkg=$kiln_found])
AS_IF([test "$with_dpkg" = yes],
	[DPKG_CFLAGS="$DPKG_CFLAGS -DLIBDPKG_VOLATILE_API"
	kiln_saved_cppflags=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS $DPKG_CFLAGS"
	AC_CHECK_DECLS([FHFF_NO_NEW, FHFF_NONEW], [], [],
		[[#include <dpkg/dpkg.h>
#include <dpkg/dpkg-db.h>
#include <dpkg/db-fsys.h>]])
	CPPFLAGS=$kiln_saved_cppflags])
AM_CONDITIONAL([WITH_DPKG], [test "$with_dpkg" = yes])
])
