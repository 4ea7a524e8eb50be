// RUN: polyattn-opt %s | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --canonicalize | FileCheck %s --check-prefix=CANON

// CHECK-LABEL: @third_order
// CHECK: attn.tensor_attention %{{.*}} keys(%{{.*}}, %{{.*}} : tensor<4x7x8xf32>, tensor<4x9x8xf32>) values(%{{.*}}, %{{.*}} : tensor<4x7x3xf32>, tensor<4x9x3xf32>) scale 5.000000e-01 : tensor<8x5x8xf32> -> tensor<8x5x3xf32>
// CANON-LABEL: @third_order
// CANON: attn.tensor_attention
func.func @third_order(%q: tensor<8x5x8xf32>, %k1: tensor<4x7x8xf32>, %k2: tensor<4x9x8xf32>,
                       %v1: tensor<4x7x3xf32>, %v2: tensor<4x9x3xf32>) -> tensor<8x5x3xf32> {
  %o = attn.tensor_attention %q keys(%k1, %k2 : tensor<4x7x8xf32>, tensor<4x9x8xf32>)
    values(%v1, %v2 : tensor<4x7x3xf32>, tensor<4x9x3xf32>) scale 0.5 : tensor<8x5x8xf32> -> tensor<8x5x3xf32>
  return %o : tensor<8x5x3xf32>
}

// CHECK-LABEL: @attributes
// CHECK: key_weights(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf32>) scale 1.000000e+00 kernel poly<[1.000000e+00, 1.000000e+00, 5.000000e-01]> mask [causal, sliding_window<left = 3, right = 0>] bound <5.000000e-01, declared> evaluate direct nan_rows : tensor<?x8xbf16> -> tensor<?x?xbf16>
func.func @attributes(%q: tensor<?x8xbf16>, %k: tensor<?x8xbf16>, %v: tensor<?x?xbf16>, %w: tensor<?xf32>) -> tensor<?x?xbf16> {
  %o = attn.tensor_attention %q keys(%k, %k : tensor<?x8xbf16>, tensor<?x8xbf16>)
    values(%v, %v : tensor<?x?xbf16>, tensor<?x?xbf16>) key_weights(%w, %w : tensor<?xf32>, tensor<?xf32>)
    scale 1.0 kernel poly<[1.0, 1.0, 0.5]> mask [causal, sliding_window<left = 3, right = 0>] bound <0.5, declared>
    evaluate direct nan_rows : tensor<?x8xbf16> -> tensor<?x?xbf16>
  return %o : tensor<?x?xbf16>
}

// One mask for all sets.
// CHECK-LABEL: @one_mask
// CHECK: mask causal :
func.func @one_mask(%q: tensor<6x8xf32>, %v: tensor<6x3xf32>) -> tensor<6x3xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<6x8xf32>, tensor<6x8xf32>)
    values(%v, %v : tensor<6x3xf32>, tensor<6x3xf32>) scale 1.0 mask causal : tensor<6x8xf32> -> tensor<6x3xf32>
  return %o : tensor<6x3xf32>
}

// One set of keys is ordinary attention.
// CANON-LABEL: @second_order
// CANON-NEXT: attn.attention %arg0, %arg1, %arg2 key_weights(%arg3 : tensor<?xf32>) scale 5.000000e-01 mask causal bound <2.000000e-01, declared>
func.func @second_order(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x4xf32>, %w: tensor<?xf32>) -> tensor<?x4xf32> {
  %o = attn.tensor_attention %q keys(%k : tensor<?x8xf32>) values(%v : tensor<?x4xf32>) key_weights(%w : tensor<?xf32>)
    scale 0.5 mask causal bound <0.2, declared> : tensor<?x8xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// CHECK-LABEL: @check
// CHECK: attn.check_bound %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale 5.000000e-01 bound 1.000000e+00 max_norm 1.000000e+03 : tensor<5x8xf32>, tensor<7x8xf32>, tensor<9x8xf32>, tensor<5x8xf32>
func.func @check(%q: tensor<5x8xf32>, %k1: tensor<7x8xf32>, %k2: tensor<9x8xf32>) -> i1 {
  %ok = attn.check_bound %q, %k1, %k2, %q scale 0.5 bound 1.0 max_norm 1000.0
    : tensor<5x8xf32>, tensor<7x8xf32>, tensor<9x8xf32>, tensor<5x8xf32>
  return %ok : i1
}
