// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Arguments of a function that become constants of its module, such as the
// weights of a model.

#ifndef POLYATTN_DRIVER_FREEZE_H
#define POLYATTN_DRIVER_FREEZE_H

#include "polyattn/Driver/Array.h"
#include "polyattn/Driver/Session.h"

namespace polyattn::driver {

/// An argument, by its position, and the array that it shall always be.
struct FrozenArgument {
  unsigned index;
  ArrayView value;
};

/// Replaces tensor arguments of function `entry` by constants. The elements are
/// copied, once, and never become text. Fails, and changes nothing, where an
/// array does not fit its argument or other functions call `entry`.
llvm::Error freezeArguments(Session &session, mlir::ModuleOp module,
                            llvm::StringRef entry,
                            llvm::ArrayRef<FrozenArgument> arguments);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_FREEZE_H
