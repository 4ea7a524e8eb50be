// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The same dialect and passes for a stock mlir-opt:
//   mlir-opt-22 --load-dialect-plugin=PolyAttnPlugin.so
//               --load-pass-plugin=PolyAttnPlugin.so --pass-pipeline='...'

#include "polyattn/Register.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Compiler.h"

extern "C" LLVM_ATTRIBUTE_WEAK LLVM_ATTRIBUTE_VISIBILITY_DEFAULT
    mlir::DialectPluginLibraryInfo
    mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "PolyAttn", LLVM_VERSION_STRING,
          [](mlir::DialectRegistry *registry) {
            polyattn::registerDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK LLVM_ATTRIBUTE_VISIBILITY_DEFAULT
    mlir::PassPluginLibraryInfo
    mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "PolyAttnPasses", LLVM_VERSION_STRING,
          [] { polyattn::registerPasses(); }};
}
