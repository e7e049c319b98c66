#pragma once

namespace headrace::base {

// exp and log made of additions, multiplications and divisions only: the same bits on every
// machine, whatever its C library. A trained file and the state of a learner depend on them. Errors
// are below 2 ulp.

// e^x; x is taken into [-700, 700].
double Exp(double x);
// The natural logarithm of a normal number above 0.
double Log(double x);
// 1 / (1 + e^-x)
double Sigmoid(double x);

}  // namespace headrace::base
