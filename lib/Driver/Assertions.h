// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Assertions of a program, such as that an index is within its table, end the
// call that they fail in and not the process.

#ifndef POLYATTN_LIB_DRIVER_ASSERTIONS_H
#define POLYATTN_LIB_DRIVER_ASSERTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace polyattn::driver {

/// Rewrites the `cf.assert`s of `entry` so that runChecked can report them.
/// Those of a `linalg.generic` move to a reduction in front of it, which leaves
/// the op itself without side effects. Returns what each of them says, with
/// its place. An assertion deep inside other regions stays, and aborts.
std::vector<std::string> separateAssertions(mlir::func::FuncOp entry);

/// The function that the rewritten code calls, by name and address.
struct AssertionHandler {
  llvm::StringRef name;
  void *address;
};
AssertionHandler assertionHandler();

/// Calls `function` and returns -1, or the number of the assertion that ended
/// the call; memory that the call had allocated by then is lost.
int32_t runChecked(void (*function)(void **), void **arguments);

} // namespace polyattn::driver

#endif // POLYATTN_LIB_DRIVER_ASSERTIONS_H
