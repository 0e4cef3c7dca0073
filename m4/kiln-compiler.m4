# SPDX-License-Identifier: GPL-2.0-or-later
#
# Flags of our own code.  They stand apart from CFLAGS, which belongs to whoever
# builds a package.

# KILN_ADD_FLAG(VARIABLE, FLAG): adds a flag that the compiler knows.
AC_DEFUN([KILN_ADD_FLAG],
[AS_VAR_PUSHDEF([known], [kiln_cv_flag_$2])dnl
AC_CACHE_CHECK([whether $CC knows $2], [known],
	[kiln_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([known], [yes])], [AS_VAR_SET([known], [no])])
	CFLAGS=$kiln_saved_cflags])
AS_VAR_IF([known], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([known])dnl
])

# KILN_COMPILER: sets WARN_CFLAGS, and SANITIZE_CFLAGS for --enable-sanitizers.
AC_DEFUN([KILN_COMPILER],
[AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [warnings are errors])], [], [enable_werror=no])
AC_ARG_ENABLE([sanitizers],
	[AS_HELP_STRING([--enable-sanitizers], [for development: address and undefined-behaviour sanitizer, warnings are errors])],
	[], [enable_sanitizers=no])

WARN_CFLAGS=
m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
	-Wwrite-strings -Wvla -Wformat-security -Wundef -Wlogical-op -Wduplicated-cond],
	[KILN_ADD_FLAG([WARN_CFLAGS], flag)
])
AS_IF([test "$enable_werror" = yes || test "$enable_sanitizers" = yes],
	[AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
# The compiler's analysis of values sees ghosts in instrumented code: shown, but no error.
AS_IF([test "$enable_sanitizers" = yes],
	[m4_foreach_w([flag], [-Wno-error=maybe-uninitialized -Wno-error=format-truncation],
		[KILN_ADD_FLAG([WARN_CFLAGS], flag)
])])

SANITIZE_CFLAGS=
AS_IF([test "$enable_sanitizers" = yes],
	[SANITIZE_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
	kiln_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS $SANITIZE_CFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()], [],
		[AC_MSG_ERROR([$CC cannot link with $SANITIZE_CFLAGS: install its sanitizer libraries, or leave out --enable-sanitizers])])
	CFLAGS=$kiln_saved_cflags])
AC_SUBST([WARN_CFLAGS])
AC_SUBST([SANITIZE_CFLAGS])
])
