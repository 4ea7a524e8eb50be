// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The attn dialect: attributes, interfaces and ops.

#ifndef POLYATTN_DIALECT_ATTN_ATTN_H
#define POLYATTN_DIALECT_ATTN_ATTN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>
#include <string>

namespace polyattn::attn {

/// A double as attribute parameter: equal only if the bits are.
struct Real {
  double value;
  Real(double value = 0) : value(value) {}
  operator double() const { return value; }
  bool operator==(Real other) const { return bits() == other.bits(); }
  uint64_t bits() const { return llvm::bit_cast<uint64_t>(value); }
  friend llvm::hash_code hash_value(Real real) {
    return llvm::hash_value(real.bits());
  }
};

/// The keys [begin, end) that a query row sees.
template <typename T> struct KeyRange {
  T begin, end;
};

/// Sizes of one attention. Products of batch dimensions and lengths are
/// ShapedType::kDynamic where they are not known.
struct AttentionSizes {
  /// Batch times query heads; batch times key/value heads.
  int64_t queryHeads, keyHeads;
  /// n and m; of several key sets the first one's (getKeyAxes has them all).
  int64_t numQueries, numKeys;
  /// d and e; always static for what approximation and native code accept.
  int64_t headDim, valueDim;
};

/// One dimension of a tensor.
struct TensorDim {
  mlir::Value tensor;
  int64_t dim;
};


/// Limits of scores row by row, as a moment certificate assumes them.
struct MomentLimits {
  /// Of the key-weighted mean of s_ij^2 over the keys that row i sees.
  double secondMoment;
  /// Of minus the mean of s_ij.
  double mean;
};

/// What a certificate assumes of inputs.
struct InputLimits {
  /// Of |scale| |q_i| |k_j|, and of every norm.
  double bound, maxNorm;
  std::optional<MomentLimits> moments;
};

} // namespace polyattn::attn

template <> struct mlir::FieldParser<polyattn::attn::Real> {
  static FailureOr<polyattn::attn::Real> parse(AsmParser &parser) {
    double value;
    if (parser.parseFloat(value))
      return failure();
    return polyattn::attn::Real(value);
  }
};

#include "polyattn/Dialect/Attn/AttnDialect.h.inc"
#include "polyattn/Dialect/Attn/AttnEnums.h.inc"

namespace polyattn::attn {
class BoundAttr;
class CertificateAttr;
class MaskAttrInterface;
} // namespace polyattn::attn

#include "polyattn/Dialect/Attn/AttnAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "polyattn/Dialect/Attn/AttnAttrs.h.inc"

namespace polyattn::attn {

/// One set of keys, with a value for each: attention has one, tensor attention
/// of order p + 1 has p.
struct KeyAxis {
  /// ShapedType::kDynamic if it is not known; `length` holds it at run time.
  int64_t numKeys;
  TensorDim length;
  MaskAttrInterface mask;
};

} // namespace polyattn::attn

#include "polyattn/Dialect/Attn/AttnOpInterfaces.h.inc"
#define GET_OP_CLASSES
#include "polyattn/Dialect/Attn/AttnOps.h.inc"

namespace polyattn::attn {

/// Parses an attribute of this dialect without its `#attn.`, as in
/// `mask causal`, or any other attribute in parentheses. Null after an error.
mlir::Attribute parsePlainAttr(mlir::AsmParser &parser);
void printPlainAttr(mlir::AsmPrinter &printer, mlir::Attribute attr);

/// The degree of the monomials in a state [B..., h, e + 1, r] of keys with so
/// many dimensions, if r is a number of monomials.
std::optional<unsigned> getStateDegree(mlir::RankedTensorType state,
                                       int64_t headDim);

/// Where an adapter's matrices have which dimension, counted without that of
/// several adapters: [in, r], [r, out] and [in, out], or with `transposed` all
/// of them the other way round.
struct LoraLayout {
  bool transposed;
  int64_t in() const { return transposed ? 1 : 0; }
  int64_t out() const { return 1 - in(); }
};

/// Does an adapter surely add nothing: its rank or scale is 0, or A or B is a
/// constant 0?
bool addsNothing(mlir::Value a, mlir::Value b, double scale, bool transposed);

} // namespace polyattn::attn

#endif // POLYATTN_DIALECT_ATTN_ATTN_H
