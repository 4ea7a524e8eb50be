// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// attn.normalizer and attn.attention_grad: verification and type inference.

#include "OpSupport.h"

using namespace mlir;
using namespace polyattn;
using namespace polyattn::attn;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

/// One number for each row of the query, in f32, or f64 for f64 inputs.
static LogicalResult verifyStatistics(Operation *op, RankedTensorType type,
                                      RankedTensorType query) {
  bool isWide = query.getElementType().isF64();
  if (type.getElementType().isF64() != isWide)
    return op->emitOpError("normalizer of ")
           << query.getElementType() << " inputs must be "
           << (isWide ? "f64" : "f32") << ", found " << type.getElementType();
  if (failed(
          verifyCompatibleShape(type.getShape(), query.getShape().drop_back())))
    return op->emitOpError("normalizer must have the shape of query without "
                           "its last dimension, found ")
           << type << " beside " << query;
  return success();
}

LogicalResult NormalizerOp::verify() {
  RankedTensorType query = typeOf(getQuery()), key = typeOf(getKey());
  if (failed(verifyQueryKey(*this, query, key)) ||
      failed(verifyScale(*this, getScale())) ||
      failed(verifyBias(*this, getBias(), query, key)) ||
      failed(verifyKeyWeights(*this, getKeyWeights(), key)))
    return failure();
  return verifyStatistics(*this, typeOf(getSums()), query);
}

/// Has what is an attention's output, or belongs to it, its shape?
static LogicalResult verifyOutput(Operation *op, StringRef what,
                                  RankedTensorType type, RankedTensorType query,
                                  RankedTensorType value) {
  SmallVector<int64_t> shape(query.getShape());
  shape.back() = value.getShape().back();
  if (type.getElementType() == query.getElementType() &&
      succeeded(verifyCompatibleShape(type.getShape(), shape)))
    return success();
  return op->emitOpError() << what << " must be "
                           << RankedTensorType::get(shape,
                                                    query.getElementType())
                           << " as the attention's output is, found " << type;
}

LogicalResult AttentionGradOp::verify() {
  RankedTensorType query = typeOf(getQuery()), key = typeOf(getKey()),
                   value = typeOf(getValue());
  if (failed(verifyQueryKey(*this, query, key)) ||
      failed(verifyScale(*this, getScale())) ||
      failed(verifyValue(*this, key, value)) ||
      failed(verifyBias(*this, getBias(), query, key)) ||
      failed(verifyKeyWeights(*this, getKeyWeights(), key)) ||
      failed(verifyStatistics(*this, typeOf(getNormalizer()), query)))
    return failure();
  if (failed(verifyOutput(*this, "output", typeOf(getOutput()), query, value)))
    return failure();
  return verifyOutput(*this, "grad_output", typeOf(getGradOutput()), query,
                      value);
}

/// Gradients have the types of what they are with respect to.
LogicalResult
AttentionGradOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                  AttentionGradOp::Adaptor adaptor,
                                  SmallVectorImpl<Type> &inferred) {
  for (Value operand :
       {adaptor.getQuery(), adaptor.getKey(), adaptor.getValue(),
        adaptor.getBias(), adaptor.getKeyWeights()})
    if (operand)
      inferred.push_back(operand.getType());
  return success();
}

Value AttentionGradOp::getGradBias() {
  return getBias() ? getFurtherGrads().front() : Value();
}

Value AttentionGradOp::getGradKeyWeights() {
  return getKeyWeights() ? getFurtherGrads().back() : Value();
}
