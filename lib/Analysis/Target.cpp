// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Analysis/Target.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <thread>
#include <unistd.h>

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#endif

using namespace mlir;
using namespace polyattn;

//===----------------------------------------------------------------------===//
// Named targets and this machine
//===----------------------------------------------------------------------===//

/// Caches are what common processors of the class have at least.
static const std::vector<TargetDescription> &targets() {
  static const std::vector<TargetDescription> table = {
      {"amx", 512, 32, 48 << 10, 2, /*bf16Tiles=*/true},
      {"avx512", 512, 32, 32 << 10, 2},
      {"avx2", 256, 16, 32 << 10, 2},
      {"neon", 128, 32, 64 << 10, 2},
      {"generic", 128, 16, 32 << 10, 1},
  };
  return table;
}

static const TargetDescription *lookupNamed(StringRef name) {
  auto it = llvm::find_if(
      targets(), [&](const TargetDescription &t) { return t.name == name; });
  return it == targets().end() ? nullptr : &*it;
}

TargetDescription
polyattn::targetWithFeatures(const llvm::StringMap<bool> &features) {
  auto has = [&](StringRef feature) { return features.lookup(feature); };
  StringRef name = has("avx512bw") && has("amx-bf16") ? "amx"
                   : has("avx512f")                   ? "avx512"
                   : has("avx2") && has("fma")        ? "avx2"
                   : has("neon")                      ? "neon"
                                                      : "generic";
  return *lookupNamed(name);
}

/// Linux grants the registers of AMX only to processes that ask for them.
static bool mayUseTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

const TargetDescription &polyattn::hostTarget() {
  static const TargetDescription host = [] {
    TargetDescription target =
        targetWithFeatures(llvm::sys::getHostCPUFeatures());
    if (target.bf16Tiles && !mayUseTiles())
      target = *lookupNamed("avx512");
    target.name = "host";
    target.cores = std::max(1u, std::thread::hardware_concurrency());
#ifdef _SC_LEVEL1_DCACHE_SIZE
    // 0 or -1 where the system does not say.
    if (long bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0)
      target.l1Bytes = unsigned(bytes);
#endif
    return target;
  }();
  return host;
}

//===----------------------------------------------------------------------===//
// Descriptions in a module
//===----------------------------------------------------------------------===//

namespace {
/// One number of a description: its key, where it is, and its least and largest
/// value.
struct Entry {
  StringLiteral key;
  unsigned TargetDescription::*field;
  unsigned least, most;
};
} // namespace

static constexpr StringLiteral device = "CPU", tilesKey = "bf16_tiles";

/// The first two are keys that upstream's own documentation uses.
static constexpr Entry entries[] = {
    {"max_vector_op_width", &TargetDescription::vectorBits, 64, 2048},
    {"L1_cache_size_in_bytes", &TargetDescription::l1Bytes, 1 << 10, 1u << 30},
    {"vector_registers", &TargetDescription::vectorRegisters, 8, 128},
    {"vector_fmas_per_cycle", &TargetDescription::fmasPerCycle, 1, 16},
    {"cores", &TargetDescription::cores, 1, 4096},
};

/// What the specification does not say is that of a generic processor.
static FailureOr<TargetDescription> readSpec(Operation *op) {
  TargetDescription target = *lookupNamed("generic");
  target.name = device.str();
  for (const Entry &entry : entries) {
    FailureOr<Attribute> found = dlti::query(op, {device, entry.key});
    if (failed(found))
      continue;
    auto number = dyn_cast<IntegerAttr>(*found);
    if (!number || number.getValue().getSExtValue() < int64_t(entry.least) ||
        number.getValue().getSExtValue() > int64_t(entry.most))
      return op->emitError("target_system_spec: \"")
             << entry.key << "\" must be a number from " << entry.least
             << " to " << entry.most << ", not " << *found;
    target.*entry.field = unsigned(number.getValue().getZExtValue());
  }
  if (target.vectorBits & (target.vectorBits - 1))
    return op->emitError("target_system_spec: \"max_vector_op_width\" must be "
                         "a power of two");
  if (FailureOr<Attribute> tiles = dlti::query(op, {device, tilesKey});
      succeeded(tiles)) {
    auto flag = dyn_cast<BoolAttr>(*tiles);
    if (!flag)
      return op->emitError("target_system_spec: \"")
             << tilesKey << "\" must be true or false";
    target.bf16Tiles = flag.getValue();
  }
  return target;
}

FailureOr<TargetDescription> polyattn::resolveTarget(Operation *op,
                                                     StringRef name) {
  if (name == "auto") {
    for (Operation *scope = op; scope; scope = scope->getParentOp())
      if (auto spec = scope->getAttrOfType<TargetSystemSpecAttr>(
              DLTIDialect::kTargetSystemDescAttrName))
        if (spec.getDeviceSpecForDeviceID(
                StringAttr::get(op->getContext(), device)))
          return readSpec(op);
    return hostTarget();
  }
  if (name == "host")
    return hostTarget();
  if (const TargetDescription *named = lookupNamed(name))
    return *named;
  std::string names = "auto, host";
  for (const TargetDescription &target : targets())
    names += ", " + target.name;
  return op->emitError("unknown target '")
         << name << "'; give one of " << names;
}

Attribute polyattn::describeTarget(MLIRContext *context,
                                   const TargetDescription &target) {
  Builder b(context);
  SmallVector<DataLayoutEntryInterface> numbers;
  auto add = [&](StringRef key, Attribute value) {
    numbers.push_back(DataLayoutEntryAttr::get(b.getStringAttr(key), value));
  };
  for (const Entry &entry : entries)
    add(entry.key, b.getI64IntegerAttr(target.*entry.field));
  add(tilesKey, b.getBoolAttr(target.bf16Tiles));
  return TargetSystemSpecAttr::get(
      context,
      {DataLayoutEntryAttr::get(b.getStringAttr(device),
                                TargetDeviceSpecAttr::get(context, numbers))});
}
