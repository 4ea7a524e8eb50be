// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "mlir/IR/DialectImplementation.h"
#include "polyattn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace polyattn::attn;

#include "polyattn/Dialect/Attn/AttnDialect.cpp.inc"

void AttnDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "polyattn/Dialect/Attn/AttnOps.cpp.inc"
      >();
}
