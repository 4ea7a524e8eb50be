// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Compares the checker with Sollya's certified supremum norm, where Sollya is
// installed.

#include "polyattn/Approximation/Checker.h"
#include "polyattn/Approximation/ExpPolynomial.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace polyattn;

namespace {

std::string runSollya(const std::string &Script) {
  std::string Output,
      Command = "echo '" + Script + "' | sollya --warnonstderr 2>/dev/null";
  FILE *Pipe = popen(Command.c_str(), "r");
  if (!Pipe)
    return Output;
  char Buffer[256];
  while (size_t Read = fread(Buffer, 1, sizeof(Buffer), Pipe))
    Output.append(Buffer, Read);
  pclose(Pipe);
  return Output;
}

std::string hex(double X) {
  char Buffer[64];
  std::snprintf(Buffer, sizeof(Buffer), "(%a)", X);
  return Buffer;
}

TEST(Sollya, ConfirmsTheProvedBounds) {
  if (std::system("command -v sollya >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "sollya is not on the PATH";

  const std::pair<double, unsigned> Cases[] = {
      {0.2, 1}, {0.62, 2}, {1, 3}, {1, 5}, {2, 4}, {3, 8}, {6, 12}};
  std::string Script = "prec = 200!; display = decimal!;";
  for (auto [Bound, Degree] : Cases) {
    ExpPolynomial Fit = *fitExp(Bound, Degree);
    std::string P = "0";
    for (unsigned T = 0; T <= Degree; ++T)
      P += "+" + hex(Fit.Coefficients[T]) + "*x^" + std::to_string(T);
    std::string Range = "[-" + hex(Bound) + ";" + hex(Bound) + "]";
    Script += "n = supnorm(" + P + ",exp(x)," + Range +
              ",relative,2^(-20)); print(inf(n)); print(sup(n));\n";
  }
  std::string Output = runSollya(Script);

  const char *Rest = Output.c_str();
  for (auto [Bound, Degree] : Cases) {
    char *End;
    double Lower = std::strtod(Rest, &End);
    ASSERT_NE(Rest, End) << "unexpected output of sollya: " << Output;
    double Upper = std::strtod(End, &End);
    Rest = End;
    ASSERT_TRUE(Lower > 0 && Lower <= Upper) << Output;
    double Proved =
        *proveRelativeError(fitExp(Bound, Degree)->Coefficients, Bound);
    std::printf("bound %-4g degree %-2u sollya [%.9g, %.9g] proved %.9g\n",
                Bound, Degree, Lower, Upper, Proved);
    EXPECT_GE(Proved, Lower * (1 - 1e-15));
    EXPECT_LE(Proved, 1.02 * Upper);
  }
}

} // namespace
