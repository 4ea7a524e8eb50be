// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Softmax attention found in an expression, and what kept it from being found.

#ifndef POLYATTN_LIB_TRANSFORMS_RAISE_ATTENTIONMATCH_H
#define POLYATTN_LIB_TRANSFORMS_RAISE_ATTENTIONMATCH_H

#include "Expr.h"
#include "llvm/ADT/Twine.h"

#include <cmath>
#include <string>

namespace polyattn::attn {

/// Multiplies scores by `e`, or by 1 / e.
struct Factor {
  Expr *e;
  bool isInverse = false;
};

/// Added to scores: number * factors * e.
struct BiasTerm {
  Expr *e;
  double number = 1;
  SmallVector<Factor> factors;

  /// Times an ordinary number and nothing else: 0 stays 0.
  bool isPlain() const { return factors.empty() && std::isfinite(number); }
  /// What hides a key still does.
  bool isPositive() const { return isPlain() && number > 0; }
};

/// The score is `fill` (hugely negative or -inf) where `condition` is not
/// `admits`.
struct MaskTerm {
  Expr *condition;
  bool admits;
  double fill;
};

/// What keeps a piece of program from being attention.
struct Miss {
  Location loc;
  std::string text;
};

/// What of the scores a row's maximum is taken of before exp. Where a finite
/// number hides all keys of a row, that decides what the row gives: the same
/// weight for every key (Whole: scores with all masks and biases), or 0 over 0,
/// as -inf does (None); of scores without masks and biases (Bare), or of what
/// cannot be told (Unclear), nothing is known.
enum class Maximum { None, Bare, Whole, Unclear };

/// Keys and values over some of what is summed over.
struct KeySet {
  SmallVector<Atom> atoms;
  Expr *key, *value;
};

/// One attention: output = sum over keys of softmax(scores) * value, scores =
/// scale * factors * query . key + biases, under masks. With several sets it is
/// over tuples of keys, whose products take the place of the key and the value.
struct AttentionMatch {
  /// The element of the root's result.
  Expr *output = nullptr;
  SmallVector<Atom> outputAtoms, keyAtoms, dimAtoms;
  Expr *query = nullptr;
  SmallVector<KeySet, 2> sets;
  double scale = 1;
  SmallVector<Factor> factors;
  SmallVector<BiasTerm> biases;
  SmallVector<MaskTerm> masks;
  Maximum maximum = Maximum::None;
  /// Is what is taken off the maximum of all that exp is taken of? Then no row
  /// underflows whole.
  bool takesOffAll = false;
  /// Do rows that a finite number hides wholly give 0? Then those of -inf do.
  bool guardsFills = false;
  /// Do rows without any key give 0 rather than what softmax gives?
  bool isGuarded = false;
  /// Does the program divide after the second product?
  bool dividesLate = false;
  /// Does it scale the scores and not, say, the queries?
  bool scalesScores = true;
  Operation *firstProduct = nullptr, *secondProduct = nullptr;
};

/// Finds attention whose output is the result of one op.
class AttentionMatcher {
public:
  explicit AttentionMatcher(Notation &notation) : n(notation) {}

  /// True if `output` is attention. If not, `miss` is set where it came near:
  /// where weights that look like a softmax of scores are summed up.
  bool match(Expr *output, ArrayRef<Atom> outputAtoms);

  AttentionMatch result;
  std::optional<Miss> miss;

private:
  struct Scaled {
    double number = 1;
    SmallVector<Factor> factors;
    /// Is what is so scaled -inf exactly where the score is?
    bool isWhole = true;
  };
  bool fail(Location loc, const Twine &text);

  // Weights.
  Expr *matchLateSum(Expr *e);
  bool matchSecondProduct(Expr *e);
  bool collectValues(Expr *e, unsigned depth);
  bool splitWeights(Expr *product);
  bool looksLikeWeights(Expr *e, unsigned depth);
  bool matchWeights(Expr *e);
  bool matchSelectedWeights(Expr *select, Expr *&rest);
  bool matchWeightFactor(Expr *product, Expr *&rest);
  std::optional<double> exponentOf(Expr *e, Expr *&exponent);
  bool matchSum(Expr *unnormalised);
  bool matchLogSum(Expr *exponent, Expr *&scores);
  bool matchGuards();
  bool isMaskGuard(Expr *condition, bool zeroIf);
  bool isInfinityGuard(Expr *condition, bool zeroIf);
  bool isReciprocal(Expr *e, Expr *&of);
  bool dependsOnKey(Expr *e) { return n.dependsOn(e, result.keyAtoms); }

  // Scores.
  bool collectScores(Expr *e, Scaled scaled);
  bool collectTerm(Expr *seen, Expr *e, Scaled scaled);
  bool collectSum(Expr *e, const Scaled &scaled);
  bool collectProduct(Expr *e, Scaled scaled, bool &taken);
  bool collectSelect(Expr *e, const Scaled &scaled);
  bool isHarmlessShift(Expr *e);
  bool checkShifts();
  Maximum maximumIn(Expr *e, double number, unsigned depth);
  Maximum maximumOver(Expr *reduce, double number);
  std::optional<bool> whereFinite(Expr *condition, Expr *e);
  bool comesFrom(Operation *op, Expr *e, unsigned depth);
  struct ScoreOperands {
    SmallVector<Factor> queries, keys, others;
  };
  bool isScoreProduct(Expr *e) { return scoreOperands(e).has_value(); }
  std::optional<ScoreOperands> scoreOperands(Expr *e);
  bool splitQuery(const Factor &factor, ArrayRef<Atom> dims,
                  ScoreOperands &operands, unsigned depth);
  bool containsScoreProduct(Expr *e, unsigned depth);
  bool matchFirstProduct(Expr *reduce, const Scaled &scaled);
  void collectFactors(Expr *e, bool inverse, SmallVectorImpl<Factor> &factors);
  Expr *withoutScale(Expr *e);

  void joinQueries(ScoreOperands &operands);

  // Sets of keys.
  SmallVector<Atom> allKeyParts();
  SmallVector<Atom> keyParts(Expr *e);
  bool areApart(ArrayRef<Factor> keys);
  void splitProduct(Expr *e, SmallVectorImpl<Expr *> &pieces, unsigned depth);
  Expr *productOf(ArrayRef<Expr *> pieces);
  bool formSets();
  bool addSet(ArrayRef<Atom> atoms, ArrayRef<Expr *> keys,
              ArrayRef<Expr *> values);

  struct Guard {
    Expr *condition;
    bool zeroIf;
  };
  Notation &n;
  /// Scores at every step, which the exponent has `number` times.
  struct Score {
    Expr *e;
    double number;
    /// Has it all masks and biases?
    bool isWhole;
    /// Is it -inf for all keys exactly where scores are?
    bool tellsRows;
    /// Has it no masks and biases?
    bool isBare = false;
  };
  SmallVector<Score> steps;
  /// What is the same for all keys of a row.
  SmallVector<BiasTerm> shifts;
  SmallVector<Guard> guards;
  Expr *sum = nullptr;
  /// The second product: its sums, the outermost first, its weights and what
  /// they are multiplied by.
  SmallVector<Expr *, 2> sums, values;
  Expr *weights = nullptr, *someProduct = nullptr;
  /// What queries are multiplied by.
  SmallVector<Expr *, 2> keys;
  /// Is there a mask that puts 0 in the place of weights, and not of scores?
  bool masksWeights = false;
  /// Does a product count in which the query does not differ from row to row?
  bool allowsSingleRow = true;
};

/// A fill that is so negative that its weight is 0 beside any other score of
/// the type that scores have in the program.
bool isNoKey(double fill, Type type);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_RAISE_ATTENTIONMATCH_H
