// The inner loops as machine code: a register block of 6 x 4 vectors is 24
// multiply-adds, 4 loads, 6 broadcasts and nothing from or to the stack.

// RUN: polyattn-opt %s -pass-pipeline='builtin.module(attn-to-llvm{target=avx512})' \
// RUN:   | mlir-translate --mlir-to-llvmir \
// RUN:   | llc -O3 -mtriple=x86_64-unknown-linux-gnu -mcpu=skylake-avx512 -o - \
// RUN:   | FileCheck %s

// CHECK: vbroadcastss (%r{{[a-z0-9]+}},%r{{[a-z0-9]+}},4), %zmm
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vbroadcastss
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vbroadcastss
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vbroadcastss
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vfmadd231ps
// CHECK-NEXT: vbroadcastss
func.func @main(%q: tensor<4x4096x64xf32>, %k: tensor<4x4096x64xf32>, %v: tensor<4x4096x64xf32>) -> tensor<4x4096x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 : tensor<4x4096x64xf32>, tensor<4x4096x64xf32>, tensor<4x4096x64xf32> -> tensor<4x4096x64xf32>
  return %o : tensor<4x4096x64xf32>
}
