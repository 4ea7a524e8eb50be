// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What code generation and the cost model must know about a processor.

#ifndef POLYATTN_ANALYSIS_TARGET_H
#define POLYATTN_ANALYSIS_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace polyattn {

/// A processor class. To add one: a line in the table of Target.cpp.
struct TargetDescription {
  llvm::StringRef name;
  /// Width of a vector register in bits, and how many there are.
  unsigned vectorBits;
  unsigned vectorRegisters;
  /// Data caches of one core in bytes.
  unsigned l1Bytes;
  unsigned l2Bytes;
  /// Cores that parallel work is cut for.
  unsigned cores = 8;

  /// Lanes of an f32 vector.
  unsigned lanes() const { return vectorBits / 32; }
};

/// All named targets.
llvm::ArrayRef<TargetDescription> knownTargets();

/// The class that the machine running this code belongs to.
const TargetDescription &hostTarget();

/// The target called `name` ("host" is this machine), or null.
const TargetDescription *lookupTarget(llvm::StringRef name);

/// "host, avx512, ..." for diagnostics and help.
std::string targetNames();

} // namespace polyattn

#endif // POLYATTN_ANALYSIS_TARGET_H
