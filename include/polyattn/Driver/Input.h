// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Inputs as a command line names them.

#ifndef POLYATTN_DRIVER_INPUT_H
#define POLYATTN_DRIVER_INPUT_H

#include "polyattn/Driver/Array.h"
#include "llvm/Support/Error.h"

namespace polyattn::driver {

/// An array from `spec`: the path of a .npy file, or
/// "random:SEED:SHAPE:DTYPE[:SCALE]" such as "random:1:2x8x64:f32:0.5". Floats
/// are normal with standard deviation SCALE (1), integers uniform in 0 to
/// SCALE (1), the same on every machine.
llvm::Expected<Array> makeInput(llvm::StringRef spec);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_INPUT_H
