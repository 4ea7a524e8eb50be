// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The register-level building blocks: a blocked product, a transposition, exp2.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_TILES_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_TILES_H

#include "Emitter.h"
#include "polyattn/Analysis/Target.h"

namespace polyattn::attn {

constexpr double log2e = 1.4426950408889634;

/// How products are cut into registers.
struct Blocking {
  int64_t lanes, registers;
  /// Vectors side by side in one register block.
  int64_t vectors;

  explicit Blocking(const TargetDescription &target);

  int64_t width() const { return lanes * vectors; }
  /// Rows of a block `vectors` wide whose accumulators, one row of vectors and
  /// one broadcast fit the register file.
  int64_t rowsFor(int64_t vectors) const;
  int64_t rows() const { return rowsFor(vectors); }
};

/// Emits C[r][v] = sum over k < count of a(k, r) * b(k, v) with all of C in
/// registers; returns C row by row. `a` gives scalars, `b` vectors. The sum
/// starts from 0 so that adding it to memory makes a blocked summation, whose
/// rounding grows with count + blocks instead of their product; or from
/// `start`.
Emitter::Values
emitProduct(Emitter &e, mlir::Value count, int64_t rows, int64_t vectors,
            llvm::function_ref<mlir::Value(mlir::Value k, int64_t row)> a,
            llvm::function_ref<mlir::Value(mlir::Value k, int64_t vector)> b,
            mlir::ValueRange start = {});

/// Transposes a square of `lanes` vectors held in registers.
Emitter::Values emitTranspose(Emitter &e, Emitter::Values rows);

/// The sums of the lanes of `lanes` vectors, as one vector.
mlir::Value emitLaneSums(Emitter &e, Emitter::Values vectors);

/// Calls body(first, rows) for groups of `group` rows out of `total`: a loop
/// over the full groups, then one body for the rest.
void forRowGroups(Emitter &e, int64_t total, int64_t group,
                  llvm::function_ref<void(mlir::Value, int64_t)> body);

/// To about 1e-7 relative; or to 1e-4, a fraction of what rounding to bf16
/// does.
enum class Exp2Degree { Full, Narrow };

/// 2^y for y < 127; 0 below 2^-126; NaN stays NaN.
mlir::Value emitExp2(Emitter &e, mlir::Value y,
                     Exp2Degree degree = Exp2Degree::Full);

/// 2^(factor x - shift), for an integer shift and where that is surely within
/// f32: three operations less.
mlir::Value emitBoundedExp2(Emitter &e, mlir::Value x, double factor,
                            double shift, Exp2Degree degree = Exp2Degree::Full);

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_TILES_H
