// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Analysis/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <thread>

using namespace polyattn;

// Caches are what common processors of the class have at least.
static constexpr TargetDescription targets[] = {
    {"avx512", 512, 32, 32 << 10, 1 << 20},
    {"avx2", 256, 16, 32 << 10, 256 << 10},
    {"neon", 128, 32, 64 << 10, 512 << 10},
    {"generic", 128, 16, 32 << 10, 256 << 10},
};

llvm::ArrayRef<TargetDescription> polyattn::knownTargets() { return targets; }

static llvm::StringRef hostName() {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  if (triple.isAArch64())
    return "neon";
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (triple.isX86() && features.lookup("avx512f"))
    return "avx512";
  if (triple.isX86() && features.lookup("avx2") && features.lookup("fma"))
    return "avx2";
  return "generic";
}

const TargetDescription &polyattn::hostTarget() {
  static const TargetDescription host = [] {
    TargetDescription target = *lookupTarget(hostName());
    target.cores = std::max(1u, std::thread::hardware_concurrency());
    return target;
  }();
  return host;
}

const TargetDescription *polyattn::lookupTarget(llvm::StringRef name) {
  if (name == "host")
    return &hostTarget();
  auto *it = llvm::find_if(targets, [&](auto &t) { return t.name == name; });
  return it == std::end(targets) ? nullptr : it;
}

std::string polyattn::targetNames() {
  std::string names = "host";
  for (const TargetDescription &target : targets)
    names += ", " + target.name.str();
  return names;
}
