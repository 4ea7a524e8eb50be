// RUN: polyattn-opt %s -attn-lower-to-vector -remarks-filter='.*' 2>&1 | FileCheck %s
// RUN: not polyattn-opt %s -pass-pipeline='builtin.module(attn-lower-to-vector{target=z80})' 2>&1 | FileCheck %s --check-prefix=TARGET

// TARGET: error: unknown target 'z80'; give one of auto, host, amx, avx512, avx2, neon, generic

// CHECK: no vector code: its element type is f64; the reference lowering takes it
// CHECK: no vector code: its head dimension is dynamic
// CHECK: [[@LINE+18]]:11: remark: [Missed] NoVectorCode {{.*}}no vector code: its element type is f64

// CHECK-LABEL: func.func @f64
// CHECK: attn.attention
func.func @f64(%q: tensor<3x8xf64>) -> tensor<3x8xf64> {
  %o = attn.attention %q, %q, %q scale 1.0 : tensor<3x8xf64>, tensor<3x8xf64>, tensor<3x8xf64> -> tensor<3x8xf64>
  return %o : tensor<3x8xf64>
}
// CHECK-LABEL: func.func @head_dim
// CHECK: attn.attention
func.func @head_dim(%q: tensor<3x?xf32>) -> tensor<3x?xf32> {
  %o = attn.attention %q, %q, %q scale 1.0 : tensor<3x?xf32>, tensor<3x?xf32>, tensor<3x?xf32> -> tensor<3x?xf32>
  return %o : tensor<3x?xf32>
}

// CHECK-LABEL: func.func @state
// CHECK: attn.state_update
func.func @state(%s: tensor<33x561xf64>, %k: tensor<?x32xf64>) -> tensor<33x561xf64> {
  %next = attn.state_update %s, %k, %k : tensor<33x561xf64>, tensor<?x32xf64>, tensor<?x32xf64>
  return %next : tensor<33x561xf64>
}
