// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#ifndef POLYATTN_TRANSFORMS_PASSES_H
#define POLYATTN_TRANSFORMS_PASSES_H

#include "polyattn/Dialect/Attn/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace polyattn::attn {
using namespace mlir;
#define GEN_PASS_DECL
#include "polyattn/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "polyattn/Transforms/Passes.h.inc"
} // namespace polyattn::attn

#endif // POLYATTN_TRANSFORMS_PASSES_H
