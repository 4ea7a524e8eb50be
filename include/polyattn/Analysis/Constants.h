// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Elements of constant tensors, in attributes or resources.

#ifndef POLYATTN_ANALYSIS_CONSTANTS_H
#define POLYATTN_ANALYSIS_CONSTANTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

#include <optional>
#include <vector>

namespace polyattn::attn {

/// The elements as they lie in memory; nothing if they are not known, or all
/// the same.
llvm::ArrayRef<char> rawElements(mlir::ElementsAttr attr);

/// All elements of a float type, also those of a splat; nothing if they are not
/// known.
std::optional<std::vector<double>> readElements(mlir::Attribute attr,
                                                mlir::ShapedType type);

/// A constant with these elements, rounded to the type's.
mlir::Value emitConstant(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::RankedTensorType type,
                         llvm::ArrayRef<double> elements, llvm::StringRef name);

} // namespace polyattn::attn

#endif // POLYATTN_ANALYSIS_CONSTANTS_H
