// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Conversions of f16 and bf16 that code generation leaves to the compiler's
// runtime library on processors without such instructions.

#ifndef POLYATTN_LIB_DRIVER_SMALLFLOATS_H
#define POLYATTN_LIB_DRIVER_SMALLFLOATS_H

#include "llvm/ADT/StringRef.h"

#include <utility>
#include <vector>

namespace polyattn::driver {

/// Names and addresses of those that this process does not have.
std::vector<std::pair<llvm::StringRef, void *>> missingConversions();

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_SMALLFLOATS_H
