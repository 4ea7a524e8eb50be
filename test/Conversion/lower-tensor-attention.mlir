// RUN: polyattn-opt %s --attn-lower-to-vector=target=avx512 | FileCheck %s
// RUN: polyattn-opt %s --attn-lower-to-reference | FileCheck %s --check-prefix=REFERENCE

// REFERENCE-NOT: attn.

// One task for each query; no memory for scores but a block of them.
// CHECK-LABEL: @direct
// CHECK-NOT: attn.
// CHECK-NOT: tensor<512x512
// CHECK: scf.parallel
// CHECK: vector.fma
func.func @direct(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5 : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}

// A tile whose scores are surely small meets keys without a running maximum; one with a proved bound asks for nothing.
// CHECK-LABEL: @small_scores
// CHECK: math.absf
// CHECK: vector.reduction <maximumf>
// CHECK: %[[SMALL:.*]] = arith.cmpf ole, %{{.*}}, %{{.*}} : f32
// CHECK: scf.if %[[SMALL]]
// CHECK-NOT: vector.reduction <or>
// CHECK: } else {
// CHECK: vector.reduction <or>
// CHECK-LABEL: @proved_scores
// CHECK-NOT: math.absf
// CHECK: return
func.func @small_scores(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5 : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}
func.func @proved_scores(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5 bound <4.0, proved> : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}

// The states of both sets, 153 features in 156 rows.
// CHECK-LABEL: @state
// CHECK-NOT: attn.
// CHECK: memref.alloc() {{.*}} : memref<{{[0-9]+}}x156x16xf32>
// CHECK-NOT: math.exp
func.func @state(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5 kernel poly<[1.0, 1.0, 0.5]> evaluate state
    : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}

// Of each set its running state and what is at hand; of each window, 8 steps of a chunk and up to 64 blocks of keys. Nothing is
// ever subtracted from a state.
// CHECK-LABEL: @windows
// CHECK-NOT: attn.
// CHECK: memref.alloc() {{.*}} : memref<148x156x16xf32>
// CHECK-NOT: arith.subf
// CHECK-LABEL: @one_window
func.func @windows(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5 kernel poly<[1.0, 1.0, 0.5]>
    mask [sliding_window<left = 31, right = 0>, sliding_window<left = 255, right = 0>] evaluate state
    : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}

// The causal set of the two keeps a state of its whole blocks.
// CHECK: memref.alloc() {{.*}} : memref<76x156x16xf32>
func.func @one_window(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5 kernel poly<[1.0, 1.0, 0.5]>
    mask [causal, sliding_window<left = 255, right = 0>] evaluate state : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}

// One set of keys takes the code of ordinary attention.
// CHECK-LABEL: @one_set
// CHECK-NOT: attn.
func.func @one_set(%q: tensor<64x16xf32>, %v: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %o = attn.tensor_attention %q keys(%q : tensor<64x16xf32>) values(%v : tensor<64x16xf32>) scale 0.5
    : tensor<64x16xf32> -> tensor<64x16xf32>
  return %o : tensor<64x16xf32>
}

// Left to the reference.
// CHECK-LABEL: @f64
// CHECK: attn.tensor_attention
func.func @f64(%q: tensor<4x8xf64>) -> tensor<4x8xf64> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<4x8xf64>, tensor<4x8xf64>)
    values(%q, %q : tensor<4x8xf64>, tensor<4x8xf64>) scale 1.0 : tensor<4x8xf64> -> tensor<4x8xf64>
  return %o : tensor<4x8xf64>
}
