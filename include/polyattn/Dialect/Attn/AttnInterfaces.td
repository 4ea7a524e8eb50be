// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The extension points: what a mask, a kernel and an approximable op must say
// about themselves. CONTRIBUTING.md shows how to add each.

#ifndef POLYATTN_DIALECT_ATTN_ATTNINTERFACES_TD
#define POLYATTN_DIALECT_ATTN_ATTNINTERFACES_TD

include "mlir/IR/OpBase.td"

def Attn_MaskInterface : AttrInterface<"MaskAttrInterface"> {
  let cppNamespace = "::polyattn::attn";
  let description = [{
    A mask admits, for every query row, one interval of keys `[begin, end)`; both ends never decrease from one query
    to the next. That answers every question a lowering has:

    - which predicate admits an element: `begin(i) <= j < end(i)`;
    - is the tile of queries `i0..i1` and keys `j0..j1` admitted nowhere, everywhere or partly: compare `j0`, `j1` with
      `begin(i0)`, `end(i1)` (the keys any query sees) and `begin(i1)`, `end(i0)` (the keys all of them see);
    - does a key come from the state that a chunk of queries shares: between `begin` of its last query and `end` of its
      first one, the keys that all of them see.

    A mask that is no interval of keys is an additive bias, not a mask attribute.
  }];
  let methods = [
    InterfaceMethod<[{
      The interval of keys that query row `query` (0-based, `index` typed) sees, as IR. Both ends lie in
      `[0, numKeys]`; where `begin >= end` the row sees no key.
    }], "::polyattn::attn::KeyRange<::mlir::Value>", "emitKeyRange",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$query, "::mlir::Value":$numQueries,
         "::mlir::Value":$numKeys)>,
    InterfaceMethod<"The same interval as numbers, for folders and cost models.",
    "::polyattn::attn::KeyRange<int64_t>", "getKeyRange",
    (ins "int64_t":$query, "int64_t":$numQueries, "int64_t":$numKeys)>,
    InterfaceMethod<[{
      Does every query row see every key, whatever the lengths?
    }], "bool", "admitsAll", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<[{
      Does the interval of every query start at key 0? Then states are prefix sums, and no key ever leaves one.
    }], "bool", "startsAtZero", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<[{
      The mask under which query rows [from, to) see, alone, what they see among all of them. Null if there is none, or
      lengths would have to be known.
    }], "::polyattn::attn::MaskAttrInterface", "forRows",
    (ins "int64_t":$from, "int64_t":$to, "int64_t":$numQueries, "int64_t":$numKeys)>,
    InterfaceMethod<[{
      The key positions, rising and above 0, at which ranges change, if that is at few: rows whose positions lie between
      two neighbours see the same keys. Then rows and keys are best cut there. Nothing where every row may see others.
    }], "std::optional<::llvm::SmallVector<int64_t>>", "getSteps", (ins), [{}], [{ return std::nullopt; }]>,
    InterfaceMethod<"The key position of query row 0, negative where queries begin before keys, as IR.",
    "::mlir::Value", "emitFirstPosition",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$numQueries, "::mlir::Value":$numKeys)>,
    InterfaceMethod<"The same position as a number.", "int64_t", "getFirstPosition",
    (ins "int64_t":$numQueries, "int64_t":$numKeys)>
  ];
  let extraClassDeclaration = [{
    /// Number of (query, key) pairs that the mask admits.
    double countAdmitted(int64_t numQueries, int64_t numKeys) const;
  }];
}

def Attn_KernelInterface : AttrInterface<"KernelAttrInterface"> {
  let cppNamespace = "::polyattn::attn";
  let description = [{
    The function that turns a score into an unnormalised weight.
  }];
  let methods = [
    InterfaceMethod<"Coefficients c_0, c_1, ... if the kernel is a polynomial, else nothing.",
    "std::optional<::llvm::ArrayRef<double>>", "getPolynomial", (ins)>,
    InterfaceMethod<[{
      Is the normalised result unchanged when a row's scores all shift by the same amount? Then an evaluation may
      subtract the row's maximum first.
    }], "bool", "isShiftInvariant", (ins)>,
    InterfaceMethod<[{
      Emits the weight of `score` (a float scalar or vector of floats) with arith and math ops.
    }], "::mlir::Value", "emitWeight",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$score)>,
    InterfaceMethod<"Emits the derivative of the weight with respect to `score`.", "::mlir::Value", "emitDerivative",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$score)>
  ];
}

def Attn_ApproximableOpInterface : OpInterface<"ApproximableOpInterface"> {
  let cppNamespace = "::polyattn::attn";
  let description = [{
    An op whose kernel may be replaced by a polynomial. Passes that bound, approximate, certify and schedule know ops
    through this interface only, never by name.
  }];
  let methods = [
    InterfaceMethod<"The kernel.", "::polyattn::attn::KernelAttrInterface", "getKernel", (ins)>,
    InterfaceMethod<"Replaces the kernel.", "void", "setKernel", (ins "::polyattn::attn::KernelAttrInterface":$kernel),
    [{}], [{ $_op.setKernelAttr(kernel); }]>,
    InterfaceMethod<"The factor between products of query and key and scores.", "::llvm::APFloat", "getScale", (ins)>,
    InterfaceMethod<"The score bound, if one is known.", "std::optional<::polyattn::attn::BoundAttr>", "getBound",
    (ins)>,
    InterfaceMethod<"Score bounds of each query head, if they differ.", "std::optional<::mlir::ArrayAttr>",
    "getHeadBounds", (ins)>,
    InterfaceMethod<[{
      States a score bound (null removes it), and BoundAttrs of each query head where they differ.
    }], "void", "setBound", (ins "::polyattn::attn::BoundAttr":$bound, "::mlir::ArrayAttr":$headBounds), [{}], [{
      bound ? $_op.setBoundAttr(bound) : (void)$_op.removeBoundAttr();
      headBounds ? $_op.setHeadBoundsAttr(headBounds) : (void)$_op.removeHeadBoundsAttr();
    }]>,
    InterfaceMethod<"The certificate of a polynomial kernel that stands for exp, if any.",
    "std::optional<::polyattn::attn::CertificateAttr>", "getCertificate", (ins)>,
    InterfaceMethod<"Attaches a certificate (null removes it).", "void", "setCertificate",
    (ins "::polyattn::attn::CertificateAttr":$certificate), [{}], [{
      certificate ? $_op.setCertificateAttr(certificate) : (void)$_op.removeCertificateAttr();
    }]>,
    InterfaceMethod<"The chosen evaluation order, if one has been chosen.",
    "std::optional<::polyattn::attn::Evaluation>", "getEvaluation", (ins)>,
    InterfaceMethod<"Chooses the evaluation order.", "void", "setEvaluation",
    (ins "::polyattn::attn::Evaluation":$evaluation), [{}], [{
      $_op.setEvaluationAttr(::polyattn::attn::EvaluationAttr::get($_op.getContext(), evaluation));
    }]>,
    InterfaceMethod<[{
      The sizes that cost and certificate depend on. Lengths that are not known are `ShapedType::kDynamic`.
    }], "::polyattn::attn::AttentionSizes", "getSizes", (ins)>,
    InterfaceMethod<"The operand dimension that holds the number of queries.", "::polyattn::attn::TensorDim",
    "getNumQueriesDim", (ins), [{}], [{ return {$_op.getQuery(), $_op.getQuery().getType().getRank() - 2}; }]>,
    InterfaceMethod<"The sets of keys, at least one, each with its mask.",
    "::llvm::SmallVector<::polyattn::attn::KeyAxis, 2>", "getKeyAxes", (ins)>,
    InterfaceMethod<"Element type of inputs and results.", "::mlir::FloatType", "getElementType", (ins), [{}], [{
      return ::llvm::cast<::mlir::FloatType>($_op.getQuery().getType().getElementType());
    }]>,
    InterfaceMethod<[{
      Why the op cannot be evaluated through a state, or an empty string if it can.
    }], "std::string", "whyNoState", (ins)>,
    InterfaceMethod<[{
      Emits an `i1` that is true when the inputs provably keep within the limits, so that a certificate assuming them
      holds. Conservative: rounding and NaN give false.
    }], "::mlir::Value", "emitBoundCheck",
    (ins "::mlir::OpBuilder &":$builder, "const ::polyattn::attn::InputLimits &":$limits)>,
    InterfaceMethod<[{
      Does `condition` being true imply that this op's inputs keep within the limits, because it is what
      `emitBoundCheck` emits for these very inputs and limits at most as large?
    }], "bool", "isBoundCheck",
    (ins "::mlir::Value":$condition, "const ::polyattn::attn::InputLimits &":$limits)>,
    InterfaceMethod<[{
      Why no second moments of this op's scores can be checked at run time, or an empty string if they can.
    }], "std::string", "whyNoMoments", (ins)>,
    InterfaceMethod<[{
      Emits keys less their (key-weighted) mean, one mean per head. A kernel that is shift-invariant gives the same
      result on them.
    }], "::mlir::Value", "emitCentredKeys", (ins "::mlir::OpBuilder &":$builder)>,
    InterfaceMethod<"Replaces the keys.", "void", "setKeys", (ins "::mlir::Value":$keys)>,
    InterfaceMethod<[{
      Emits the op for query rows [from, to) alone, all of which it must have. Null, and nothing emitted, where no mask
      says which keys they see.
    }], "::mlir::Operation *", "emitRows", (ins "::mlir::OpBuilder &":$builder, "int64_t":$from, "int64_t":$to)>,
    InterfaceMethod<[{
      The number of query heads that `getHeadBounds` counts: ShapedType::kDynamic if unknown, 1 without batch dimensions.
    }], "int64_t", "getNumHeads", (ins), [{}], [{
      ::mlir::RankedTensorType query = $_op.getQuery().getType();
      return query.getRank() > 2 ? query.getDimSize(query.getRank() - 3) : 1;
    }]>,
    InterfaceMethod<[{
      Why no statistics of this op can be recorded for a profile, or an empty string if they can.
    }], "std::string", "whyNoRecord", (ins), [{}], [{ return {}; }]>,
    InterfaceMethod<[{
      Emits the op that records statistics of this op's inputs under a key that names it, for a profile.
    }], "::mlir::Operation *", "emitRecord", (ins "::mlir::OpBuilder &":$builder, "::llvm::StringRef":$key)>,
    InterfaceMethod<[{
      Emits the op for query heads [from, to) alone, a multiple of the heads that share keys. Null, and nothing emitted,
      where operands cannot be sliced so.
    }], "::mlir::Operation *", "emitHeads", (ins "::mlir::OpBuilder &":$builder, "int64_t":$from, "int64_t":$to)>
  ];
  let extraClassDeclaration = [{
    /// The keys of the largest set, at least 1; `unknown` for a length that is not static.
    int64_t getMostKeys(int64_t unknown) {
      int64_t most = 1;
      for (const ::polyattn::attn::KeyAxis &axis : getKeyAxes())
        most = std::max(most, ::mlir::ShapedType::isDynamic(axis.numKeys) ? unknown : axis.numKeys);
      return most;
    }
  }];
}

#endif
