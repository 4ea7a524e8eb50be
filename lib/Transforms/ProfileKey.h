// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Which ops a profile is about, and the names it has for them.

#ifndef POLYATTN_LIB_TRANSFORMS_PROFILEKEY_H
#define POLYATTN_LIB_TRANSFORMS_PROFILEKEY_H

#include "mlir/IR/BuiltinOps.h"
#include "polyattn/Dialect/Attn/Attn.h"

#include <string>
#include <utility>
#include <vector>

namespace polyattn::attn {

/// Every op whose kernel is no polynomial, in the order of the module, with a
/// key such as "main/0:q4x?x64:k2x?x64:v64:f32:causal:0.125": the function, the
/// number of the op among all approximable ops of the function, the shapes of
/// query and key, the columns of value, element type, mask and scale. A mask
/// that admits every key of static lengths is "full", so that canonicalisation
/// changes no key.
std::vector<std::pair<std::string, ApproximableOpInterface>>
findProfiledOps(mlir::ModuleOp module);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_PROFILEKEY_H
