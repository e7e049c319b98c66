#pragma once

namespace headrace::base {

// exp, log and erf made of additions, multiplications and divisions only: the same bits on every
// machine, whatever its C library. A trained file and the state of a learner depend on them. Errors
// are below 2 ulp.

// e^x; x is taken into [-700, 700]. NaN of NaN.
double Exp(double x);
// The natural logarithm of a normal number above 0.
double Log(double x);
// 1 / (1 + e^-x)
double Sigmoid(double x);
// The error function; absolute errors are below 1e-15. Cody, "Rational Chebyshev Approximations for
// the Error Function", Mathematics of Computation 1969.
double Erf(double x);

}  // namespace headrace::base
