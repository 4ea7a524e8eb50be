// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Which dynamic sizes of a function's arguments must fit together. The types
// do not say that two `?` are one number; the ops that use both do.

#ifndef POLYATTN_LIB_DRIVER_SIZERULES_H
#define POLYATTN_LIB_DRIVER_SIZERULES_H

#include "polyattn/Driver/Signature.h"

namespace polyattn::driver {

/// The rules that follow from ops that use the arguments of `func` directly:
/// attention and structured ops.
std::vector<SizeRule> inferSizeRules(mlir::func::FuncOp func);

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_SIZERULES_H
