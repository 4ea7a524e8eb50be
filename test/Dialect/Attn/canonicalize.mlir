// Neutral operands and masks that admit everything go; nothing else does.
// RUN: polyattn-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @weights_of_one
// CHECK: attn.attention %{{.*}}, %{{.*}}, %{{.*}} scale
func.func @weights_of_one(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) -> tensor<3x4xf32> {
  %w = arith.constant dense<1.0> : tensor<5xf32>
  %0 = attn.attention %q, %k, %v key_weights(%w : tensor<5xf32>) scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// Equal weights other than 1 change no quotient, but rows must stay 0 where
// all are 0: only 1 is removed.
// CHECK-LABEL: func.func @other_weights
// CHECK-COUNT-3: key_weights
func.func @other_weights(%q: tensor<3x8xf32>, %k: tensor<2x8xf32>, %v: tensor<2x4xf32>, %w: tensor<2xf32>)
    -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %mixed = arith.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %0 = attn.attention %q, %k, %v key_weights(%zero : tensor<2xf32>) scale 1.0 : tensor<3x8xf32>, tensor<2x8xf32>, tensor<2x4xf32> -> tensor<3x4xf32>
  %1 = attn.attention %q, %k, %v key_weights(%mixed : tensor<2xf32>) scale 1.0 : tensor<3x8xf32>, tensor<2x8xf32>, tensor<2x4xf32> -> tensor<3x4xf32>
  %2 = attn.attention %q, %k, %v key_weights(%w : tensor<2xf32>) scale 1.0 : tensor<3x8xf32>, tensor<2x8xf32>, tensor<2x4xf32> -> tensor<3x4xf32>
  return %0, %1, %2 : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}

// CHECK-LABEL: func.func @zero_bias
// CHECK: attn.attention %{{.*}}, %{{.*}}, %{{.*}} key_weights(%{{.*}}) scale
func.func @zero_bias(%q: tensor<3x8xf16>, %k: tensor<5x8xf16>, %v: tensor<5x4xf16>, %w: tensor<5xf32>) -> tensor<3x4xf16> {
  %b = arith.constant dense<0.0> : tensor<1x5xf16>
  %0 = attn.attention %q, %k, %v bias(%b : tensor<1x5xf16>) key_weights(%w : tensor<5xf32>) scale 1.0
     : tensor<3x8xf16>, tensor<5x8xf16>, tensor<5x4xf16> -> tensor<3x4xf16>
  return %0 : tensor<3x4xf16>
}

// A constant bias shifts all scores, which matters to a polynomial.
// CHECK-LABEL: func.func @other_bias
// CHECK-COUNT-2: bias(
func.func @other_bias(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %b: tensor<3x5xf32>)
    -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %one = arith.constant dense<1.0> : tensor<3x5xf32>
  %0 = attn.attention %q, %k, %v bias(%one : tensor<3x5xf32>) scale 1.0 kernel poly<[1.0, 1.0]>
     : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %1 = attn.attention %q, %k, %v bias(%b : tensor<3x5xf32>) scale 1.0
     : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return %0, %1 : tensor<3x4xf32>, tensor<3x4xf32>
}

// The newest query sees all keys, as do those under a wide window or prefix.
// CHECK-LABEL: func.func @admits_all
// CHECK-NOT: mask
// CHECK: return
func.func @admits_all(%q: tensor<1x8xf32>, %q3: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>)
    -> (tensor<1x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  %0 = attn.attention %q, %k, %v scale 1.0 mask causal<align = end> : tensor<1x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<1x4xf32>
  %1 = attn.attention %q3, %k, %v scale 1.0 mask sliding_window<left = 2, right = 4> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %2 = attn.attention %q3, %k, %v scale 1.0 mask sliding_window<left = 9223372036854775807, right = 9223372036854775807, align = end>
     : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %3 = attn.attention %q3, %k, %v scale 1.0 mask prefix<length = 5> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return %0, %1, %2, %3 : tensor<1x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}

// One key too few, or a length that is not known.
// CHECK-LABEL: func.func @drops_keys
// CHECK: mask causal :
// CHECK: mask causal<align = end>
// CHECK: mask sliding_window<left = 1, right = 4>
// CHECK: mask sliding_window<left = 2, right = 3>
// CHECK: mask prefix<length = 4>
// CHECK: mask causal<align = end>
func.func @drops_keys(%q: tensor<1x8xf32>, %q3: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %kd: tensor<?x8xf32>,
                      %qd: tensor<?x8xf32>, %vd: tensor<?x4xf32>)
    -> (tensor<1x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<?x4xf32>) {
  %0 = attn.attention %q, %k, %v scale 1.0 mask causal : tensor<1x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<1x4xf32>
  %1 = attn.attention %q3, %k, %v scale 1.0 mask causal<align = end> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %2 = attn.attention %q3, %k, %v scale 1.0 mask sliding_window<left = 1, right = 4> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %3 = attn.attention %q3, %k, %v scale 1.0 mask sliding_window<left = 2, right = 3> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %4 = attn.attention %q3, %k, %v scale 1.0 mask prefix<length = 4> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  %5 = attn.attention %qd, %kd, %vd scale 1.0 mask causal<align = end> : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<1x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<?x4xf32>
}

// Ops without effect go when nobody uses them.
// CHECK-LABEL: func.func @unused
// CHECK-NOT: attn.
// CHECK: return
func.func @unused(%x: tensor<3x8xf32>) {
  %0 = attn.attention %x, %x, %x scale 1.0 : tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32> -> tensor<3x8xf32>
  %1 = attn.check_bound %x, %x scale 1.0 bound 0.5 max_norm 1.0 : tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// One scale admits all; so does a cache to the queries of its last scale.
// CHECK-LABEL: func.func @one_scale
// CHECK-NOT: mask
// CHECK: return
func.func @one_scale(%q: tensor<?x8xf32>, %q9: tensor<9x8xf32>, %k: tensor<14x8xf32>, %v: tensor<14x4xf32>)
    -> (tensor<?x4xf32>, tensor<9x4xf32>) {
  %0 = attn.attention %q, %k, %v scale 1.0 mask block_causal<scales = [4]> : tensor<?x8xf32>, tensor<14x8xf32>, tensor<14x4xf32> -> tensor<?x4xf32>
  %1 = attn.attention %q9, %k, %v scale 1.0 mask block_causal<scales = [1, 4, 9], align = end>
     : tensor<9x8xf32>, tensor<14x8xf32>, tensor<14x4xf32> -> tensor<9x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<9x4xf32>
}

// CHECK-LABEL: func.func @several_scales
// CHECK-COUNT-3: mask block_causal
func.func @several_scales(%q: tensor<?x8xf32>, %q10: tensor<10x8xf32>, %k: tensor<14x8xf32>, %v: tensor<14x4xf32>)
    -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<10x4xf32>) {
  %0 = attn.attention %q, %k, %v scale 1.0 mask block_causal<scales = [4, 1]> : tensor<?x8xf32>, tensor<14x8xf32>, tensor<14x4xf32> -> tensor<?x4xf32>
  // Of more queries than keys the first ones see none.
  %1 = attn.attention %q, %k, %v scale 1.0 mask block_causal<scales = [4], align = end> : tensor<?x8xf32>, tensor<14x8xf32>, tensor<14x4xf32> -> tensor<?x4xf32>
  %2 = attn.attention %q10, %k, %v scale 1.0 mask block_causal<scales = [1, 4, 9], align = end>
     : tensor<10x8xf32>, tensor<14x8xf32>, tensor<14x4xf32> -> tensor<10x4xf32>
  return %0, %1, %2 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<10x4xf32>
}
