// A stock mlir-opt takes dialect, passes and pipelines from the plugin.
// RUN: mlir-opt %s --load-dialect-plugin=%plugin | mlir-opt --load-dialect-plugin=%plugin \
// RUN: | FileCheck %s --check-prefix=SAME
// RUN: mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(func.func(attn-lower-to-reference{compute-type=f64}))' \
// RUN: | FileCheck %s --check-prefix=LOWERED
// RUN: mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin --pass-pipeline='builtin.module(attn-to-llvm)' \
// RUN: | FileCheck %s --check-prefix=LLVM
// RUN: not mlir-opt %s 2>&1 | FileCheck %s --check-prefix=WITHOUT

// SAME: attn.attention %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01 mask causal
// LOWERED-NOT: attn.
// LOWERED: linalg.generic
// LOWERED: arith.truncf %{{.*}} : f64 to f32
// LOWERED-NOT: attn.
// LLVM-NOT: attn.
// LLVM: llvm.func @attention
// LLVM-NOT: attn.
// WITHOUT: Dialect `attn' not found
func.func @attention(%q: tensor<2x4x8xf32>, %k: tensor<2x4x8xf32>, %v: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %0 = attn.attention %q, %k, %v scale 0.125 mask causal
     : tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<2x4x8xf32> -> tensor<2x4x8xf32>
  return %0 : tensor<2x4x8xf32>
}
