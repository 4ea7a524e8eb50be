// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// A 16-bit float travels in the low bits of a floating-point register, on x86
// as on Arm; the functions take and return the f32 that fills the register,
// since not every compiler that builds this has types for them.

#include "SmallFloats.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include <dlfcn.h>

using namespace llvm;

static float narrow(APFloat number, const fltSemantics &semantics) {
  bool losesInfo;
  number.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return llvm::bit_cast<float>(
      uint32_t(number.bitcastToAPInt().getZExtValue()));
}

static float f32ToBF16(float x) {
  return narrow(APFloat(x), APFloat::BFloat());
}
static float f64ToBF16(double x) {
  return narrow(APFloat(x), APFloat::BFloat());
}
static float f32ToF16(float x) {
  return narrow(APFloat(x), APFloat::IEEEhalf());
}
static float f64ToF16(double x) {
  return narrow(APFloat(x), APFloat::IEEEhalf());
}

static float f16ToF32(float bits) {
  APInt half(16, llvm::bit_cast<uint32_t>(bits) & 0xffff);
  APFloat number(APFloat::IEEEhalf(), half);
  bool losesInfo;
  number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToFloat();
}

std::vector<std::pair<StringRef, void *>>
polyattn::driver::missingConversions() {
  const std::pair<const char *, void *> conversions[] = {
      {"__truncsfbf2", reinterpret_cast<void *>(f32ToBF16)},
      {"__truncdfbf2", reinterpret_cast<void *>(f64ToBF16)},
      {"__truncsfhf2", reinterpret_cast<void *>(f32ToF16)},
      {"__truncdfhf2", reinterpret_cast<void *>(f64ToF16)},
      {"__extendhfsf2", reinterpret_cast<void *>(f16ToF32)},
  };
  std::vector<std::pair<StringRef, void *>> missing;
  for (auto [name, address] : conversions)
    if (!dlsym(RTLD_DEFAULT, name))
      missing.emplace_back(name, address);
  return missing;
}
