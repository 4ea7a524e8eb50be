// Which ops are recorded, under which key.
// RUN: polyattn-opt %s --attn-instrument | FileCheck %s
// Twice is once.
// RUN: polyattn-opt %s --attn-instrument --attn-instrument | FileCheck %s
// Canonicalisation changes masks and operands, but no key.
// RUN: polyattn-opt %s --canonicalize --attn-instrument | FileCheck %s --check-prefix=CANONICAL
// RUN: polyattn-opt %s --attn-instrument --remarks-filter=polyattn 2>&1 | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func.func @two
// CHECK-SAME:  %[[Q:[a-z0-9]+]]: tensor<2x8x?x64xf32>, %[[K:[a-z0-9]+]]: tensor<2x2x?x64xf32>, %[[V:[a-z0-9]+]]: tensor<2x2x?x32xf32>, %[[W:[a-z0-9]+]]: tensor<1x1x?xf32>
// CHECK-NEXT:  attn.record %[[Q]], %[[K]], %[[V]] key_weights(%[[W]] : tensor<1x1x?xf32>) scale 1.250000e-01 mask causal
// CHECK-SAME:    as "two/0:q2x8x?x64:k2x2x?x64:v32:f32:causal:0.125" : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>
// CHECK-NEXT:  attn.attention
// CHECK-NEXT:  attn.record
// CHECK-SAME:    as "two/1:q2x8x?x64:k2x2x?x64:v32:f32:sliding_window<left=9,right=0,align=end>:-1"
// CHECK-NEXT:  attn.attention
// REMARK: instrument.mlir:[[#@LINE+2]]:8: remark: [Passed] Instrumented | {{.*}}recorded as two/0:q2x8x?x64:k2x2x?x64:v32:f32:causal:0.125
func.func @two(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>, %v: tensor<2x2x?x32xf32>, %w: tensor<1x1x?xf32>) -> (tensor<2x8x?x32xf32>, tensor<2x8x?x32xf32>) {
  %0 = attn.attention %q, %k, %v key_weights(%w : tensor<1x1x?xf32>) scale 0.125 mask causal : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32> -> tensor<2x8x?x32xf32>
  %1 = attn.attention %q, %k, %v scale -1.0 mask sliding_window<left = 9, right = 0, align = end> : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32> -> tensor<2x8x?x32xf32>
  return %0, %1 : tensor<2x8x?x32xf32>, tensor<2x8x?x32xf32>
}

// One query at the end sees every key.
// CHECK-LABEL: func.func @last
// CHECK: as "last/0:q1x8:k5x8:v8:f32:full:0.5"
// CANONICAL-LABEL: func.func @last
// CANONICAL: as "last/0:q1x8:k5x8:v8:f32:full:0.5"
func.func @last(%q: tensor<1x8xf32>, %k: tensor<5x8xf32>) -> tensor<1x8xf32> {
  %0 = attn.attention %q, %k, %k scale 0.5 mask causal<align = end> : tensor<1x8xf32>, tensor<5x8xf32>, tensor<5x8xf32> -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}

// What is a polynomial already needs no bound; it has a number all the same.
// CHECK-LABEL: func.func @polynomial
// CHECK-NEXT:  attn.attention {{.*}} poly
// CHECK-NEXT:  attn.record {{.*}} as "polynomial/1:
// CHECK-NEXT:  attn.attention
// REMARK: instrument.mlir:[[#@LINE+2]]:8: remark: [Missed] Polynomial | {{.*}}its kernel is a polynomial already
func.func @polynomial(%q: tensor<9x8xf16>) -> (tensor<9x8xf16>, tensor<9x8xf16>) {
  %0 = attn.attention %q, %q, %q scale 0.5 kernel poly<[1.0, 1.0, 0.5]> : tensor<9x8xf16>, tensor<9x8xf16>, tensor<9x8xf16> -> tensor<9x8xf16>
  %1 = attn.attention %q, %q, %q scale 0.5 : tensor<9x8xf16>, tensor<9x8xf16>, tensor<9x8xf16> -> tensor<9x8xf16>
  return %0, %1 : tensor<9x8xf16>, tensor<9x8xf16>
}

// CHECK-LABEL: module @inner
// CHECK: as "inner/two/0:q9x8:k9x8:v8:f32:full:0.10000000000000001"
module @inner {
  func.func @two(%q: tensor<9x8xf32>) -> tensor<9x8xf32> {
    %0 = attn.attention %q, %q, %q scale 0.1 : tensor<9x8xf32>, tensor<9x8xf32>, tensor<9x8xf32> -> tensor<9x8xf32>
    return %0 : tensor<9x8xf32>
  }
}
