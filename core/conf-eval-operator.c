/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The binary operators of arithmetic on 64 bits that wrap around, as bash's do.
 */
#include "core/conf-eval.h"

static bool raise_to(long long base, long long exponent, long long *ret)
{
	unsigned long long v = 1;

	if (exponent < 0 || exponent > 64)
		return false;
	for (; exponent > 0; exponent--)
		v *= (unsigned long long)base;
	*ret = (long long)v;
	return true;
}

static bool divide(long long x, long long y, bool remainder, long long *ret)
{
	if (y == 0)
		return false;
	if (y == -1)
		*ret = remainder ? 0 : (long long)-(unsigned long long)x;
	else
		*ret = remainder ? x % y : x / y;
	return true;
}

static bool shift(long long x, long long y, bool left, long long *ret)
{
	if (y < 0 || y > 63)
		return false;
	*ret = left ? (long long)((unsigned long long)x << y) : x >> y;
	return true;
}

static long long compare(char op, bool equal, long long x, long long y)
{
	if (op == '<')
		return equal ? x <= y : x < y;
	return equal ? x >= y : x > y;
}

bool kiln_sh_operate(const char *op, long long x, long long y, long long *ret)
{
	unsigned long long u = (unsigned long long)x, v = (unsigned long long)y;
	bool doubled = op[1] == op[0];

	switch (op[0]) {
	case '*':
		*ret = (long long)(u * v);
		return doubled ? raise_to(x, y, ret) : true;
	case '/':
	case '%':
		return divide(x, y, op[0] == '%', ret);
	case '+':
		*ret = (long long)(u + v);
		return true;
	case '-':
		*ret = (long long)(u - v);
		return true;
	case '&':
		*ret = doubled ? x && y : x & y;
		return true;
	case '|':
		*ret = doubled ? x || y : x | y;
		return true;
	case '^':
		*ret = x ^ y;
		return true;
	case '=':
		*ret = x == y;
		return true;
	case '!':
		*ret = x != y;
		return true;
	default:
		*ret = compare(op[0], op[1] == '=', x, y);
		return doubled ? shift(x, y, op[0] == '<', ret) : true;
	}
}
