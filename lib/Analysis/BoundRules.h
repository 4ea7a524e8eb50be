// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The table of transfer rules, one small function for each kind of op.

#ifndef POLYATTN_LIB_ANALYSIS_BOUNDRULES_H
#define POLYATTN_LIB_ANALYSIS_BOUNDRULES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "polyattn/Analysis/BoundFact.h"

namespace polyattn::attn {

/// A floating-point format, as far as rounding goes.
struct Format {
  const llvm::fltSemantics *semantics = nullptr;
  double unit = 0; ///< unit roundoff
  double tiny = 0; ///< smallest normal number: results below may be flushed
  /// Nothing for types that are no floats.
  static std::optional<Format> of(mlir::Type type);
};

/// What a rule may look at.
struct RuleInput {
  mlir::Operation *op;
  llvm::ArrayRef<BoundFact> in;
  /// Shape of the result; inside a linalg body, the ranges of the loops.
  BoundFact::Shape shape;
  Format format;
  unsigned resultNumber = 0;
};
using Rule = BoundFact (*)(const RuleInput &);

struct RuleEntry {
  llvm::StringLiteral op;
  Rule rule;
  enum Kind {
    Elementwise,  ///< operands have the shape of the result
    Broadcasting, ///< or 1 where it has more (tosa)
    Whole,        ///< as the rule says
    Layout,       ///< so, and elements stay what they are
  } kind = Elementwise;
};

/// The rule for ops of this name; null if there is none.
const RuleEntry *lookupRule(llvm::StringRef op);
llvm::ArrayRef<RuleEntry> elementwiseRules();
llvm::ArrayRef<RuleEntry> layoutRules();

/// The facts of a linalg op's result. `captured` gives facts of values from
/// outside that its body uses.
BoundFact structuredRule(
    const RuleInput &input,
    llvm::function_ref<std::optional<BoundFact>(mlir::Value)> captured);

/// One factor of a product: what is known of it in the shape of the loops, and
/// the operand whose dimension from[l] loop l runs over, if it is one.
struct Factor {
  BoundFact fact;
  const BoundFact *operand = nullptr;
  llvm::SmallVector<int> from;
};
/// Sum over loop k of a * b; constant factors give bounds of norms as well.
BoundFact product(const RuleInput &input, const Factor &a, const Factor &b,
                  unsigned k);
BoundFact matmulRule(const RuleInput &input);
BoundFact loraLinearRule(const RuleInput &input);
BoundFact loraMergeRule(const RuleInput &input);

/// sum over dimension d of a * b, for operands in the shape of the loops, with
/// d still there (size as before). The results have it coarse.
BoundFact contraction(const RuleInput &input, const BoundFact &a,
                      const BoundFact &b, unsigned d);
/// sum over dimension d of a.
BoundFact sumOver(const RuleInput &input, const BoundFact &a, unsigned d);
BoundFact maximumOver(const BoundFact &a, unsigned d);

/// Is the op computed as IEEE 754 says, but perhaps fused with others? Licences
/// to do otherwise have no error bound.
bool isPredictable(mlir::Operation *op);

/// Elements of a constant; top if they cannot be read.
BoundFact constantFact(mlir::Attribute value, mlir::Type type);

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

/// Error that functions of the math library (and their polynomial or hardware
/// counterparts) are trusted with, in units roundoff.
inline constexpr double mathUlps = 16;

/// Encloses what the program gets when it rounds results in `exact`, after an
/// error of up to `ulps` units roundoff.
Interval rounded(Interval exact, const Format &format, double ulps = 0);

/// a * b, rounded up, where 0 * infinity is 0.
double timesUp(double a, double b);

/// f of every cell, rounded. Of norms it says nothing.
BoundFact mapValues(const RuleInput &input, const BoundFact &a,
                    llvm::function_ref<Interval(Interval)> f, double ulps = 0);
BoundFact zipValues(const RuleInput &input, const BoundFact &a,
                    const BoundFact &b,
                    llvm::function_ref<Interval(Interval, Interval)> f,
                    double ulps = 0);
/// Both on the same grid.
std::pair<BoundFact, BoundFact> aligned(const BoundFact &a, const BoundFact &b);
/// Is every element the same known number within a cell?
bool isConstant(const BoundFact &fact);
/// 1 / x and x / y, not rounded to the type of the program.
Interval inverse(Interval x);
Interval quotient(Interval x, Interval y);

/// Enlarges norm bounds by the error of `roundings` rounded operations.
void roundNorms(BoundFact &fact, const Format &format, double roundings);

/// The facts that `what` is where this bound comes from, after `from`.
OriginRef hop(mlir::Operation *op, const llvm::Twine &what,
              const OriginRef &from = nullptr);

/// Where a rule has not said it: the origin of the operand that has a bound, or
/// the op itself.
void passOnOrigin(mlir::Operation *op, llvm::ArrayRef<BoundFact> in,
                  BoundFact &result);
/// Every value is itself.
void nameTensor(mlir::Value value, BoundFact &fact);
/// Forgets names that are scalars of a linalg body.
void dropScalarNames(BoundFact &fact);

BoundFact add(const RuleInput &input, const BoundFact &a, const BoundFact &b);

/// Norms of what is a sum of two facts, or one of them element by element.
void addNorms(const BoundFact &a, const BoundFact &b, BoundFact &result);
BoundFact multiply(const RuleInput &input, const BoundFact &a,
                   const BoundFact &b);

BoundFact negated(const BoundFact &a);
BoundFact addRule(const RuleInput &input);
BoundFact negateRule(const RuleInput &input);
BoundFact subtractRule(const RuleInput &input);
BoundFact multiplyRule(const RuleInput &input);
BoundFact divideRule(const RuleInput &input);
BoundFact reciprocalRule(const RuleInput &input);

//===----------------------------------------------------------------------===//
// Relations (Relations.cpp)
//===----------------------------------------------------------------------===//

/// Do both facts describe the very same tensor?
bool isSameTensor(const BoundFact &a, const BoundFact &b);
/// x^2, computed with an error of at most `ulps` units roundoff.
void relateSquare(const BoundFact &x, const Format &format, double ulps,
                  BoundFact &result);
/// Sum over d of `a`, of at most `count` terms.
void relateSum(const BoundFact &a, unsigned d, const Format &format,
               BoundFact &result);
/// c * y for a constant interval c.
void relateScaled(const BoundFact &y, Interval c, const Format &format,
                  BoundFact &result);
/// y + c.
void relateShifted(const BoundFact &y, Interval c, const Format &format,
                   BoundFact &result);
/// y^power for power 1/2, -1/2, -1; `ulps` bounds its error.
void relatePower(const BoundFact &y, double power, const Format &format,
                 double ulps, BoundFact &result);
/// A conversion of y, or another op that changes it by one rounding.
void relateRounded(const BoundFact &y, const Format &from, const Format &to,
                   BoundFact &result);
/// max(y, c).
void relateClamped(const BoundFact &y, Interval c, BoundFact &result);

/// x * y where y is an inverse norm of x (`inverse`), or x / y where it is a
/// norm: bounds of norms, if so.
void applyNormalisation(const RuleInput &input, const BoundFact &x,
                        const BoundFact &y, bool inverse, BoundFact &result);
/// x - y where y is a maximum over x, or its mean.
void applyDifference(const RuleInput &input, const BoundFact &x,
                     const BoundFact &y, BoundFact &result);
/// a + b where they are x * cos and rotate_half(x) * sin.
void applyRotation(const RuleInput &input, const BoundFact &a,
                   const BoundFact &b, BoundFact &result);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_ANALYSIS_BOUNDRULES_H
