// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// What code generation and the cost model must know about a processor.

#ifndef POLYATTN_ANALYSIS_TARGET_H
#define POLYATTN_ANALYSIS_TARGET_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace polyattn {

/// A processor. Named ones are a table in Target.cpp; others are described in a
/// module's target_system_spec (DLTI), under the device "CPU".
struct TargetDescription {
  std::string name;
  /// Width of a vector register in bits, and how many there are.
  unsigned vectorBits;
  unsigned vectorRegisters;
  /// First data cache of one core in bytes.
  unsigned l1Bytes;
  /// Multiply-adds of whole vectors that a core starts in a cycle.
  unsigned fmasPerCycle;
  /// Products of bf16 tiles (AMX)?
  bool bf16Tiles = false;
  /// Cores that parallel work is cut for.
  unsigned cores = 8;

  /// Lanes of an f32 vector.
  unsigned lanes() const { return vectorBits / 32; }
  /// Of f32, in one core.
  unsigned flopsPerCycle() const { return 2 * fmasPerCycle * lanes(); }
};

/// The machine running this code.
const TargetDescription &hostTarget();

/// A processor with these features, as LLVM names them.
TargetDescription targetWithFeatures(const llvm::StringMap<bool> &features);

/// What the passes' option `target` means for the module around `op`: "auto" is
/// the CPU of its target_system_spec, or this machine if it has none; "host" is
/// this machine; others are names. Reports an error if there is no such target
/// or the specification makes no sense.
mlir::FailureOr<TargetDescription> resolveTarget(mlir::Operation *op,
                                                 llvm::StringRef name);

/// The attribute dlti.target_system_spec that describes `target`.
mlir::Attribute describeTarget(mlir::MLIRContext *context,
                               const TargetDescription &target);

} // namespace polyattn

#endif // POLYATTN_ANALYSIS_TARGET_H
