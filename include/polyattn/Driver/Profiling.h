// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Compiling and running code that records a profile.

#ifndef POLYATTN_DRIVER_PROFILING_H
#define POLYATTN_DRIVER_PROFILING_H

#include "polyattn/Runtime/Profile.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace polyattn::driver {

/// `pipeline` with attn-instrument in front, unless it runs that pass already.
/// An empty one stands for exact evaluation of everything, so that no op sees
/// what an approximation before it has changed.
std::string profilingPipeline(llvm::StringRef pipeline);

/// Moves what the process has recorded since the last time into `profile`.
/// `source` names the input in errors.
llvm::Error collectProfile(profile::Profile &profile, llvm::StringRef source);

/// Fails where a profile could not be written, or merged, at the end.
llvm::Error checkProfileFile(llvm::StringRef path, bool merge);

} // namespace polyattn::driver

#endif // POLYATTN_DRIVER_PROFILING_H
